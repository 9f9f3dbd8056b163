"""Drift: the index by hand, no alarm without change, an alarm for every kind of change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import ArtifactError
from scorebuilder.experiment.monitor import monitor_cohort, monitor_inputs, typed_inputs
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.drift import chance_index, input_drift, stability_index
from scorebuilder.survival.outcome import make_outcome


def breaches(artifact: ScoreArtifact, X: pd.DataFrame) -> set[tuple[str, str]]:
    return {(f.what, f.predictor) for f in input_drift(artifact, X) if f.breached}


def test_index_by_hand() -> None:
    # (0.75 - 0.5) log(1.5) + (0.25 - 0.5) log(0.5) = 0.25 (log 1.5 + log 2) = 0.25 log 3.
    assert stability_index([0.5, 0.5], np.array([75.0, 25.0])) == pytest.approx(
        0.25 * np.log(3.0), abs=1e-15
    )
    assert stability_index([0.2, 0.8], np.array([20.0, 80.0])) == 0.0
    assert np.isfinite(stability_index([0.5, 0.5], np.array([10.0, 0.0])))


def test_chance_exceeds_its_index_once_in_twenty_times() -> None:
    random = np.random.default_rng(5)
    shares = np.full(10, 0.1)
    limit = chance_index(10, 400, 300)
    above = [
        stability_index(
            random.multinomial(400, shares) / 400, random.multinomial(300, shares).astype(float)
        )
        > limit
        for _ in range(2000)
    ]
    # Standard error 0.005; the chi-squared limit is approximate.
    assert np.mean(above) == pytest.approx(0.05, abs=0.02)


def test_the_development_patients_have_not_drifted(small_score: Any) -> None:
    assert breaches(small_score.artifact, small_score.cohort.X) == set()
    found = monitor_cohort(small_score.artifact, small_score.cohort)
    assert not found["breached"]
    assert len(found["calibration"]) == 6


def test_every_kind_of_change_is_found(small_score: Any) -> None:
    X = small_score.cohort.X
    artifact = small_score.artifact
    older = breaches(artifact, X.assign(age=X["age"] + 25.0))
    assert ("psi", "age") in older
    assert ("psi", "linear_predictor") in older
    assert ("outside", "age") in older
    assert ("missing", "hr") in breaches(artifact, X.assign(hr=X["hr"].where(X.index % 5 > 0)))
    assert ("impossible", "any input") in breaches(artifact, X.assign(age=-1.0))
    all_failing = X.assign(chf=pd.Categorical(["1"] * len(X), categories=["0", "1"]))
    assert ("psi", "chf") in breaches(artifact, all_failing)


def test_a_column_without_values_is_a_breach_with_a_reason(small_score: Any) -> None:
    X = small_score.cohort.X.assign(age=np.nan)
    found = [f for f in input_drift(small_score.artifact, X) if f.predictor == "age"]
    psi = next(f for f in found if f.what == "psi")
    assert psi.found is None
    assert psi.breached
    assert psi.reason == "no patient has a known value"


def test_more_events_are_found_as_calibration_drift(small_score: Any) -> None:
    from dataclasses import replace

    cohort = small_score.cohort
    sooner = make_outcome(cohort.y["event"], np.maximum(cohort.y["time"] / 6.0, 1.0))
    found = monitor_cohort(small_score.artifact, replace(cohort, y=sooner))
    ratio = found["calibration"][0]
    assert ratio["measure"] == "observed_expected"
    assert ratio["breached"]
    assert found["breached"]
    # The later horizon lies past the follow-up: undefined with a reason, and no breach.
    late = [row for row in found["calibration"] if row["horizon"] > 1000]
    assert all(row["value"] is None or not row["breached"] for row in late)


def test_raw_tables_need_no_outcome_and_count_the_impossible(small_score: Any) -> None:
    X = small_score.cohort.X[small_score.artifact.predictors].astype(object)
    X.loc[X.index[0], "age"] = -3.0
    found = monitor_inputs(small_score.artifact, typed_inputs(small_score.artifact, X))
    impossible = next(row for row in found["inputs"] if row["what"] == "impossible")
    assert impossible["found"] == pytest.approx(1 / 500)


def test_an_artifact_without_aggregates_says_so(small_score: Any) -> None:
    bare = ScoreArtifact(
        {k: v for k, v in small_score.artifact.content.items() if k != "monitoring"}
    )
    with pytest.raises(ArtifactError, match="no monitoring aggregates"):
        input_drift(bare, small_score.cohort.X)
