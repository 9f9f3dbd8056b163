"""How often rules that refit keep noise, and how often the interval of VIMP covers 0."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from scorebuilder.selection import RSFSelector, SurvivalForest
from scorebuilder.selection.vimp import permutation_vimp_with_error

from .conftest import NAMES, simulate  # isort: skip

EFFECTS = {"strong", "middling"}
SETTINGS = {
    "engine": "native",
    "n_estimators": 60,
    "min_samples_leaf": 10,
    "n_times": 50,
    "rule_n_estimators": 20,
    "inner_folds": 3,
    "horizon": 4.0,
}

pytestmark = pytest.mark.slow


def chosen(rule: str, n_cohorts: int, **settings):
    """Fit one selector in each of fresh cohorts."""
    for seed in range(n_cohorts):
        X, y = simulate(300, seed)
        yield RSFSelector(rule=rule, random_state=seed, **(SETTINGS | settings)).fit(X, y)


def test_boruta_confirms_effects_and_seldom_keeps_noise() -> None:
    noise = []
    for fitted in chosen("boruta", 15, boruta_rounds=40):
        decision = fitted.evidence_.set_index("variable")["decision"]
        assert list(decision[list(EFFECTS)]) == ["confirmed"] * 2
        noise.append(len(set(fitted.get_feature_names_out()) - EFFECTS) > 0)
    # 3 of 40 cohorts kept any; were it 1 in 5, more than this would come in 1 run of 1,000
    assert sum(noise) <= binom.ppf(0.999, 15, 0.2)


def test_parsimony_keeps_noise_less_often_than_the_top_of_its_curve() -> None:
    kept, at_best = [], []
    for fitted in chosen("parsimony", 20):
        names = set(fitted.get_feature_names_out())
        assert "strong" in names
        curve = fitted.evidence_
        best = int(curve["mean"].argmax())
        kept.append(len(names - EFFECTS))
        at_best.append(len(set(curve["variable"].iloc[1 : best + 1]) - EFFECTS))
    kept, at_best = np.array(kept), np.array(at_best)
    assert np.all(kept <= at_best)
    # In 150 cohorts 23 % kept noise, and 70 % of 60 at the top of the curve: three folds of a
    # hundred patients know the curve roughly. Were it 1 in 3, more than this would come in 1 run
    # of 1,000.
    assert np.sum(kept > 0) <= binom.ppf(0.999, 20, 1 / 3)
    # a sign test at 0.1 %, of the cohorts in which the two differ
    differ = int(np.sum(kept < at_best))
    assert differ >= 10  # ten of ten on one side by chance: 0.5^10 < 0.001


def test_the_default_interval_covers_no_effect_at_its_rate() -> None:
    noise = [NAMES.index(name) for name in NAMES if name not in EFFECTS]
    covers, above = [], []
    for seed in range(100, 140):
        X, y = simulate(300, seed)
        forest = SurvivalForest(150, n_times=50, random_state=seed).fit(X, y)
        found = permutation_vimp_with_error(forest, X, y, random_state=seed)
        lower, upper = found.interval(confidence=0.95)
        covers.append((lower[noise] <= 0.0) & (upper[noise] >= 0.0))
        above.append(lower[noise] > 0.0)
        assert lower[NAMES.index("strong")] > 0.0
    n = np.size(covers)
    # Of 200 intervals at 95 %, fewer than this in 1 run of 1,000 if they were independent, which
    # those of one cohort nearly are. Small forests cover more: permuting noise improves them.
    assert np.sum(covers) >= binom.ppf(0.001, n, 0.95)
    assert np.sum(above) <= binom.ppf(0.999, n, 0.025)
