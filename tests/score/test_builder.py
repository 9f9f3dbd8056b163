import numpy as np
import pytest
from sklearn.base import clone

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.survival.kaplan_meier import kaplan_meier
from scorebuilder.survival.outcome import make_outcome


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
    with pytest.raises(ValueError, match="must lie inside the follow-up"):
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
