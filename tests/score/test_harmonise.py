"""The predictors of a score from a cohort that names, measures or codes them otherwise."""

import dataclasses

import numpy as np
import pytest

from scorebuilder.cohort.schema import Level
from scorebuilder.core.errors import CohortError
from scorebuilder.score.apply import score_table
from scorebuilder.score.baseline_curve import STEP, baseline_points
from scorebuilder.score.harmonise import harmonised


def changed(cohort, name, *, field=None, values=None, rename=None):
    """The cohort with one column described, filled or named otherwise."""
    fields = []
    for item in cohort.schema.fields:
        new = dataclasses.replace(item, **(field or {})) if item.name == name else item
        if item.name == name and rename:
            new = dataclasses.replace(new, name=rename)
        fields.append(new)
    X = cohort.X.copy()
    if values is not None:
        X[name] = values
    if rename:
        X = X.rename(columns={name: rename})
    schema = dataclasses.replace(cohort.schema, fields=tuple(fields))
    return dataclasses.replace(cohort, X=X, schema=schema)


def numeric_of(artifact):
    return next(p for p in artifact.scoring["predictors"] if p["type"] == "numeric")


def factor_of(artifact):
    return next(p for p in artifact.scoring["predictors"] if p["type"] == "binary")


def test_its_own_cohort_fits_as_it_is(small_score):
    X = harmonised(small_score.artifact, small_score.cohort)
    assert list(X.columns) == small_score.artifact.predictors
    scored = score_table(small_score.artifact, X)["linear_predictor"]
    own = score_table(small_score.artifact, small_score.cohort.X)["linear_predictor"]
    np.testing.assert_array_equal(scored, own)


def test_another_name_and_other_codes_are_mapped(small_score):
    factor = factor_of(small_score.artifact)["id"]
    levels = (Level("n", "no"), Level("y", "yes"))
    codes = small_score.cohort.X[factor].cat.rename_categories({"0": "n", "1": "y"})
    other = changed(
        small_score.cohort, factor, field={"levels": levels, "reference": "n"}, values=codes,
        rename="other_name",
    )  # fmt: skip
    mapping = {factor: {"column": "other_name", "levels": {"n": 0, "y": 1}}}
    X = harmonised(small_score.artifact, other, inputs=mapping)
    assert X[factor].tolist() == small_score.cohort.X[factor].astype(str).tolist()


def test_what_does_not_fit_is_said_all_at_once(small_score):
    number, factor = numeric_of(small_score.artifact), factor_of(small_score.artifact)
    other = changed(small_score.cohort, number["id"], field={"unit": "kg"})
    other = changed(other, factor["id"], rename="elsewhere")
    with pytest.raises(CohortError) as error:
        harmonised(small_score.artifact, other, inputs={"nothing": {"column": "age"}})
    text = str(error.value)
    assert "unit must be that of the score" in text
    assert "the score needs this predictor" in text
    assert "is no predictor of the score" in text


def test_values_and_levels_that_the_score_does_not_know_are_counted_not_shown(small_score):
    number, factor = numeric_of(small_score.artifact), factor_of(small_score.artifact)
    values = small_score.cohort.X[number["id"]].copy()
    values.iloc[3] = 123456789.0
    other = changed(small_score.cohort, number["id"], values=values)
    mapping = {factor["id"]: {"column": factor["id"], "levels": {"0": "0", "1": "7"}}}
    with pytest.raises(CohortError) as error:
        harmonised(small_score.artifact, other, inputs=mapping)
    assert "range of the score; 1 row (row 4)" in str(error.value)
    assert "levels must be those of the score" in str(error.value)
    assert "123456789" not in str(error.value)


def test_the_artifact_remembers_its_patients_as_aggregates(small_score):
    content = small_score.artifact.content
    found = content["monitoring"]
    linear_predictor = small_score.builder.predict(small_score.cohort.X)
    assert (found["n"], content["evidence"]["ties"]) == (500, "efron")
    assert found["linear_predictor"]["mean"] == pytest.approx(linear_predictor.mean())
    median = next(q for q in found["linear_predictor"]["quantiles"] if q["quantile"] == 0.5)
    # Six significant digits.
    assert median["value"] == pytest.approx(np.median(linear_predictor), rel=1e-5)
    times, hazards = baseline_points(small_score.artifact)
    horizons = small_score.artifact.horizons
    # An even grid of half months tells no event time; 1 and 3 years lie on it.
    assert horizons == [365.25, 1095.75]
    np.testing.assert_allclose(times, STEP * np.arange(1, 73), rtol=1e-12)
    assert np.all(np.diff(hazards) >= 0)
    for row in small_score.artifact.scoring["baseline"]:
        # At the horizons the curve is the score's own baseline.
        at = float(hazards[times == row["horizon"]][0])
        assert np.exp(-at) == pytest.approx(row["survival"], abs=1e-12)
