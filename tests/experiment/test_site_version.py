"""A site's version: calibrated there, points as they were, and every step reversible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.errors import ModelError
from scorebuilder.experiment.site_version import site_terms, undo_update, update_for_site
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact, fingerprint
from scorebuilder.survival.outcome import make_outcome


def site(small_score: Any, *, level: float, slope: float = 1.0) -> Cohort:
    """The development patients, with made-up times from the score's own predictor."""
    cohort = small_score.cohort
    predictor = small_score.builder.predict(cohort.X)
    random = np.random.default_rng(11)
    hazard = 0.0004 * level * np.exp(slope * predictor)
    time = np.maximum(np.ceil(random.exponential(1.0 / hazard)), 1.0)
    censoring = random.uniform(1100.0, 2500.0, len(time))
    return replace(cohort, y=make_outcome(time <= censoring, np.minimum(time, censoring)))


@pytest.fixture(scope="module")
def updated(small_score: Any) -> Any:
    return update_for_site(small_score.artifact, site(small_score, level=2.5), site="far-away")


def test_a_new_version_with_its_line(small_score: Any, updated: Any) -> None:
    new, parent = updated.artifact, small_score.artifact
    assert updated.rung in ("baseline", "slope_and_baseline", "refit")
    assert new.content["name"] == "whas-death/site-far-away"
    assert new.content["derived_from"] == parent.fingerprint
    assert new.content["lineage"]["core_id"] == parent.content["core_id"]
    assert fingerprint(undo_update(new)) == parent.content["core_id"]
    assert ScoreArtifact.from_json(new.to_json()).content == new.content
    assert len(new.content["evidence"]["test_vectors"]) >= 50
    with pytest.raises(ModelError, match="no update to undo"):
        undo_update(parent)


def test_terms_are_those_of_the_score(small_score: Any) -> None:
    X = small_score.cohort.X
    terms, coefficients = site_terms(small_score.artifact, X)
    np.testing.assert_allclose(terms @ coefficients, small_score.builder.predict(X), atol=1e-12)


def test_calibration_is_better_and_points_stay(small_score: Any) -> None:
    cohort = site(small_score, level=2.5)
    # With 60 patients there are fewer than 100 events: the baseline alone is updated.
    few = replace(cohort, X=cohort.X.head(60), y=cohort.y[:60])
    found = update_for_site(small_score.artifact, few, site="small")
    assert "fewer than 100 events" in found.reason
    if found.rung == "none":
        pytest.fail("a hazard two and a half times as high must be found")
    old, new = (score_table(a, cohort.X) for a in (small_score.artifact, found.artifact))
    np.testing.assert_array_equal(old["points"], new["points"])
    np.testing.assert_array_equal(old["linear_predictor"], new["linear_predictor"])
    assert found.artifact.content["version"] == "1.1.0"
    last = {
        row["measure"]: row
        for row in found.before_after
        if row["horizon"] == pytest.approx(1095.75)
    }
    ratio = last["observed_expected"]
    assert abs(np.log(ratio["after"]["value"])) < abs(np.log(ratio["before"]["value"]))


def test_slope_keeps_the_points(small_score: Any) -> None:
    cohort = site(small_score, level=1.0, slope=0.4)
    found = update_for_site(small_score.artifact, cohort, site="flat")
    assert found.rung == "slope_and_baseline"
    old, new = (score_table(a, cohort.X) for a in (small_score.artifact, found.artifact))
    # Thresholds are multiplied like the predictor; only a tie at a threshold could move.
    assert np.mean(old["points"].to_numpy(int) == new["points"].to_numpy(int)) > 0.995
    assert found.artifact.content["version"] == "1.1.0"


def test_a_score_that_fits_stays(small_score: Any) -> None:
    found = update_for_site(small_score.artifact, small_score.cohort, site="home")
    assert found.rung == "none"
    assert found.artifact is None
    for row in found.before_after:
        assert row["before"] == row["after"]


def test_a_site_without_follow_up_is_refused(small_score: Any) -> None:
    cohort = site(small_score, level=2.5)
    short = make_outcome(
        cohort.y["event"] & (cohort.y["time"] <= 400), np.minimum(cohort.y["time"], 400.0)
    )
    with pytest.raises(ModelError, match="must be followed to the last horizon"):
        update_for_site(small_score.artifact, replace(cohort, y=short), site="short")
