"""Added value out of fold: what it is made of, what must not change, and when it is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.added_value import RANKING, added_value, contrast_over_repeats
from scorebuilder.validation.compare import paired_difference
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.performance import evaluate
from scorebuilder.validation.resampling import ValidationResult, stratified_folds

HORIZON = 5.0


def draw(n: int = 400, seed: int = 1) -> tuple[Outcome, FloatArray, FloatArray]:
    """Risks of a model that knows both causes of the event, and of one that knows the first."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, n))
    rate = 0.06 * np.exp(a + b)
    time, end = random.exponential(1.0 / rate), random.uniform(0.0, 12.0, n)
    y = make_outcome(time <= end, np.minimum(time, end))
    both = -np.expm1(-HORIZON * rate)
    alone = -np.expm1(-HORIZON * 0.09 * np.exp(a))
    return y, both, alone


def result(y: Outcome, *risks: FloatArray, seed: int = 0) -> ValidationResult:
    """Out-of-fold predictions, one for each repeat."""
    folds = stratified_folds(y["event"], folds=5, repeats=len(risks), random_state=seed)
    risk = np.stack(risks)
    return ValidationResult(folds, risk[:, :, None], risk, risk * np.nan, [], (HORIZON,))


def measures(y: Outcome, new: ValidationResult, old: ValidationResult) -> dict:
    found = added_value(y, new, old, horizon=HORIZON, thresholds=(0.2, 0.4))
    named = {(item.name, item.part): item for item in found}
    assert len(named) == len(found)  # a name and a part tell every number from all others
    return named


def test_ranks_are_compared_within_folds() -> None:
    y, both, alone = draw()
    new, old = result(y, both), result(y, alone)
    found = measures(y, new, old)
    for metric in RANKING:
        expected = paired_difference(
            evaluate(new, y, horizon=HORIZON, metric=metric),
            evaluate(old, y, horizon=HORIZON, metric=metric),
        )
        got = found[metric, ""]
        assert (got.value, got.lower, got.upper, got.p) == (
            expected.value, expected.lower, expected.upper, expected.p,
        )  # fmt: skip
        assert got.value > 0.02


def test_risks_are_compared_over_all_patients() -> None:
    y, both, alone = draw()
    found = measures(y, result(y, both), result(y, alone))
    for name in ("idi", "nri_continuous"):
        expected = CONTRASTS[name].function(y, both, alone, horizon=HORIZON)
        assert found[name, ""].value == pytest.approx(expected.value, abs=1e-14)
        for part in ("events", "nonevents"):
            piece = expected.part(part)
            assert found[name, part].value == pytest.approx(piece.value, abs=1e-14)
            # divisor n here, n - 1 in the contrast: 1 / 400 of the variance
            half = (found[name, part].upper - found[name, part].lower) / 2
            assert half == pytest.approx(1.959964 * piece.standard_error, rel=2e-3)
    curves = [
        decision_curve(y, risk, horizon=HORIZON, thresholds=[0.2, 0.4]) for risk in (both, alone)
    ]
    for row, level in enumerate(("0.2", "0.4")):
        expected = curves[0]["net_benefit"][row] - curves[1]["net_benefit"][row]
        assert found["net_benefit", level].value == pytest.approx(expected, abs=1e-12)
    assert found["nri_categorical", ""].label == "Categorical NRI at 20 %, 40 %"


def test_repeats_are_averaged() -> None:
    y, both, alone = draw()
    _, other, _ = draw(seed=9)
    one = measures(y, result(y, both), result(y, alone))
    two = measures(y, result(y, other), result(y, alone))
    mean = measures(y, result(y, both, other), result(y, alone, alone))
    for key in (("idi", ""), ("nri_continuous", "events"), ("net_benefit", "0.2")):
        expected = (one[key].value + two[key].value) / 2
        assert mean[key].value == pytest.approx(expected, abs=1e-14)


def test_swapping_new_and_old_changes_the_sign() -> None:
    y, both, alone = draw()
    forth = measures(y, result(y, both), result(y, alone))
    back = measures(y, result(y, alone), result(y, both))
    for key in (("auc", ""), ("c_index", ""), ("idi", ""), ("net_benefit", "0.4")):
        assert back[key].value == pytest.approx(-forth[key].value, abs=1e-12)
        assert back[key].p == pytest.approx(forth[key].p, abs=1e-12)


def test_the_same_prediction_adds_nothing_and_has_no_p() -> None:
    y, both, _ = draw()
    found = measures(y, result(y, both), result(y, both))
    for key in (("auc", ""), ("c_index", ""), ("net_benefit", "0.2")):
        assert found[key].value == 0.0
        assert found[key].p is None
        assert found[key].reason == "no sampling error: P is not defined"


def test_patients_without_one_of_the_predictions_are_left_out() -> None:
    y, both, alone = draw()
    known = np.arange(400) >= 40
    holes = alone.copy()
    holes[~known] = np.nan
    found = measures(y, result(y, both), result(y, holes))
    expected = CONTRASTS["idi"].function(y[known], both[known], alone[known], horizon=HORIZON)
    assert found["idi", ""].value == pytest.approx(expected.value, abs=1e-14)


def test_few_events_and_other_folds() -> None:
    y, both, alone = draw(30, 2)
    y["event"][np.flatnonzero(y["event"])[8:]] = False
    found = added_value(y, result(y, both), result(y, alone), horizon=HORIZON)
    assert [item.name for item in found] == list(RANKING)
    assert all(item.value is None for item in found)
    assert found[0].reason is not None
    assert found[0].reason.endswith("events by the horizon; at least 10 are needed")
    with pytest.raises(ValueError, match="must come from the same folds"):
        added_value(y, result(y, both), result(y, alone, seed=1), horizon=HORIZON)


def test_an_undefined_contrast_says_why() -> None:
    y, both, alone = draw()
    pair = both[None, :], alone[None, :]
    found = contrast_over_repeats(CONTRASTS["idi"], y, *pair, horizon=1e6)
    assert found[0].value is None
    assert found[0].reason is not None
    assert "lies past the longest follow-up" in found[0].reason
