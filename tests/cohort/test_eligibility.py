"""Who is analysed: counts that add up, and criteria that do not fit."""

import numpy as np
import pytest

from scorebuilder.cohort.eligibility import Criterion, restrict
from scorebuilder.cohort.load import load_cohort, load_dataset
from scorebuilder.core.errors import CohortError, SpecError


@pytest.fixture(scope="module")
def rotterdam():
    return load_cohort("builtin:rotterdam", load_dataset("rotterdam")[1])


def test_node_positive_patients_of_the_published_analysis(rotterdam):
    cohort = restrict(rotterdam, [Criterion("nodes", "no positive lymph node", min=1)])
    assert (len(cohort.X), len(cohort.y), int(cohort.y["event"].sum())) == (1546, 1546, 965)
    labels = [step.label for step in cohort.attrition.steps]
    assert labels[-2:] == ["no positive lymph node", "analysed"]
    assert cohort.attrition.steps[-2].n_excluded == 2982 - 1546
    assert cohort.attrition.n_read == 2982
    assert cohort.data_sha256 == rotterdam.data_sha256
    assert cohort.X.index.tolist() == list(range(1546))


def test_criteria_apply_one_after_the_other(rotterdam):
    criteria = [
        Criterion("nodes", "no positive lymph node", min=1),
        Criterion("size", "tumour above 50 mm", levels=("0", "1")),
        Criterion("age", "age 70 or more", max=69),
    ]
    cohort = restrict(rotterdam, criteria)
    X = rotterdam.X
    expected = (X["nodes"] >= 1) & X["size"].isin(["0", "1"]) & (X["age"] <= 69)
    np.testing.assert_array_equal(cohort.X["age"], X["age"][expected])
    excluded = [step.n_excluded for step in cohort.attrition.steps]
    assert sum(excluded) == 2982 - expected.sum()


def test_without_criteria_it_is_the_same_cohort(rotterdam):
    assert restrict(rotterdam, []) is rotterdam


def test_a_missing_value_is_not_eligible():
    cohort = load_cohort("builtin:smart", load_dataset("smart")[1])
    known = int(cohort.X["homoc"].notna().sum())
    assert len(restrict(cohort, [Criterion("homoc", "not known", min=-1.0)]).y) == known


def test_what_does_not_fit_is_refused(rotterdam):
    for criterion, message in (
        (Criterion("node", "x", min=1), "no predictor of the schema: node"),
        (Criterion("nodes", "x"), "needs `min` or `max`"),
        (Criterion("nodes", "x", min=1, levels=("1",)), "needs `min` or `max`"),
        (Criterion("size", "x", min=1), "needs `levels`"),
        (Criterion("size", "x", levels=("9",)), "has no level 9"),
    ):
        with pytest.raises(SpecError, match=message):
            restrict(rotterdam, [criterion])
    with pytest.raises(CohortError, match="nobody with an event"):
        restrict(rotterdam, [Criterion("nodes", "x", min=1000)])
