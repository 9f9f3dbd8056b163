"""The points card: rows where curves reach a step, additive totals, and the risk of each."""

from __future__ import annotations

import copy
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.hazard_regression import PHReg

from scorebuilder.core.errors import ModelError
from scorebuilder.experiment.card import with_card
from scorebuilder.score.apply import contributions, fill_missing
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.card_grid import card_totals, look_up, number_rows, readable_step
from scorebuilder.score.card_search import CardScale, _error, search_card
from scorebuilder.score.points_card import card_risks, make_card
from scorebuilder.score.pooled_risk import pooled_risk
from scorebuilder.score.risk_table import MINIMUM_PATIENTS
from scorebuilder.survival.outcome import make_outcome


@pytest.fixture(scope="module")
def carded(small_score: Any) -> ScoreArtifact:
    settings: Any = SimpleNamespace(card="half", card_total=20)
    cohort = small_score.cohort
    return with_card(small_score.artifact, cohort.X, cohort.y, settings)


def test_steps_by_hand() -> None:
    # Lowest 0.1, step 0.5: (0.1 - 0.1) / 0.5 + 0.5 = 0.5 -> 0; 0.35: 1.0 -> 1; 0.84: 1.98 -> 1;
    # 0.85: 2.0 -> 2 (0.86 is used: 2.02, as 0.85 is not exact in binary).
    scale = CardScale(0.5, (0.1,), (0.5,), 0.0)
    assert scale.steps(0, np.array([0.1, 0.36, 0.84, 0.86])).tolist() == [0, 1, 1, 2]


def test_a_curve_that_turns_has_the_same_points_on_both_sides() -> None:
    # f(x) = (x - 5)^2 / 10 on 0..10 with step 1: 2.5 at the ends, 0 in the middle. f + 0.5 reaches
    # 1 at (x - 5)^2 = 5, x = 5 +- 2.236, and 2 at (x - 5)^2 = 15, x = 5 +- 3.873; at the ends it is
    # exactly 3. Cut points are rounded to 0.05.
    rows = number_rows(lambda x: np.floor((x - 5.0) ** 2 / 10.0 + 0.5), 0.0, 10.0)
    inner = [row for row in rows if row[2] < 3]
    assert [row[2] for row in inner] == [2, 1, 0, 1, 2]
    assert [row[0] for row in inner[1:]] == [1.15, 2.75, 7.25, 8.85]


@given(
    st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
    st.floats(0.05, 1.0),
    st.floats(0.01, 0.99),
)
def test_rows_of_whole_numbers_are_exact(knots: list[float], unit: float, phase: float) -> None:
    def steps(x: Any) -> Any:
        return np.floor(np.interp(x, [0.0, 3.0, 7.0, 10.0], knots) / unit + phase)

    rows = number_rows(steps, 0.0, 10.0, whole=True)
    assert all(row[0] == round(row[0]) for row in rows[1:])
    x = np.arange(0.0, 11.0)
    entry = {"rows": [{"from": row[0], "points": float(row[2])} for row in rows]}
    clear = np.array([steps(v - 1e-6) == steps(v + 1e-6) for v in x])  # no rounding at a cut
    assert np.array_equal(look_up(entry, pd.Series(x))[clear], steps(x)[clear])


@given(
    st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
    st.floats(0.05, 1.0),
    st.floats(0.0, 1.0),
)
def test_the_grid_is_the_rounded_curve_away_from_its_cuts(
    knots: list[float], unit: float, phase: float
) -> None:
    def steps(x: Any) -> Any:
        return np.floor(np.interp(x, [0.0, 3.0, 7.0, 10.0], knots) / unit + phase)

    rows = number_rows(steps, 0.0, 10.0)
    assert rows[0][0] is None
    assert rows[-1][1] is None
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(rows))
    cuts = np.array([row[0] for row in rows[1:]])
    x = np.linspace(0.0, 10.0, 501)
    near = readable_step(0.0, 10.0)
    # Rows narrower than the rounding are left out, so values next to any change are not compared.
    far = np.array([steps(v - near) == steps(v + near) == steps(v) for v in x])
    found = look_up(
        {"rows": [{"from": row[0], "points": float(row[2])} for row in rows]}, pd.Series(x)
    )
    assert len(cuts) == len(rows) - 1
    np.testing.assert_array_equal(found[far], steps(x)[far])


