"""Who belongs to which subgroup, which counts are withheld, and how rules and answers are shown."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.report.figures.subgroups import draw_subgroups
from scorebuilder.report.measure_row import measure_row, shown
from scorebuilder.report.sections import incremental, subgroups
from scorebuilder.report.summary_rules import highest
from scorebuilder.report.summary_subgroups import divide, subgroup_table, summarise_subgroups
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.subgroups import LABELS, TOO_FEW

NOTHING = {"by": None, "cuts": [], "where": None, "label": None, "threshold": None}
SCHEMA = CohortSchema(
    "clinic",
    (
        Field("age", "numeric", label="Age"),
        Field("sex", "nominal", levels=(Level("1", "male"), Level("2", "female"))),
        Field("centre", "nominal", role="cluster"),
    ),
)


def study(n: int = 600) -> Any:
    """A study of which only the out-of-fold risks and the columns matter here."""
    random = np.random.default_rng(3)
    age, sex = random.uniform(30, 90, n), random.choice(["1", "2"], n)
    centre = np.where(np.arange(n) < 7, "small", np.where(np.arange(n) < 300, "north", "south"))
    rate = 0.05 * np.exp((age - 60) / 15)
    time, end = random.exponential(1 / rate), random.uniform(0, 12, n)
    risk = -np.expm1(-5 * rate)
    X = pd.DataFrame({"age": age, "sex": pd.Categorical(sex, categories=["1", "2"])})
    strata = pd.DataFrame({"centre": pd.Categorical(centre)})
    columns = X.join(strata)
    cohort = SimpleNamespace(
        X=X,
        strata=strata,
        schema=SCHEMA,
        y=make_outcome(time <= end, np.minimum(time, end)),
        column=lambda name: columns[name],
    )
    return SimpleNamespace(
        cohort=cohort,
        main_horizon=5.0,
        validation=SimpleNamespace(risk_at=lambda _: risk[None, :]),
        settings={
            "subgroups": [
                {**NOTHING, "by": "sex"},
                {**NOTHING, "by": "age", "cuts": [50.0, 65.0]},
                {**NOTHING, "where": "age >= 65 & sex == 'female'", "label": "Old women"},
                {**NOTHING, "by": "centre", "threshold": 0.1},
            ]
        },
    )


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    return summarise_subgroups(study())


def test_bands_begin_at_their_cuts() -> None:
    cohort = study(5).cohort
    ages = pd.Series([49.9, 50.0, 64.9, 65.0, np.nan])
    cohort.column = lambda _: ages
    division = divide(cohort, {**NOTHING, "by": "age", "cuts": [50.0, 65.0]})
    members = {name: np.flatnonzero(inside).tolist() for name, inside in division.groups.items()}
    assert members == {"below 50": [0], "50 to below 65": [1, 2], "65 or more": [3]}
    assert division.unknown == 1
    assert division.label == "Age"


def test_subgroups_of_a_division_share_no_patient() -> None:
    whole = study()
    for setting in whole.settings["subgroups"]:
        division = divide(whole.cohort, setting)
        total = np.sum([inside.astype(int) for inside in division.groups.values()], axis=0)
        assert total.max() == 1
        assert int(total.sum()) + division.unknown == 600


def test_small_counts_are_withheld_with_their_complement(found: list[dict[str, Any]]) -> None:
    centres = {group["label"]: group for group in found[3]["groups"]}
    assert set(centres) == {"small", "north", "south"}
    assert centres["small"]["n"] is None
    assert all(item["reason"] == TOO_FEW for item in centres["small"]["measures"])
    withheld = [name for name, group in centres.items() if group["n"] is None]
    assert len(withheld) == 2  # one alone would follow from the total
    table = subgroup_table(found)
    assert table.loc[table["subgroup"] == "small", ["n", "value"]].isna().all(axis=None)


def test_every_measure_has_a_value_or_a_reason(found: list[dict[str, Any]]) -> None:
    for division in found:
        for group in division["groups"]:
            assert [item["measure"] for item in group["measures"]] == list(LABELS)
            for item in group["measures"]:
                assert (item["value"] is None) != (item["reason"] is None)
    assert found[0]["tests"][0]["p"] is not None
    assert found[3]["threshold"] == 0.1


def test_the_page_shows_what_is_withheld(found: list[dict[str, Any]]) -> None:
    summary = {"subgroups": found}
    (figure,) = draw_subgroups(summary)
    assert "in 10 subgroups" in figure.alt
    page = subgroups.context(summary, {"subgroups": [figure]})
    centres = page["divisions"][3]["tables"][0].rows
    small = next(row for row in centres if row[0] == "small")
    assert small[1:3] == ("withheld", "withheld")
    assert small[3] == f"undefined: {TOO_FEW}"
    assert subgroups.applies(summary)
    assert not subgroups.applies({"subgroups": []})


def test_without_a_single_estimate_there_is_no_figure(found: list[dict[str, Any]]) -> None:
    only = copy.deepcopy(found[3:])
    only[0]["groups"] = [group for group in only[0]["groups"] if group["label"] == "small"]
    assert not list(draw_subgroups({"subgroups": only}))


def test_the_score_as_a_rule_holds_in_as_many_patients() -> None:
    risk = np.array([0.3, 0.1, 0.2, 0.2])
    assert highest(risk, 1).tolist() == [True, False, False, False]
    assert highest(risk, 2).tolist() == [True, False, True, True]  # equal risks stay together


def test_measures_as_rows() -> None:
    whole = {
        "name": "idi", "label": "IDI", "part": "", "value": 0.01234, "lower": -0.001,
        "upper": 0.02, "p": 0.04, "reason": None,
    }  # fmt: skip
    assert measure_row(whole)[1:] == ("+0.0123 (\N{MINUS SIGN}0.0010 to 0.0200)", "0.040")
    none = {**whole, "value": None, "lower": None, "upper": None, "p": None, "reason": "no event"}
    assert measure_row(none)[1:] == ("undefined: no event", "undefined: no event")
    other = [{**whole, "part": "up_events"}, {**whole, "name": "idi_model_based"}]
    benefit = {**whole, "name": "net_benefit", "part": "0.1"}
    assert shown([whole, *other, benefit]) == [whole, benefit]


def test_a_question_without_answer_says_why() -> None:
    row = {
        "label": "Strain", "marker": "Strain", "on_top_of": "rule", "subgroup": "age < 50",
        "n_subgroup": 40, "n_unknown": None, "n": 38, "n_events": None, "reason": "few events",
        "hazard_ratios": [], "nested": None, "measures": [],
    }  # fmt: skip
    summary = {"incremental": {"horizon": 1826.25, "build": "cox", "ladder": [], "markers": [row]}}
    page = incremental.context(summary, {})
    (marker,) = page["markers"]
    assert marker["undefined"] == "undefined: few events"
    assert marker["tables"] == []
    assert ("In the subgroup", "40; not known of: withheld") in marker["facts"]
