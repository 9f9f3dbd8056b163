"""Importance of the score: exact by hand, equal to the shap library, and only in aggregates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.explanation.contributions import effect_at, term_contributions
from scorebuilder.explanation.importance import contribution_curve, global_importance
from scorebuilder.explanation.points_scale import PointsRuler, points_ruler
from scorebuilder.score.apply import contributions, fill_missing, score_table


@pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")
def test_importance_equals_shap_with_the_whole_cohort_as_background(small_score: Any) -> None:
    import shap  # its own use of matplotlib warns at import

    artifact = small_score.artifact
    filled, _, _ = fill_missing(artifact, small_score.cohort.X)
    columns = contributions(artifact, filled).to_numpy()
    background = shap.maskers.Independent(columns, max_samples=len(columns))
    values = shap.LinearExplainer((np.ones(columns.shape[1]), 0.0), background).shap_values(columns)
    expected = dict(zip(artifact.predictors, np.abs(values).mean(axis=0), strict=True))
    found = {
        item.predictor: item.size for item in global_importance(artifact, small_score.cohort.X)
    }
    assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")
def test_contributions_equal_the_exact_explainer_on_raw_values(small_score: Any) -> None:
    import shap

    # Oracle that knows nothing of terms: the linear predictor as a black box of raw values, all
    # 2^6 coalitions, the whole cohort as background.
    artifact = small_score.artifact
    filled, _, _ = fill_missing(artifact, small_score.cohort.X)
    names = list(filled.columns)
    kinds = {item["id"]: item["type"] for item in artifact.scoring["predictors"]}
    raw = filled.astype(float).to_numpy()

    def predict(rows: Any) -> Any:
        frame = pd.DataFrame(rows, columns=names)
        for name in names:
            if kinds[name] != "numeric":
                frame[name] = np.where(frame[name] == 1.0, "1", "0")
        return contributions(artifact, frame).sum(axis=1).to_numpy()

    explainer = shap.ExactExplainer(predict, shap.maskers.Independent(raw, max_samples=len(raw)))
    explained = explainer(raw[:1]).values  # noqa: PD011 - no data frame
    ours = term_contributions(artifact, small_score.cohort.X)[names].to_numpy()[:1]
    np.testing.assert_allclose(ours, explained, atol=1e-8)


def test_shares_add_up_and_the_largest_comes_first(small_score: Any) -> None:
    found = global_importance(small_score.artifact, small_score.cohort.X)
    assert sum(item.share for item in found) == pytest.approx(1.0, abs=1e-12)
    assert [item.size for item in found] == sorted((i.size for i in found), reverse=True)


def test_a_factor_by_hand(small_score: Any) -> None:
    # A binary predictor with effect b in a share p of the patients contributes b(1 - p) to them and
    # -bp to the others; the mean absolute contribution is 2p(1 - p)|b|.
    artifact, X = small_score.artifact, small_score.cohort.X
    (term,) = (t for t in artifact.scoring["terms"] if t["predictor"] == "chf")
    p = float(X["chf"].isin(term["levels"]).mean())
    (found,) = (i for i in global_importance(artifact, X) if i.predictor == "chf")
    assert found.size == pytest.approx(2 * p * (1 - p) * abs(term["coefficient"]), abs=1e-12)
    assert [item.contribution for item in found.bins] == pytest.approx(
        sorted((-p * term["coefficient"], (1 - p) * term["coefficient"])), abs=1e-12
    )


def test_bins_hold_five_patients_at_least_and_their_mean(small_score: Any) -> None:
    artifact, X = small_score.artifact, small_score.cohort.X
    for item in global_importance(artifact, X):
        assert len(item.bins) <= max(30, 2)
        if X[item.predictor].dtype != "float64":
            continue
        values = np.sort(X[item.predictor].to_numpy())
        for found in item.bins:
            # 500 patients in 30 bins: none can be narrower than five patients
            assert found.share is not None
            assert found.share >= 0.01
            assert values[0] <= float(found.value) <= values[-1]
        # shares are rounded to whole per cent, so 30 of them add up to 1 within 30 half per cents
        assert sum(b.share or 0.0 for b in item.bins) == pytest.approx(1.0, abs=0.15)


def test_a_patient_alone_does_not_show(small_score: Any) -> None:
    X = small_score.cohort.X.copy()
    X.iloc[0, X.columns.get_loc("bmi")] = 79.0
    (found,) = (i for i in global_importance(small_score.artifact, X) if i.predictor == "bmi")
    assert max(float(item.value) for item in found.bins) < 60.0


def test_the_curve_is_the_score_itself(small_score: Any) -> None:
    artifact = small_score.artifact
    x, effect = contribution_curve(artifact, "age")
    row = small_score.cohort.X.iloc[[0] * len(x)].reset_index(drop=True)
    row["age"] = x
    lp = score_table(artifact, row)["linear_predictor"].to_numpy()
    np.testing.assert_allclose(np.diff(np.array(effect, dtype=float)), np.diff(lp), atol=1e-10)
    np.testing.assert_allclose(effect_at(artifact, "age", pd.Series(x)), effect, atol=0)


def test_a_cohort_of_equal_patients_has_no_importance(small_score: Any) -> None:
    content = small_score.artifact.content
    flat = {**content["scoring"], "terms": [
        {**term, "coefficient": 0.0} for term in content["scoring"]["terms"]
    ], "reference": [
        {"predictor": name, "contribution": 0.0} for name in small_score.artifact.predictors
    ]}  # fmt: skip
    from scorebuilder.score.artifact import seal

    artifact = seal({**content, "scoring": flat})
    with pytest.raises(UndefinedMetricError, match="the same for all patients"):
        global_importance(artifact, small_score.cohort.X)


def test_the_ruler_reads_points(small_score: Any) -> None:
    ruler = points_ruler(small_score.artifact)
    scored = score_table(small_score.artifact, small_score.cohort.X)
    position = [ruler.position(lp) for lp in scored["linear_predictor"]]
    points = np.clip(np.floor(np.array(position) + 0.5), 0, ruler.maximum)
    np.testing.assert_array_equal(points, scored["points"])
    assert PointsRuler(0.0, 2.0, 3).position(3.0) == 2.0


def test_points_of_uneven_width_have_no_ruler(small_score: Any) -> None:
    from scorebuilder.score.artifact import seal

    content = small_score.artifact.content
    points = {**content["scoring"]["points"], "thresholds": [0.0, 1.0, 3.0]}
    artifact = seal({**content, "scoring": {**content["scoring"], "points": points}})
    with pytest.raises(UndefinedMetricError, match="no common width"):
        points_ruler(artifact)
