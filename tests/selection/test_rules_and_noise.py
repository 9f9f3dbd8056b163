"""How often rules that refit keep noise, and how often the interval of VIMP covers 0."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.selection import RSFSelector, SurvivalForest
from scorebuilder.selection.vimp import permutation_vimp_with_error

from .conftest import NAMES, simulate  # isort: skip

EFFECTS = ("strong", "middling")
SETTINGS = {
    "engine": "native",
    "n_estimators": 60,
    "min_samples_leaf": 10,
    "n_times": 50,
    "rule_n_estimators": 20,
    "inner_folds": 3,
    "boruta_rounds": 25,
    "horizon": 4.0,
}

pytestmark = pytest.mark.slow


def chosen(rule: str, first: int, n_cohorts: int):
    """Fit one selector in each of fresh cohorts."""
    for seed in range(first, first + n_cohorts):
        X, y = simulate(300, seed)
        yield RSFSelector(rule=rule, random_state=seed, **SETTINGS).fit(X, y)


def keeps_noise(fitted) -> bool:
    return bool(set(fitted.get_feature_names_out()) - set(EFFECTS))


def test_boruta_confirms_effects_and_seldom_keeps_noise() -> None:
    decisions, noise = [], []
    for fitted in chosen("boruta", 31_000, 20):
        decisions.append(fitted.evidence_.set_index("variable")["decision"][list(EFFECTS)])
        noise.append(keeps_noise(fitted))
    confirmed = np.array(decisions) == "confirmed"
    assert confirmed[:, 0].all()
    # Either is done in more than half of all cohorts: were it half, 16 or more of 20 would come in
    # (4845 + 1140 + 190 + 20 + 1) / 2^20 = 0.6 % of the runs.
    assert confirmed[:, 1].sum() >= 16
    assert 20 - sum(noise) >= 16


def test_parsimony_seldom_keeps_noise() -> None:
    noise = []
    for fitted in chosen("parsimony", 32_000, 60):
        assert "strong" in fitted.get_feature_names_out()
        noise.append(keeps_noise(fitted))
    # Three folds of a hundred patients know the curve roughly. Were noise kept in half of all
    # cohorts, 20 or fewer of 60 would keep any in 0.7 % of the runs: B ~ Bin(60, 1/2), mean 30,
    # standard deviation 3.87, P(B <= 20) = 0.0067. (15 are expected if it is kept in a quarter.)
    assert sum(noise) <= 20


@pytest.mark.parametrize(
    ("without", "most_cohorts", "most_intervals"),
    [
        # Cohorts in which any lower limit lies above 0: nominally at most 2.5 % of the cohorts for
        # each variable, whatever their dependence. 5 variables: 12.5 %, P(Bin(40, 0.125) > 12) =
        # 0.0008. 7 variables: 17.5 %, P(Bin(40, 0.175) > 15) = 0.0007.
        # Intervals that miss 0: nominally 5 %; those of a cohort nearly are independent.
        # P(Bin(200, 0.05) > 21) = 0.0005, P(Bin(280, 0.05) > 26) = 0.0010.
        ([name for name in NAMES if name not in EFFECTS], 12, 21),
        (NAMES, 15, 26),
    ],
    ids=["beside effects", "no effect at all"],
)
def test_the_default_interval_covers_no_effect_at_its_rate(
    without, most_cohorts, most_intervals
) -> None:
    noise = [NAMES.index(name) for name in without]
    above, misses = 0, 0
    for seed in range(33_000, 33_040):
        X, y = simulate(300, seed)
        if len(noise) == len(NAMES):
            y = y[np.random.default_rng(seed).permutation(len(y))]
        forest = SurvivalForest(150, n_times=50, random_state=seed).fit(X, y)
        lower, upper = permutation_vimp_with_error(forest, X, y, random_state=seed).interval()
        above += bool(np.any(lower[noise] > 0.0))
        misses += int(np.sum((lower[noise] > 0.0) | (upper[noise] < 0.0)))
        assert len(noise) == len(NAMES) or lower[NAMES.index("strong")] > 0.0
    assert above <= most_cohorts
    assert misses <= most_intervals
