import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.errors import BelowRangeError, CohortError, ModelError
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.score.apply import score_table
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import compose_artifact
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.survival.kaplan_meier import kaplan_meier
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.performance import evaluate
from scorebuilder.validation.resampling import cross_validate


def build(**options):
    selector = RSFSelector(n_estimators=10, rule="top_k", top_k=3, random_state=1)
    return ScoreBuilder(CohortImputer(), selector, MFPCox(), horizons=(365.25,), **options)


def test_predictions_agree_with_one_another(small_score):
    builder, X = small_score.builder, small_score.cohort.X
    linear_predictor = builder.predict(X)
    risk = builder.predict_risk(X, horizon=1095.75)
    survival = builder.predict_survival_function(X, [0.0, 365.25, 1095.75])
    assert np.all((risk >= 0) & (risk <= 1))
    np.testing.assert_allclose(1 - survival[:, 2], risk, atol=1e-12)
    np.testing.assert_array_equal(survival[:, 0], 1.0)
    assert np.all(np.diff(survival, axis=1) <= 0)
    order = np.argsort(linear_predictor, kind="stable")
    assert np.all(np.diff(risk[order]) >= 0)
    assert np.all(np.diff(builder.predict_points(X)[order]) >= 0)
    assert np.all(np.diff(builder.predict_group(X)[order]) >= 0)


def test_clone_refits_to_the_same_score(small_score):
    builder, cohort = small_score.builder, small_score.cohort
    again = clone(builder).fit(cohort.X, cohort.y)
    np.testing.assert_array_equal(again.predict(cohort.X), builder.predict(cohort.X))
    assert again.scale_ == builder.scale_
    assert again.fold_record() == builder.fold_record()


def test_keep_stays_in_both_stages(small_score):
    cohort = small_score.cohort
    builder = build(keep=("gender",)).fit(cohort.X, cohort.y)
    assert "gender" in builder.selected_
    assert "gender" in builder.kept_


def test_a_null_model_has_risk_but_no_points(small_score):
    cohort = small_score.cohort
    random = np.random.default_rng(3)
    y = cohort.y[random.permutation(len(cohort.y))]
    selector = RSFSelector(n_estimators=10, rule="top_k", top_k=1, random_state=1)
    model = MFPCox(select_alpha=1e-12)
    builder = ScoreBuilder(CohortImputer(), selector, model, horizons=(365.25,))
    builder.fit(cohort.X, y)
    assert builder.kept_ == []
    risk = builder.predict_risk(cohort.X, horizon=365.25)
    assert np.ptp(risk) == 0.0
    assert 0 < risk[0] < 1
    with pytest.raises(ModelError, match="no variable was kept"):
        builder.predict_points(cohort.X)
    with pytest.raises(ModelError, match="no variable was kept"):
        builder.predict_group(cohort.X)


def test_wrong_input_is_refused(small_score):
    cohort = small_score.cohort
    with pytest.raises(ModelError, match="no patient has the event"):
        build().fit(cohort.X, make_outcome(np.zeros(len(cohort.y)), cohort.y["time"]))
    late = ScoreBuilder(CohortImputer(), RSFSelector(), MFPCox(), horizons=(1e6,))
    with pytest.raises(ModelError, match="must lie inside the follow-up"):
        late.fit(cohort.X, cohort.y)
    holes = cohort.X.copy()
    holes.loc[0, "bmi"] = np.nan
    refusing = ScoreBuilder(None, RSFSelector(n_estimators=5), MFPCox(), horizons=(365.25,))
    with pytest.raises(ValueError, match=r"`bmi` \(1\)"):
        refusing.fit(holes, cohort.y)


class NothingMatters(RSFSelector):
    """A forest that finds no variable important."""

    def get_support(self):
        return np.zeros(len(self.feature_names_in_), dtype=bool)


def test_a_forest_that_keeps_nothing_leaves_the_null_model(small_score):
    cohort = small_score.cohort
    selector = NothingMatters(n_estimators=5, random_state=1)
    builder = ScoreBuilder(CohortImputer(), selector, MFPCox(), horizons=(365.25,))
    builder.fit(cohort.X, cohort.y)
    assert (builder.selected_, builder.kept_) == ([], [])
    risk = builder.predict_risk(cohort.X, horizon=365.25)
    # Without predictors the risk is that of the baseline: exp(-Nelson-Aalen) is close to
    # Kaplan-Meier with 500 patients (the difference is of order 1 / n).
    assert np.ptp(risk) == 0.0
    assert risk[0] == pytest.approx(1 - kaplan_meier(cohort.y)(365.25), abs=2e-3)


