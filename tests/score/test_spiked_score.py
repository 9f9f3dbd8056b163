"""Scores with a spike at zero and limits: the artifact computes what the model does."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.cohort.schema import CohortSchema, Field
from scorebuilder.core.errors import ArtifactError, ModelError
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.modelling.terms import Term
from scorebuilder.score.apply import contributions, needs_positive, score_table, term_value
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import _numeric_term, compose_artifact
from scorebuilder.selection.selector import RSFSelector

PAST = sorted((Path(__file__).parent / "past").glob("*.json"))


def spiked_table(X: pd.DataFrame) -> pd.DataFrame:
    """Age and body-mass index, and a made-up number of segments that is 0 in 60 % of patients."""
    random = np.random.default_rng(20260101)
    segments = np.where(random.random(len(X)) < 0.6, 0.0, random.uniform(0.2, 17.0, len(X)))
    return X[["age", "bmi", "chf"]].assign(segments=segments)


def spiked_model(**options: Any) -> MFPCox:
    """Powers at which 0 has no value, so that any of them computed at 0 shows."""
    settings = {
        "select_alpha": 1.0,
        "fp_alpha": 1.0,
        "powers": {"segments": (-1.0, 0.0), "bmi": (-2.0,)},
        "max_df_by": {"bmi": 2, "age": 1},
        "spike": ("segments",),
        "winsorise": {"segments": 0.05, "bmi": 0.02},
    }
    return MFPCox(**{**settings, **options})


def built(X: pd.DataFrame, y: Any, model: MFPCox, **options: Any) -> ScoreBuilder:
    selector = RSFSelector(n_estimators=5, rule="all", random_state=1)
    builder = ScoreBuilder(CohortImputer(), selector, model, horizons=(365.25,), **options)
    return builder.fit(X, y)


@pytest.fixture(scope="module")
def spiked(small_score: Any) -> Any:
    X = spiked_table(small_score.cohort.X)
    builder = built(X, small_score.cohort.y, spiked_model(), keep=("segments", "bmi"))
    field = Field("segments", "numeric", label="Ischaemic segments", hard_range=(0.0, 17.0))
    schema = CohortSchema("made-up", (*small_score.schema.fields, field))
    past = small_score.artifact.content
    names = ("name", "version", "status", "title", "derived_from", "changelog")
    identity = {key: past[key] for key in names}
    artifact = compose_artifact(builder, X, schema, identity=identity, meaning=past["meaning"])
    return SimpleNamespace(X=X, y=small_score.cohort.y, builder=builder, artifact=artifact)


def extreme(X: pd.DataFrame) -> pd.DataFrame:
    """Patients at 0, below it, and beyond every limit."""
    at = [0.0, -3.0, 1e-9, 0.2, 17.0, 400.0]
    return X.head(6).assign(segments=at, bmi=[5.0, 13.0, 90.0, 26.0, 0.1, 45.0])


def test_terms_are_written_with_what_they_need(spiked: Any) -> None:
    terms = [t for t in spiked.artifact.scoring["terms"] if t["predictor"] == "segments"]
    assert [(t["kind"], t.get("power"), t.get("log_factor")) for t in terms] == [
        ("positive", None, None),
        ("power", -1.0, 0),
        ("power", -1.0, 1),
    ]
    limits = list(spiked.builder.model_.limits_["segments"])
    assert [t.get("limits") for t in terms] == [None, limits, limits]
    assert [t.get("positive_only") for t in terms] == [None, True, True]
    (bmi,) = (t for t in spiked.artifact.scoring["terms"] if t["predictor"] == "bmi")
    assert bmi["limits"] == list(spiked.builder.model_.limits_["bmi"])
    assert "positive_only" not in bmi
    ordinary = {"kind", "predictor", "shift", "scale", "power", "log_factor", "center",
                "coefficient"}  # fmt: skip
    (age,) = (t for t in spiked.artifact.scoring["terms"] if t["predictor"] == "age")
    assert set(age) == ordinary


def test_the_artifact_computes_what_the_builder_does(spiked: Any) -> None:
    for X in (spiked.X, extreme(spiked.X)):
        scored = score_table(spiked.artifact, X)
        # Sums of a few terms of order 1 to 100: rounding stays below 1e-12.
        np.testing.assert_allclose(
            scored["linear_predictor"], spiked.builder.predict(X), rtol=0, atol=1e-12
        )
        assert not scored["reason"].any()
        parts = contributions(spiked.artifact, X)
        np.testing.assert_allclose(parts.sum(axis=1), scored["linear_predictor"], atol=1e-12)


@pytest.mark.parametrize("zero", ["", "positive", "indicator"])
@pytest.mark.parametrize("limits", [None, (1.0, 8.0)])
@pytest.mark.parametrize(("power", "log_factor"), [(1.0, 0), (0.0, 1), (-2.0, 0), (3.0, 1)])
def test_a_term_of_the_artifact_is_the_term_of_the_model(
    zero: str, limits: tuple[float, float] | None, power: float, log_factor: int
) -> None:
    if zero and limits is not None:
        limits = (-2.0, 8.0)
    term = Term("x", "x.1", 0.0, 10.0, power, log_factor, 0.3, 1.7, limits=limits, zero=zero)
    if zero == "indicator":
        term = replace(term, scale=1.0)
    written = _numeric_term(term, "x")
    x = np.array([1e-6, 0.5, 1.0, 3.0, 8.0, 8.5, 100.0])
    if zero or not term.needs_positive or limits is not None:
        x = np.r_[-5.0, 0.0, x]
    np.testing.assert_allclose(term_value(written, pd.Series(x)), term.values(x), rtol=1e-14)
    assert needs_positive(written) == (term.needs_positive and limits is None)
    assert np.isnan(term_value(written, pd.Series([np.nan]))).all()


def test_by_hand() -> None:
    # Limits 0 and 8, scale 2: x = 20 counts as 8, (8 / 2)^-1 - 0.1 = 0.15; x = 0 and x = -1 give
    # 0 - 0.1; x = 1 gives 2 - 0.1. The indicator: 1 - 0.4 above 0, else -0.4.
    power = {"kind": "power", "predictor": "x", "shift": 0.0, "scale": 2.0, "power": -1.0,
             "log_factor": 0, "limits": [0.0, 8.0], "positive_only": True, "center": 0.1,
             "coefficient": 1.0}  # fmt: skip
    step = {"kind": "positive", "predictor": "x", "center": 0.4, "coefficient": 1.0}
    x = pd.Series([20.0, 0.0, -1.0, 1.0])
    np.testing.assert_allclose(term_value(power, x), [0.15, -0.1, -0.1, 1.9], rtol=1e-15)
    np.testing.assert_allclose(term_value(step, x), [0.6, -0.4, -0.4, 0.6], rtol=1e-15)


def test_limits_come_before_the_range_and_only_curves_have_one(spiked: Any) -> None:
    X = spiked.X
    free = built(X, spiked.y, spiked_model(winsorise=None, shift={"bmi": 0.0}), keep=("bmi",))
    low = X.head(3).assign(bmi=[0.0, -1.0, 26.0], segments=[0.0, -1.0, 0.0])
    assert np.isnan(free.predict(low)).tolist() == [True, True, False]
    assert np.isfinite(spiked.builder.predict(low)).all()
    assert not score_table(spiked.artifact, low)["reason"].any()


def test_a_missing_value_is_never_the_group_at_zero(spiked: Any) -> None:
    X = spiked.X.head(2).assign(segments=[np.nan, 0.0])
    parts = contributions(spiked.artifact, X)
    assert np.isnan(parts["segments"].iloc[0])
    assert np.isfinite(parts["segments"].iloc[1])


def test_vectors_visit_zero_and_lie_beyond_the_limits(spiked: Any) -> None:
    vectors = [
        vector
        for vector in spiked.artifact.content["evidence"]["test_vectors"]
        if vector["status"] == "ok" and not vector["missing"]
    ]
    segments = np.array([vector["inputs"]["segments"] for vector in vectors])
    bmi = np.array([vector["inputs"]["bmi"] for vector in vectors])
    limits = spiked.builder.model_.limits_
    assert np.sum(segments == 0.0) >= 3
    assert np.sum(segments > limits["segments"][1]) >= 3
    assert segments.max() <= 17.0  # never what the hard range calls impossible
    assert np.sum(bmi < limits["bmi"][0]) >= 3
    assert np.sum(bmi > limits["bmi"][1]) >= 3
    predictors = spiked.artifact.scoring["predictors"]
    low, high = next(p["hard_range"] for p in predictors if p["id"] == "bmi")
    assert low <= bmi.min() <= bmi.max() <= high


def test_a_file_is_read_back_to_the_same_score(spiked: Any) -> None:
    again = ScoreArtifact.from_json(spiked.artifact.to_json())
    pd.testing.assert_frame_equal(
        score_table(again, extreme(spiked.X)), score_table(spiked.artifact, extreme(spiked.X))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"limits": [1.0]},
        {"limits": None},
        {"positive_only": False},
        {"kind": "positive"},
        {"bounds": [0, 1]},
    ],
)
def test_other_forms_of_terms_break_the_schema(spiked: Any, change: dict[str, Any]) -> None:
    content = copy.deepcopy(spiked.artifact.content)
    del content["artifact_sha256"], content["core_id"]
    power = next(t for t in content["scoring"]["terms"] if "limits" in t)
    power.update(change)
    with pytest.raises(ArtifactError, match="breaks its schema at scoring/terms"):
        seal(content)


@pytest.mark.parametrize("path", PAST, ids=lambda path: path.stem)
def test_past_artifacts_load_and_give_the_same_numbers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    artifact = ScoreArtifact.from_json(text)  # checks both hashes
    assert json.loads(artifact.to_json()) == json.loads(text)
    vectors = [
        vector
        for vector in json.loads(text)["evidence"]["test_vectors"]
        if vector.get("status", "ok") == "ok"
    ]
    X = pd.DataFrame([vector["inputs"] for vector in vectors])
    scored = score_table(artifact, X)
    np.testing.assert_allclose(
        scored["linear_predictor"], [v["linear_predictor"] for v in vectors], rtol=0, atol=1e-12
    )
    assert scored["points"].tolist() == [vector["points"] for vector in vectors]


def test_a_score_without_them_has_none_of_the_new_keys(small_score: Any) -> None:
    for term in small_score.artifact.scoring["terms"]:
        assert not {"limits", "positive_only"} & set(term)
        assert term["kind"] in ("power", "indicator")
    assert small_score.artifact.content["schema_version"] == 1


def test_smooth_ranks_are_refused(spiked: Any) -> None:
    with pytest.raises(ModelError, match=r"cannot hold functions of smooth ranks.*`age`"):
        built(spiked.X, spiked.y, MFPCox(acd=("age",)))
