"""A site's new predictors: taken when they add to the score, stored, applied and undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.errors import CohortError, SpecError
from scorebuilder.experiment.site_extension import offered_terms, term_columns, with_offered
from scorebuilder.experiment.site_version import site_terms, undo_update, update_for_site
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact, fingerprint
from scorebuilder.score.version_rule import find_changes, required_level
from scorebuilder.survival.outcome import make_outcome

NEW = ("sysbp", "gender")


def site(small_score: Any, *, effect: float) -> Cohort:
    """The development patients, with made-up times to which two unused columns add."""
    cohort = small_score.cohort
    female = (cohort.X["gender"].astype(str) == "1").to_numpy(dtype=float)
    added = effect * ((cohort.X["sysbp"].to_numpy() - 145.0) / 30.0 + female)
    random = np.random.default_rng(12)
    hazard = 0.0004 * np.exp(small_score.builder.predict(cohort.X) + added)
    time = np.maximum(np.ceil(random.exponential(1.0 / hazard)), 1.0)
    censoring = random.uniform(1100.0, 2500.0, len(time))
    return replace(cohort, y=make_outcome(time <= censoring, np.minimum(time, censoring)))


def with_unknown(cohort: Cohort, rows: int) -> Cohort:
    X = cohort.X.copy()
    X.loc[X.index[:rows], "sysbp"] = np.nan
    return replace(cohort, X=X)


@pytest.fixture(scope="module")
def extended(small_score: Any) -> Any:
    cohort = with_unknown(site(small_score, effect=0.7), 7)
    return cohort, update_for_site(small_score.artifact, cohort, site="far", extend=NEW)


def test_columns_by_hand() -> None:
    # The mean of 100, 120, 143 is 121; the middle stage is nobody's, so b is left out.
    X = pd.DataFrame(
        {
            "pressure": [100.0, 120.0, 143.0],
            "stage": pd.Categorical(["a", "c", "d"], categories=["a", "b", "c", "d"], ordered=True),
            "centre": pd.Categorical(["x", "y", "z"], categories=["x", "y", "z"]),
        }
    )
    terms = offered_terms(X, list(X))
    assert [term.get("levels") for term in terms] == [None, ["c", "d"], ["d"], ["y"], ["z"]]
    np.testing.assert_array_equal(
        term_columns(terms, X),
        [[-21.0, 0, 0, 0, 0], [-1.0, 1, 0, 1, 0], [22.0, 1, 1, 0, 1]],
    )


def test_the_new_version_holds_the_new_predictors(small_score: Any, extended: Any) -> None:
    cohort, found = extended
    new, parent = found.artifact, small_score.artifact
    assert found.rung == "extend"
    assert [(test.rung, test.against) for test in found.tests][-1] == ("refit", "extend")
    assert found.tests[-1].df == 2
    assert (found.n, found.refused) == (len(cohort.y) - 7, 7)
    assert new.content["version"] == "2.0.0"
    assert new.predictors == [*parent.predictors, *NEW]
    pressure, sex = new.scoring["predictors"][-2:]
    known = cohort.X["sysbp"].dropna()
    assert (pressure["unit"], pressure["hard_range"]) == ("mm[Hg]", [30, 320])
    # Written with six significant digits.
    assert pressure["soft_range"] == pytest.approx(list(known.quantile([0.01, 0.99])), rel=1e-5)
    assert pressure["missing"] == sex["missing"] == {"policy": "refuse"}
    assert [level["label"] for level in sex["levels"]] == ["male", "female"]
    assert {entry["predictor"] for entry in new.content["monitoring"]["predictors"]} > set(NEW)
    changes = find_changes(parent, new)
    assert {"scoring/predictors/sysbp", "scoring/predictors/gender"} <= {c.place for c in changes}
    assert required_level(changes) == "major"
    assert ScoreArtifact.from_json(new.to_json()).content == new.content


def test_coefficients_and_risk_are_those_of_one_cox_model(small_score: Any, extended: Any) -> None:
    cohort, found = extended
    X, y = cohort.X.iloc[7:], cohort.y[7:]
    own, _ = site_terms(small_score.artifact, X)
    female = (X["gender"].astype(str) == "1").to_numpy(dtype=float)
    design = np.column_stack([own, X["sysbp"] - X["sysbp"].mean(), female])
    reference = PHReg(y["time"], design, status=y["event"].astype(float), ties="efron").fit()
    stored = [term["coefficient"] for term in found.artifact.scoring["terms"]]
    # statsmodels stops within about 1e-8 of the maximum.
    np.testing.assert_allclose(stored, reference.params, atol=1e-6)
    scored = score_table(found.artifact, X)
    predictor = scored["linear_predictor"].to_numpy()
    np.testing.assert_allclose(np.ptp(predictor - design @ reference.params), 0.0, atol=1e-5)
    survival = found.artifact.scoring["baseline"][0]["survival"]
    np.testing.assert_allclose(scored["risk_1y"], 1.0 - survival ** np.exp(predictor), rtol=1e-10)
    assert list(score_table(found.artifact, cohort.X)["reason"][:7]) == ["sysbp missing"] * 7


def test_vectors_are_of_the_new_version_and_it_can_be_undone(
    small_score: Any, extended: Any
) -> None:
    new = extended[1].artifact
    vectors = new.content["evidence"]["test_vectors"]
    assert all(set(vector["inputs"]) == set(new.predictors) for vector in vectors)
    refused = {"predictor": "gender", "flag": "missing"}
    assert any(refused in vector.get("refusals", []) for vector in vectors)
    assert new.content["lineage"]["change"] == "extend"
    assert new.content["derived_from"] == small_score.artifact.fingerprint
    assert fingerprint(undo_update(new)) == small_score.artifact.content["core_id"]


def test_it_discriminates_better_in_patients_that_were_not_fitted(extended: Any) -> None:
    auc = {r["horizon"]: r for r in extended[1].before_after if r["measure"] == "auc"}
    for row in auc.values():
        assert row["after"]["value"] > row["before"]["value"] + 0.02


def test_what_adds_nothing_is_not_taken(small_score: Any) -> None:
    found = update_for_site(
        small_score.artifact, site(small_score, effect=0.0), site="same", extend=NEW
    )
    assert found.rung == "none"
    assert found.tests[0].against == "extend"
    assert found.artifact is None


def test_what_cannot_be_offered_is_refused(small_score: Any) -> None:
    cohort, artifact = small_score.cohort, small_score.artifact
    for offered, message in (
        (["sysbp", "genders"], "no predictor `genders`; did you mean `gender`"),
        (["age"], "an input of the score already"),
        (["gender", "gender"], "offered twice"),
        (["los"], "no predictor `los`"),
    ):
        with pytest.raises(SpecError, match=message):
            update_for_site(artifact, cohort, site="far", extend=offered)
    same = replace(cohort, X=cohort.X.assign(sysbp=120.0))
    with pytest.raises(CohortError, match="two values or more"):
        with_offered(same, ["sysbp"])
