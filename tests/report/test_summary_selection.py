"""Stage 1 in summary and page: curve, groups, P values, interactions, stability."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import load_cohort, load_dataset
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.spec import ExperimentSpec, spec_content
from scorebuilder.report.figures.parsimony import draw_parsimony
from scorebuilder.report.figures.vimp import draw_vimp
from scorebuilder.report.render import render_html
from scorebuilder.report.section import SECTIONS
from scorebuilder.report.study import Study
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_selection import summarise_selection
from scorebuilder.selection.stability_index import stability_index
from scorebuilder.validation.resampling import ValidationResult

EXAMPLE = Path(__file__).with_name("summary_example.json")
CANDIDATES = ("age", "sysbp", "diasbp", "chf", "bmi")
RECORDS = [
    {"selected": ["age", "chf", "bmi"], "kept": ["age"]},
    {"selected": ["age", "chf"], "kept": ["age"]},
    {"selected": ["age", "sysbp", "diasbp"], "kept": ["age"]},
]


def studied(selection: dict[str, Any], keep: tuple[str, ...] = ()) -> Study:
    """A builder of 200 patients, with invented folds."""
    spec = ExperimentSpec.model_validate(
        {
            "name": "tiny-score",
            "title": "Tiny",
            "cohort": {"data": "builtin:whas500"},
            "outcome": {"horizons": ["1y"]},
            "candidates": {"keep": list(keep)},
            "selection": {
                "n_estimators": 20,
                "rule_n_estimators": 10,
                "inner_folds": 2,
                **selection,
            },
        }
    )
    _, schema = load_dataset("whas500")
    cohort = load_cohort("builtin:whas500", schema)
    builder = make_builder(spec, CANDIDATES).fit(cohort.X[list(CANDIDATES)], cohort.y)
    nothing = np.empty((1, 0))
    folds = ValidationResult(
        nothing.astype(np.int64), nothing[:, :, None], nothing, nothing, RECORDS, (365.25,)
    )
    return Study(
        cohort=cohort,
        candidates=CANDIDATES,
        builder=builder,
        artifact=None,
        validation=folds,
        baselines=(),
        settings=spec_content(spec),
        main_horizon=365.25,
        warnings=(),
        reproduce={},
    )


@pytest.fixture(scope="module")
def grouped() -> Study:
    return studied(
        {"rule": "parsimony", "groups": {"pressures": ["sysbp", "diasbp"]}}, keep=("bmi",)
    )


@pytest.fixture(scope="module")
def selection(grouped: Study) -> dict[str, Any]:
    plain: dict[str, Any] = as_plain(summarise_selection(grouped))
    return plain


def test_the_curve_is_that_of_the_selector(grouped: Study, selection: dict[str, Any]) -> None:
    evidence = grouped.builder.selector_.evidence_
    curve = pd.DataFrame(selection["parsimony"]["curve"])
    np.testing.assert_array_equal(curve["n_variables"], [1, 2, 3, 4])  # bmi is kept
    np.testing.assert_array_equal(curve["mean"], evidence["mean"])
    np.testing.assert_array_equal(curve["chosen"], evidence["chosen"])
    assert set(curve["label"]) == {"", "Age", "Heart failure", "pressures (group)"}
    best = evidence.loc[evidence["mean"].idxmax()]
    assert selection["parsimony"]["limit"] == best["mean"] - best["standard_error"]
    assert selection["parsimony"]["horizon"] == 365.25


def test_columns_of_a_group_share_their_numbers(selection: dict[str, Any]) -> None:
    rows = {row["variable"]: row for row in selection["ranking"]}
    assert rows["sysbp"]["selection_group"] == rows["diasbp"]["selection_group"] == "pressures"
    assert rows["sysbp"]["vimp"] == rows["diasbp"]["vimp"]
    assert rows["age"]["selection_group"] == ""
    assert "p_value" not in rows["age"]
    assert rows["bmi"]["reason"].startswith(("among", "to be kept, although"))


def test_interactions_are_pairs_of_labels(selection: dict[str, Any]) -> None:
    assert len(selection["interactions"]) == 5
    labels = {row["label"] for row in selection["ranking"]}
    for row in selection["interactions"]:
        assert {row["first"], row["second"]} <= labels
        assert row["excess_error"] >= 0.0


def test_the_index_counts_the_candidates_that_are_free_to_go(selection: dict[str, Any]) -> None:
    free = ["age", "sysbp", "diasbp", "chf"]
    forest, final = selection["stability_index"]
    expected = stability_index(
        [[name in record["selected"] for name in free] for record in RECORDS]
    )
    assert (forest["value"], forest["lower"]) == (expected.value, expected.lower)
    assert (forest["n_sets"], forest["n_variables"]) == (3, 4)
    assert final["value"] == 1.0
    assert final["label"] == "In the final model"


def test_an_index_without_value_has_a_reason(grouped: Study) -> None:
    records = [{"selected": list(CANDIDATES), "kept": []}] * 3
    folds = replace(grouped.validation, records=records)
    rows = summarise_selection(replace(grouped, validation=folds))["stability_index"]
    assert [row["value"] for row in rows] == [None, None]
    assert rows[0]["reason"].startswith("all variables are always chosen")
    assert rows[1]["reason"].startswith("no variable is ever chosen")


@pytest.fixture(scope="module")
def summary(selection: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return found | {"selection": selection}


def section(summary: dict[str, Any], name: str = "selection") -> dict[str, Any]:
    return SECTIONS[name].context(
        summary, {"leading_variables": [], "vimp": [], "parsimony": [], "stability": []}
    )


def test_the_page_shows_curve_groups_interactions_and_index(summary: dict[str, Any]) -> None:
    page = render_html(summary)
    rows = summary["selection"]["interactions"]
    first = f"{rows[0]['first']} × {rows[0]['second']}"
    assert f"Strongest interactions the forest used: {first}, " in page
    assert "Cross-validated 1-year AUC by number of variables" in page
    assert "Stability index of the choice over the refits" in page
    assert summary["selection"]["rule_text"] in page


def test_the_ranking_has_columns_for_groups_and_p_values_where_there_are_any(
    summary: dict[str, Any],
) -> None:
    header = section(summary)["ranking"].header
    assert header[:3] == ("Variable", "Group", "VIMP (interval)")
    assert "P" not in header
    tested = copy.deepcopy(summary)
    for place, row in enumerate(tested["selection"]["ranking"]):
        row |= {"p_value": 0.0001 if place == 0 else 0.25, "selection_group": ""}
    table = section(tested)["ranking"]
    assert table.header[:3] == ("Variable", "VIMP (interval)", "P")
    assert [row[2] for row in table.rows[:2]] == ["<0.001", "0.250"]
    assert [table.header[place] for place in table.text] == ["Stage 1", "Final score", "Why"]


def test_settings_that_are_not_the_usual_ones_are_named(summary: dict[str, Any]) -> None:
    usual = dict(section(summary)["settings"])
    assert usual["Splits by"] == "log-rank statistic"
    assert not {"Depth of the trees, at most", "Patients drawn for a tree"} & set(usual)
    other = copy.deepcopy(summary)
    other["selection"] |= {"max_depth": 4, "max_samples": 0.5}
    named = dict(section(other)["settings"])
    assert named["Depth of the trees, at most"] == "4"
    assert named["Patients drawn for a tree"] == "50.0\N{NO-BREAK SPACE}%"
    other["selection"]["max_samples"] = 1200
    assert dict(section(other)["settings"])["Patients drawn for a tree"] == "1,200"


def test_the_figure_of_the_curve_says_what_was_chosen(summary: dict[str, Any]) -> None:
    (figure,) = draw_parsimony(summary)
    chosen = next(row for row in summary["selection"]["parsimony"]["curve"] if row["chosen"])
    assert f"chosen: {chosen['mean']:.3f} with {chosen['n_variables']}." in figure.alt
    assert "A group of columns counts as one variable." in figure.caption
    assert "is not drawn" not in figure.caption
    assert figure.numbers is not None
    assert len(figure.numbers.rows) == 4
    ET.fromstring(figure.svg)
    assert next(draw_parsimony(summary)).svg == figure.svg


def test_chance_is_drawn_only_where_it_was_chosen(summary: dict[str, Any]) -> None:
    free = copy.deepcopy(summary)
    found = free["selection"]["parsimony"]
    nothing = {
        "n_variables": 0, "variable": "", "label": "", "mean": 0.5, "standard_error": 0.0,
        "chosen": False,
    }  # fmt: skip
    found["curve"].insert(0, nothing)
    (figure,) = draw_parsimony(free)
    assert figure.caption.endswith("No variable, 0.5, is not drawn.")
    for row in found["curve"]:
        row["chosen"] = row["n_variables"] == 0
    found["horizon"] = None
    (figure,) = draw_parsimony(free)
    assert "not drawn" not in figure.caption
    assert "chosen: 0.500 with 0." in figure.alt
    assert "C-index" in figure.alt


def test_an_undefined_error_is_drawn_as_a_point(summary: dict[str, Any]) -> None:
    bare = copy.deepcopy(summary)
    for row in bare["selection"]["parsimony"]["curve"]:
        row["standard_error"] = None
    (figure,) = draw_parsimony(bare)
    assert figure.numbers is not None
    assert figure.numbers.rows[0][3].startswith("undefined: ")


def test_summaries_without_the_new_parts_are_still_shown() -> None:
    found = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert "stability_index" not in found["selection"]
    assert section(found)["pairs"] == ""
    assert section(found, "stability")["agreement"] is None
    assert not list(draw_parsimony(found))


def test_the_drawing_names_the_measure_of_importance(summary: dict[str, Any]) -> None:
    found = summarise_selection(studied({"rule": "all", "vimp_measure": "brier"}))
    assert found["vimp_text"] == "rise of the out-of-bag Brier score"
    assert found["parsimony"] is None
    blocks = summarise_selection(studied({"rule": "all", "vimp_kind": "blocks"}))
    assert blocks["vimp_text"] == "loss of out-of-bag C-index, mean of blocks of ten trees"
    other = copy.deepcopy(summary)
    other["selection"]["vimp_text"] = found["vimp_text"]
    assert next(draw_vimp(other)).svg != next(draw_vimp(summary)).svg