def test_the_search_beats_plain_rounding_within_the_same_total() -> None:
    random = np.random.default_rng(7)
    parts = random.normal(0.0, 0.6, (800, 4)).clip(-1.5, 1.5)
    eta = parts.sum(axis=1)
    ends = {"lowest": [-1.5] * 4, "highest": [1.5] * 4}
    for most in (8, 12, 20):
        scale = search_card(parts, eta, cumulative_hazard=0.2, most_steps=most, **ends)
        again = search_card(parts, eta, cumulative_hazard=0.2, most_steps=most, **ends)
        assert scale == again
        total = sum(scale.steps(k, np.array([1.5]))[0] for k in range(4))
        assert total <= most
        plain_unit = 12.0 / most
        plain = np.floor((parts + 1.5) / plain_unit + 0.5).sum(axis=1)
        risk = -np.expm1(-0.2 * np.exp(eta))
        assert scale.error <= _error(plain, eta, risk, 0.2) + 0.0005


def test_search_refuses_what_cannot_be() -> None:
    flat = np.zeros((20, 1))
    with pytest.raises(ModelError, match="no contribution to the score varies"):
        search_card(
            flat, np.zeros(20), cumulative_hazard=0.1, lowest=[0], highest=[0], most_steps=5
        )


def test_points_add_up_and_follow_the_curves(small_score: Any, carded: ScoreArtifact) -> None:
    card = carded.content["card"]
    filled, _, _ = fill_missing(carded, small_score.cohort.X)
    totals = card_totals(card, filled)
    assert totals.min() >= card["total"][0] == 0.0
    assert totals.max() <= card["total"][1] <= 20.0
    assert set(np.unique(totals / card["step"] % 1)) == {0.0}
    eta = contributions(carded, filled).sum(axis=1)
    assert np.corrcoef(totals, eta)[0, 1] > 0.97
    for entry in card["predictors"]:
        assert min(row["points"] for row in entry["rows"]) == 0.0


def test_risk_of_totals_is_a_cox_model(small_score: Any, carded: ScoreArtifact) -> None:
    card, y = carded.content["card"], small_score.cohort.y
    totals = card_totals(card, fill_missing(carded, small_score.cohort.X)[0])
    fit = PHReg(y["time"], totals[:, None], status=y["event"].astype(float), ties="efron").fit()
    table = np.array([row["risk"] for row in card["totals"]])
    below = table[:, -1] < 1.0 - 1e-9  # beyond, a risk of 1 has no complementary logarithm
    slope = np.diff(np.log(-np.log1p(-table[below, -1])))
    # Both maximise the same likelihood; each stops within 1e-8 of the maximum.
    np.testing.assert_allclose(slope, fit.params[0] * card["step"], rtol=1e-6)
    assert np.all(np.diff(table[below], axis=0) > 0)
    assert np.all(np.diff(table, axis=1) >= 0)
    risks = card_risks(card, totals)
    assert risks.shape == (500, 2)
    # A Cox model is calibrated in the large at the development patients' own follow-up.
    assert risks[:, 0].mean() == pytest.approx(0.276, abs=0.01)


def test_bands_of_totals_never_fall_and_are_never_small(carded: ScoreArtifact) -> None:
    card = carded.content["card"]
    for horizon in carded.horizons:
        rows = [row for row in card["risk"] if row["horizon"] == horizon]
        assert rows[0]["from"] == 0.0
        assert rows[-1]["to"] == card["total"][1]
        assert all(b["from"] - a["to"] == card["step"] for a, b in pairwise(rows))
        assert min(row["n"] for row in rows) >= MINIMUM_PATIENTS
        observed = [row["observed"] for row in rows if row["observed"] is not None]
        assert observed == sorted(observed)
    assert sum(row["n"] for row in rows) == 500


