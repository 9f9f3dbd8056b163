"""A shuffled outcome: the whole pipeline finds nothing in patients it was not fitted to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import check_fit, read_cohort
from scorebuilder.validation.bootstrap_optimism import bootstrap_optimism
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.contrast_over_repeats import contrast_over_repeats
from scorebuilder.validation.performance import evaluate
from scorebuilder.validation.resampling import cross_validate_all

SPEC = """
name: shuffled
title: Nothing to find
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y]}
missing: {policy: impute}
selection: {n_estimators: 20, rule: top_k, top_k: 5, p_values: none}
model: {select_alpha: 0.5, fp_alpha: 0.5}
seed: 3
"""
HORIZON = 365.25
CLINICAL = ("age", "hr", "bmi", "sysbp", "chf")
SHUFFLES = (11, 12, 13)


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """For each shuffle: score and baseline (five variables) out of fold, bootstrap of the score."""
    path: Path = tmp_path_factory.mktemp("spec") / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    spec = load_spec(path)
    cohort = read_cohort(spec)
    candidates = check_fit(spec, cohort)
    X = cohort.X[list(candidates)]
    score = make_builder(spec, candidates, for_folds=True)
    found = []
    for seed in SHUFFLES:
        y = cohort.y[np.random.default_rng(seed).permutation(len(cohort.y))]
        results = cross_validate_all(
            {"score": score, "clinical": make_builder(spec, CLINICAL, for_folds=True)}, X, y,
            folds=5, repeats=1, horizons=(HORIZON,), random_state=seed,
            columns={"clinical": CLINICAL},
        )  # fmt: skip
        optimism = bootstrap_optimism(
            score, X, y, n_replicates=10, horizons=(HORIZON,), random_state=seed
        )
        found.append({"y": y, "results": results, "optimism": optimism})
    return found


def contrasts(case: dict[str, Any], name: str) -> tuple[float, float]:
    new, old = (case["results"][model].risk_at(HORIZON) for model in ("score", "clinical"))
    estimate = contrast_over_repeats(CONTRASTS[name], case["y"], new, old, horizon=HORIZON)[""]
    assert estimate.value is not None
    assert estimate.lower is not None
    assert estimate.upper is not None
    return estimate.value, (estimate.upper - estimate.lower) / (2 * 1.96)


@pytest.mark.slow
def test_out_of_fold_auc_is_one_half(shuffled: list[dict[str, Any]]) -> None:
    judged = [
        evaluate(case["results"]["score"], case["y"], horizon=HORIZON, metric="auc")
        for case in shuffled
    ]
    errors = [(row.upper - row.lower) / (2 * 1.96) for row in judged]
    # Three standard errors of the mean of three shuffles.
    assert abs(np.mean([row.value for row in judged]) - 0.5) < 3 * np.mean(errors) / np.sqrt(3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nri_continuous", "idi"])
def test_nothing_is_gained_over_a_baseline(shuffled: list[dict[str, Any]], name: str) -> None:
    values, errors = zip(*(contrasts(case, name) for case in shuffled), strict=True)
    assert abs(np.mean(values)) < 3 * np.mean(errors) / np.sqrt(3)


@pytest.mark.slow
def test_the_bootstrap_sees_through_it(shuffled: list[dict[str, Any]]) -> None:
    """
    Patients a replicate has not seen are ranked at random; its own are not.

    The error of an AUC with 138 events among 500 patients is 0.03, that of the mean of three
    shuffles 0.017; the mean over replicates is no less certain. Three errors: 0.05.
    """
    rows = [
        next(
            row
            for row in case["optimism"].estimates
            if (row.metric, row.prediction) == ("auc", "risk")
        )
        for case in shuffled
    ]
    own = [row.apparent for row in rows]
    unseen = [row.out_of_bag for row in rows]
    assert abs(np.mean(unseen) - 0.5) < 0.05
    assert np.mean(own) > np.mean(unseen)
    assert abs(np.mean([row.plus632 for row in rows]) - 0.5) < 0.05
