"""Rules decide from a ranking made by hand; those that refit, from scripted forests."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from scorebuilder.selection.rule import RULES, RuleInput

RANKING = pd.DataFrame(
    {
        "variable": ["age", "segments", "sex"],
        "vimp": [0.04, 0.02, -0.001],
        "vimp_lower": [0.03, 0.0, -0.002],
        "vimp_upper": [0.05, 0.04, 0.0],
        "minimal_depth": [1.0, 3.0, 4.0],
        "null_depth": [3.5, 2.0, 3.5],
        "rank": [1, 2, 3],
    }
)


def decide(rule: str, **given):
    return RULES[rule](RuleInput(RANKING, given.pop("top_k", 10), **given))


def test_the_lower_limit_must_lie_above_zero_and_not_on_it() -> None:
    decision = decide("vimp_ci")
    assert list(decision.selected) == [True, False, False]
    assert decision.rule_text == "kept if the lower limit of its permutation importance is above 0"
    unknown = RULES["vimp_ci"](RuleInput(RANKING.assign(vimp_lower=np.nan), 10))
    assert not unknown.selected.any()
    assert unknown.dropped_because[0].startswith("interval of VIMP undefined")


def test_every_unit_has_its_own_depth_under_no_effect() -> None:
    decision = decide("minimal_depth")
    assert list(decision.selected) == [True, False, False]
    assert decision.kept_because[0] == "mean minimal depth below 3.50"
    assert decision.dropped_because[1] == "mean minimal depth not below 2.00"
    assert decision.rule_text.endswith("lies below the mean under no effect")


def test_as_many_as_asked_for_are_kept() -> None:
    assert list(decide("top_k", top_k=2).selected) == [True, True, False]
    assert decide("top_k", top_k=9).selected.all()
    assert decide("top_k", top_k=2).rule_text == "the 2 most important are kept"
    with pytest.raises(ValueError, match="`top_k` must be at least 1; got 0"):
        decide("top_k", top_k=0)


def test_all_are_kept() -> None:
    decision = decide("all")
    assert decision.selected.all()
    assert decision.rule_text == "all kept"


@pytest.mark.parametrize("rule", ["boruta", "parsimony"])
def test_rules_that_grow_forests_say_that_a_ranking_is_not_enough(rule) -> None:
    with pytest.raises(ValueError, match=f"the rule `{rule}` grows forests"):
        decide(rule)


def test_boruta_reports_its_counts(monkeypatch) -> None:
    values = {"age": 1.0, "segments": 1.0, "sex": -1.0}

    def importance(active, number):
        sway = {"segments": 1.0 if number % 2 else -1.0}
        return np.array([sway.get(name, values[name]) for name in active]), np.zeros(5)

    monkeypatch.setattr(
        "scorebuilder.selection.boruta.shadow_importance", lambda refits: importance
    )
    refits = SimpleNamespace(boruta_alpha=0.01, boruta_rounds=13)
    decision = decide("boruta", refits=refits)
    assert list(decision.selected) == [True, True, False]
    assert decision.kept_because == [
        "confirmed: above every shadow in 13 of 13 rounds",
        "tentative by its median: above every shadow in 7 of 13 rounds",
        "rejected: above every shadow in 0 of 9 rounds",
    ]
    assert "in up to 13 forests (level 0.01, divided by" in decision.rule_text
    assert list(decision.evidence["hits"]) == [13, 7, 0]


@pytest.mark.parametrize(
    ("mean", "selected"),
    [
        ([0.5, 0.7, 0.705, 0.70], [True, False, False]),
        ([0.5, 0.6, 0.705, 0.70], [True, True, False]),
        ([0.5, 0.49, 0.48, 0.505], [False, False, False]),
    ],
)
def test_parsimony_keeps_the_first_of_the_ranking(monkeypatch, mean, selected) -> None:
    curve = pd.DataFrame(
        {
            "n_variables": [0, 1, 2, 3],
            "variable": ["", "age", "segments", "sex"],
            "mean": mean,
            "standard_error": [0.0, 0.01, 0.01, 0.01],
        }
    )
    monkeypatch.setattr("scorebuilder.selection.parsimony.parsimony_curve", lambda *_: curve)
    decision = decide("parsimony", refits=SimpleNamespace(keep=(), horizon=5.0))
    assert list(decision.selected) == selected
    assert decision.evidence["chosen"].sum() == 1
    assert decision.evidence.loc[sum(selected), "chosen"]
    number = sum(selected)
    assert decision.rule_text.endswith(
        f"AUC(t) lies within one standard error of the best ({number})"
    )


def test_parsimony_counts_what_is_to_be_kept(monkeypatch) -> None:
    curve = pd.DataFrame(
        {
            "n_variables": [1, 2, 3],
            "variable": ["", "age", "segments"],
            "mean": [0.6, 0.7, 0.7],
            "standard_error": 0.01,
        }
    )
    monkeypatch.setattr("scorebuilder.selection.parsimony.parsimony_curve", lambda *_: curve)
    decision = decide("parsimony", refits=SimpleNamespace(keep=("sex",), horizon=None))
    assert list(decision.selected) == [True, False, True]
    assert "cross-validated C-index lies within" in decision.rule_text