def test_pooling_by_hand() -> None:
    # Totals 0, 1, 2 with 10 patients each, nobody censored: 2, 1 and 5 events by time 1, so risks
    # are 0.2, 0.1, 0.5; the first two violate the order and are joined to 3 of 20 = 0.15.
    totals = np.repeat([0.0, 1.0, 2.0], 10)
    event = np.zeros(30, dtype=bool)
    event[[0, 1, 10, 20, 21, 22, 23, 24]] = True
    y = make_outcome(event, np.where(event, 1.0, 2.0))
    bands = pooled_risk(totals, np.full((30, 1), 0.2), y, possible=[0, 1, 2], horizons=[1.5])
    assert [(band.first, band.last) for band in bands] == [(0.0, 1.0), (2.0, 2.0)]
    assert [band.risks[0].observed for band in bands] == pytest.approx([0.15, 0.5], abs=1e-12)
    assert [band.risks[0].n for band in bands] == [20, 10]


def test_a_missing_value_counts_as_the_filled_one(small_score: Any, carded: ScoreArtifact) -> None:
    card = carded.content["card"]
    X = small_score.cohort.X.head(2).copy()
    filled, _, _ = fill_missing(carded, X.assign(age=np.nan))
    median = small_score.builder.imputer_.fill_values_["age"]
    np.testing.assert_array_equal(
        card_totals(card, filled), card_totals(card, X.assign(age=median))
    )


def test_loss_is_told_and_the_formula_stays(small_score: Any, carded: ScoreArtifact) -> None:
    assert carded.content["core_id"] == small_score.artifact.content["core_id"]
    loss = {(row["measure"], row["horizon"]): row for row in carded.content["card"]["loss"]}
    for horizon in carded.horizons:
        for measure in ("auc", "brier", "ici"):
            assert loss[measure, horizon]["reason"] == ""
    concordance = loss["c_index", None]
    assert abs(concordance["formula"] - concordance["card"]) < 0.02
    other = loss["other_group", carded.horizons[-1]]["card"]
    assert 0.0 < other < 0.3
    text = carded.to_json()
    assert ScoreArtifact.from_json(text).to_json() == text


def test_a_spec_without_card_has_none(small_score: Any) -> None:
    settings: Any = SimpleNamespace(card="none", card_total=20)
    cohort = small_score.cohort
    assert with_card(small_score.artifact, cohort.X, cohort.y, settings) is small_score.artifact


def test_patients_in_another_order_get_the_same_card(small_score: Any) -> None:
    artifact, cohort = small_score.artifact, small_score.cohort
    first = make_card(artifact, cohort.X, cohort.y, points="whole", most=15)
    order = np.random.default_rng(3).permutation(500)
    second = make_card(artifact, cohort.X.iloc[order], cohort.y[order], points="whole", most=15)
    assert first["predictors"] == second["predictors"]
    # Sums run in another order: the fitted risks agree but for rounding.
    np.testing.assert_allclose(
        [row["risk"] for row in first["totals"]], [row["risk"] for row in second["totals"]],
        rtol=1e-9,
    )  # fmt: skip


def test_a_predictor_whose_curve_is_flat_is_not_on_the_card(small_score: Any) -> None:
    content = copy.deepcopy(small_score.artifact.content)
    for term in content["scoring"]["terms"]:
        if term["predictor"] == "age":
            term["coefficient"] = 1e-9
    cohort = small_score.cohort
    card = make_card(seal(content), cohort.X, cohort.y, points="whole", most=15)
    assert "age" not in [entry["predictor"] for entry in card["predictors"]]
