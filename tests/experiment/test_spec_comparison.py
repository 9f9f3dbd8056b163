"""The spec's settings of other models and other cohorts."""

import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.comparators import make_comparator
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.preflight import read_cohort

SPEC = """
name: gbsg-recurrence
title: Recurrence
cohort:
  data: "builtin:gbsg"
  eligibility: [{column: age, max: 60, label: above 60 years}]
outcome: {horizons: [3y]}
selection: {n_estimators: 25}
"""


def loaded(tmp_path, *overrides):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return load_spec(path, overrides=overrides)


def test_all_comparators_are_fitted_unless_the_spec_says_otherwise(tmp_path):
    assert loaded(tmp_path).comparators == ("linear_cox", "elastic_net_cox", "forest")
    assert loaded(tmp_path, "comparators=[]").comparators == ()


def test_eligible_patients_only(tmp_path):
    cohort = read_cohort(loaded(tmp_path))
    assert cohort.X["age"].max() <= 60
    assert cohort.attrition.steps[-2].label == "above 60 years"
    assert cohort.attrition.n_analysed == len(cohort.y) < 686


def test_the_forest_is_that_of_stage_1(tmp_path):
    forest = make_comparator(loaded(tmp_path), "forest").model
    assert (forest.n_estimators, forest.min_samples_leaf) == (25, 15)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("comparators=[forest, forest]", "`comparators` must differ"),
        ("comparators=[lasso]", "linear_cox"),
        ("thresholds=[0.1, 1.0]", "must lie between 0 and 1"),
        ("thresholds=[0.1, 0.1]", "`thresholds` must differ"),
        ("external=[{name: A B, data: 'builtin:gbsg'}]", "name"),
        ("external=[{name: a, data: x.csv}]", "`schema` is required"),
        ("cohort.eligibility=[{column: age, max: 60}]", "label"),
        (
            "external=[{name: a, data: 'builtin:gbsg'}, {name: a, data: 'builtin:gbsg'}]",
            "`external` must differ",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, override, message):
    with pytest.raises(SpecError, match=message):
        loaded(tmp_path, override)
