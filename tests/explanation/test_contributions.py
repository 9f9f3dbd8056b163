import numpy as np
import pandas as pd
import pytest

from scorebuilder.explanation.contributions import term_contributions
from scorebuilder.explanation.patient import explain_patient
from scorebuilder.score.apply import contributions, fill_missing, score_table


def test_contributions_are_centred_and_add_up(small_score):
    X, artifact = small_score.cohort.X, small_score.artifact
    parts = term_contributions(artifact, X)
    np.testing.assert_allclose(parts.mean(), 0.0, atol=1e-12)
    lp = score_table(artifact, X)["linear_predictor"]
    np.testing.assert_allclose(parts.sum(axis=1), lp - lp.mean(), atol=1e-12)


@pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function:PendingDeprecationWarning")
def test_contributions_equal_shap_with_the_whole_cohort_as_background(small_score):
    import shap  # its own use of matplotlib warns at import

    # Oracle: SHAP of an additive model. One column per predictor (its summed terms), coefficient 1.
    artifact = small_score.artifact
    filled, _, _ = fill_missing(artifact, small_score.cohort.X)
    columns = contributions(artifact, filled).to_numpy()
    background = shap.maskers.Independent(columns, max_samples=len(columns))
    explainer = shap.LinearExplainer((np.ones(columns.shape[1]), 0.0), background)
    np.testing.assert_allclose(
        term_contributions(artifact, small_score.cohort.X),
        explainer.shap_values(columns),
        atol=1e-10,
    )


def test_a_patient_is_explained_by_items_that_add_up(small_score):
    row = small_score.cohort.X.iloc[0]
    values = {name: row[name] for name in small_score.artifact.predictors}
    explained = explain_patient(small_score.artifact, values)
    total = sum(item.contribution for item in explained.items)
    assert total == pytest.approx(explained.linear_predictor - explained.reference, abs=1e-12)
    scored = score_table(small_score.artifact, small_score.cohort.X.head(1)).iloc[0]
    assert explained.points == scored["points"]
    assert explained.risk["3y"] == scored["risk_3y"]
    sizes = [abs(item.contribution) for item in explained.items]
    assert sizes == sorted(sizes, reverse=True)


def test_a_missing_input_is_marked(small_score):
    row = small_score.cohort.X.iloc[0]
    values = {name: row[name] for name in small_score.artifact.predictors if name != "age"}
    age = next(
        item
        for item in explain_patient(small_score.artifact, values).items
        if item.predictor == "age"
    )
    assert age.imputed
    assert age.value.endswith("(filled in)")


def test_an_unscorable_patient_is_refused_with_the_reason(small_score):
    content = {**small_score.artifact.content}
    content.pop("artifact_sha256")
    content.pop("core_id")
    content["scoring"] = {
        **content["scoring"],
        "predictors": [
            {**predictor, "missing": {"policy": "refuse"}}
            for predictor in content["scoring"]["predictors"]
        ],
    }
    from scorebuilder.score.artifact import seal

    artifact = seal(content)
    with pytest.raises(ValueError, match="age missing"):
        explain_patient(artifact, {})
    with pytest.raises(ValueError, match=r"must be known are missing: .*`age` \(1\)"):
        term_contributions(artifact, pd.DataFrame({name: [np.nan] for name in artifact.predictors}))
