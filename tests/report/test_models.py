"""All models in one table, and the price of each step: what the sections say."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from scorebuilder.report.figure import collect_figures
from scorebuilder.report.render import render_html
from scorebuilder.report.sections import models, price
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_models import records
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.compare_all import ComparedModel, compare_all
from scorebuilder.validation.resampling import stratified_folds

EXAMPLE = Path(__file__).with_name("summary_example.json")
HORIZON = 5 * 365.25


@pytest.fixture(scope="module")
def summary():
    random = np.random.default_rng(3)
    n = 600
    marker = random.normal(size=n)
    event_time, censoring = random.exponential(3000 * np.exp(-marker)), random.uniform(100, 4000, n)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    folds = stratified_folds(y["event"], folds=3, repeats=1, random_state=1)

    def model(name, label, noise):
        noisy = marker + noise * random.normal(size=(1, n))
        return ComparedModel(name, label, noisy, 1 - np.exp(-HORIZON / 3000 * np.exp(noisy) / 3))

    forms = [model("formula", "This score", 0.1), model("points", "Points", 0.2),
             model("groups", "Groups", 0.5)]  # fmt: skip
    forest = model("forest", "Survival forest", 0.4)
    ranks = ComparedModel("old", "Old points", np.round(marker))
    settings = {"horizon": HORIZON, "thresholds": (0.2, 0.4)}
    steps = [forest, *forms]
    pairs = [(b.name, a.name) for a, b in pairwise(steps)]
    found = {
        "horizon": HORIZON,
        "thresholds": [0.2, 0.4],
        "models": [
            *({"name": m.name, "label": m.label, "kind": "form", "reason": None} for m in forms),
            {"name": "forest", "label": "Survival forest", "kind": "comparator", "reason": None},
            {"name": "old", "label": "Old points", "kind": "baseline", "reason": None},
            {"name": "linear_cox", "label": "Cox", "kind": "comparator", "reason": "no estimate"},
        ],
        "rows": records(compare_all(y, folds, [*forms, forest, ranks], **settings)),
        "price": {
            "steps": [model.name for model in steps],
            "rows": records(compare_all(y, folds, steps, pairs=pairs, **settings)),
        },
    }
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    example["validation"]["models"] = as_plain(found)
    return example


def test_every_model_has_its_row_and_every_gap_its_reason(summary):
    context = models.context(summary, {"models": []})
    own, ranking, moved, benefit = context["tables"]
    assert [row[0] for row in own.rows] == [
        "This score", "Points", "Groups", "Survival forest", "Old points",
    ]  # fmt: skip
    assert len(ranking.rows) == len(moved.rows) == len(benefit.rows) == 4
    for table in context["tables"]:
        assert all(len(row) == len(table.header) for row in table.rows)
    old = {row[0]: row for row in benefit.rows}["Old points"]
    assert old[1:] == ("undefined: points are no risk",) * 2
    assert context["unfitted"][0]["reason"] == "no estimate"


def test_a_difference_is_shown_with_its_adjusted_p(summary):
    row = next(
        r for r in summary["validation"]["models"]["rows"]
        if (r["against"], r["measure"]) == ("groups", "auc")
    )  # fmt: skip
    ranking = models.context(summary, {"models": []})["tables"][1]
    cells = {cells[0]: cells for cells in ranking.rows}["Groups"]
    assert f"+{row['value']:.3f}" in cells[1]
    assert row["p_holm"] >= row["p"]


def test_the_price_list_goes_from_forest_to_groups(summary):
    shown = price.context(summary, {})
    tables = [*shown["tables"], *shown["folded"]]
    assert len(shown["tables"]) == 2
    assert [table.caption.split(" in ")[1].split(",")[0] for table in tables] == [
        "AUC", "Brier score", "net benefit at 20\N{NO-BREAK SPACE}%",
        "net benefit at 40\N{NO-BREAK SPACE}%",
    ]  # fmt: skip
    assert [row[0] for row in tables[0].rows] == [
        "Survival forest", "Formula (exact risk)", "Points (whole numbers)", "Risk groups",
    ]  # fmt: skip
    assert tables[0].rows[0][2] == "–"


def test_an_older_summary_still_shows_its_price():
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    example["validation"].pop("models", None)
    assert len(price.context(example, {})["tables"]) == 1
    assert not models.applies(example)


def test_the_page_and_the_forest_plot(summary):
    page = render_html(summary)
    assert "All models on the same folds" in page
    figure = collect_figures(summary)["models"][0]
    assert "Survival forest" in figure.alt
    assert "Old points" in figure.alt