def test_limits_of_variables_that_were_not_selected_are_ignored(small_score):
    cohort = small_score.cohort
    selector = RSFSelector(n_estimators=10, rule="top_k", top_k=2, random_state=1)
    limits = dict.fromkeys(("age", "bmi", "hr"), 1)
    model = MFPCox(max_df_by=limits, select_alpha=1.0)
    builder = ScoreBuilder(CohortImputer(), selector, model, horizons=(365.25,))
    builder.fit(cohort.X, cohort.y)
    assert model.max_df_by == limits
    for name in set(limits) & set(builder.kept_):
        assert builder.model_.powers_[name] == (1.0,)


def strain_cohort(n=600):
    """Global longitudinal strain is negative, and here both extremes are dangerous."""
    random = np.random.default_rng(11)
    strain = random.normal(-18, 4, n).round(1)
    age = random.normal(65, 10, n).round()
    hazard = np.exp(0.02 * (strain + 18) ** 2 + 0.03 * (age - 65)) / 2000
    event_time, censoring = random.exponential(1 / hazard), random.uniform(500, 3000, n)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    return pd.DataFrame({"strain": strain, "age": age}), y


def test_values_below_the_training_range_have_no_risk_but_stop_nothing():
    # The lowest strain of all falls into one test fold, whose curve starts above it.
    X, y = strain_cohort()
    selector = RSFSelector(n_estimators=5, rule="all", random_state=1)
    builder = ScoreBuilder(CohortImputer(), selector, MFPCox(), horizons=(1000.0,))
    result = cross_validate(builder, X, y, folds=5, repeats=1, horizons=(1000.0,), random_state=1)
    assert any(len(record["powers"].get("strain", [])) == 2 for record in result.records)
    lost = np.flatnonzero(np.isnan(result.risk[0, :, 0]))
    assert 1 <= len(lost) <= 5
    assert X["strain"].idxmin() in lost
    np.testing.assert_array_equal(np.isnan(result.points[0]), np.isnan(result.risk[0, :, 0]))
    found = evaluate(result, y, horizon=1000.0, metric="auc")
    assert found.value > 0.6
    assert found.n == len(y) - len(lost)
    assert found.reason == f"left out {len(lost)} patients without a prediction"


def test_a_patient_below_the_range_has_no_points():
    X, y = strain_cohort()
    selector = RSFSelector(n_estimators=5, rule="all", random_state=1)
    builder = ScoreBuilder(CohortImputer(), selector, MFPCox(), horizons=(1000.0,)).fit(X, y)
    beyond = X.head(2).assign(strain=[X["strain"].min() - 30, -18.0])
    risk = builder.predict_risk(beyond, horizon=1000.0)
    assert np.isnan(risk).tolist() == [True, False]
    with pytest.raises(BelowRangeError, match="1 of 2 patients have inputs below"):
        builder.predict_points(beyond)


def test_equal_anchors_leave_risk_but_no_points(small_score):
    # Only a rare factor is kept: 2 % have it, so the 10 % and 90 % quantiles are equal.
    cohort = small_score.cohort
    selector = RSFSelector(n_estimators=5, rule="all", random_state=1)
    builder = ScoreBuilder(
        CohortImputer(),
        selector,
        MFPCox(select_alpha=1e-12),
        horizons=(365.25,),
        keep=("av3",),
        anchors=(0.1, 0.9),
    ).fit(cohort.X[["av3", "miord"]], cohort.y)
    assert builder.kept_ == ["av3"]
    assert builder.scale_ is None
    assert np.ptp(builder.predict_risk(cohort.X, horizon=365.25)) > 0
    with pytest.raises(ModelError, match="quantiles of the linear predictor are equal"):
        builder.predict_points(cohort.X)


def test_a_level_without_patients_stops_nothing_and_is_no_level_of_the_score(small_score):
    cohort, schema = small_score.cohort, small_score.schema
    X = cohort.X[["age", "chf"]].copy()
    codes = list(X["chf"].cat.categories)
    X["chf"] = X["chf"].cat.add_categories(["9"])
    builder = build(keep=("chf",)).fit(X, cohort.y)
    assert "chf" in builder.kept_
    identity = {key: small_score.artifact.content[key] for key in
                ("name", "version", "status", "title", "derived_from", "changelog")}  # fmt: skip
    artifact = compose_artifact(
        builder, X, schema, identity=identity, meaning=small_score.artifact.content["meaning"]
    )
    levels = next(p for p in artifact.scoring["predictors"] if p["id"] == "chf")["levels"]
    assert [level["code"] for level in levels] == codes
    patient = X.head(1).assign(chf=pd.Categorical(["9"], categories=[*codes, "9"]))
    with pytest.raises(CohortError, match="levels must be those of the score"):
        score_table(artifact, patient)
