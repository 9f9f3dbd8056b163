import copy
import json

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import load_dataset
from scorebuilder.core.errors import ArtifactError, ArtifactVersionError, CohortError, SpecError
from scorebuilder.score.apply import contributions, fill_missing, score_frame, score_table
from scorebuilder.score.artifact import ScoreArtifact, fingerprint, seal
from scorebuilder.score.store import load_artifact, save_artifact, write_text


def resealed(artifact, change):
    content = copy.deepcopy(artifact.content)
    del content["artifact_sha256"], content["core_id"]
    change(content)
    return seal(content)


def test_the_artifact_alone_reproduces_the_builder(small_score, tmp_path):
    builder, X = small_score.builder, small_score.cohort.X
    save_artifact(small_score.artifact, tmp_path)
    scored = score_table(load_artifact(tmp_path), X)
    np.testing.assert_allclose(scored["linear_predictor"], builder.predict(X), atol=1e-12)
    for column, horizon in (("risk_1y", 365.25), ("risk_3y", 1095.75)):
        np.testing.assert_allclose(
            scored[column], builder.predict_risk(X, horizon=horizon), atol=1e-12
        )
    np.testing.assert_array_equal(scored["points"].to_numpy(int), builder.predict_points(X))
    labels = np.asarray(builder.groups_.labels, dtype=object)[builder.predict_group(X)]
    np.testing.assert_array_equal(scored["risk_group"].to_numpy(object), labels)


def test_raw_table_and_typed_table_score_alike(small_score):
    frame, _ = load_dataset("whas500")
    raw = score_frame(small_score.artifact, frame)
    typed = score_table(small_score.artifact, small_score.cohort.X)
    pd.testing.assert_series_equal(raw["risk_3y"], typed["risk_3y"], check_exact=True)


def test_json_round_trip_keeps_every_byte(small_score):
    text = small_score.artifact.to_json()
    assert ScoreArtifact.from_json(text).to_json() == text
    assert small_score.artifact.fingerprint in text


def test_contributions_add_up(small_score):
    filled, _, _ = fill_missing(small_score.artifact, small_score.cohort.X)
    scored = score_table(small_score.artifact, small_score.cohort.X)
    np.testing.assert_allclose(
        contributions(small_score.artifact, filled).sum(axis=1),
        scored["linear_predictor"],
        atol=1e-12,
    )


def test_hand_written_score():
    # LP = 0.5 * ((x / 2)^2 * ln(x / 2) - 1) + 0.7 * [f = b]; x = 4, f = b:
    # (4 / 2)^2 * ln 2 = 2.772588722239781; LP = 0.8862943611198906 + 0.7 = 1.5862943611198906;
    # risk = 1 - 0.9^exp(LP).
    predictor = {
        "label": "",
        "unit": "",
        "levels": [],
        "hard_range": [None, None],
        "soft_range": [1.0, 5.0],
        "missing": {"policy": "refuse"},
    }
    content = {
        "schema_version": 1, "name": "hand", "version": "1.0.0", "status": "draft", "title": "hand",
        "derived_from": None, "changelog": [], "licence": "MIT",
        "meaning": dict.fromkeys(
            ("intended_use", "not_for", "population", "outcome", "time_zero"), ""
        ),
        "scoring": {
            "predictors": [
                {"id": "x", "type": "numeric", **predictor},
                {"id": "f", "type": "binary", **predictor, "soft_range": [None, None],
                 "levels": [{"code": "a", "label": "A"}, {"code": "b", "label": "B"}]},
            ],
            "terms": [
                {"kind": "power", "predictor": "x", "shift": 0.0, "scale": 2.0, "power": 2.0,
                 "log_factor": 1, "center": 1.0, "coefficient": 0.5},
                {"kind": "indicator", "predictor": "f", "levels": ["b"], "center": 0.0,
                 "coefficient": 0.7},
            ],
            "baseline": [{"horizon": 365.25, "survival": 0.9}],
            "points": {"thresholds": [0.0, 1.0, 2.0], "anchors": [0.01, 0.99]},
            "risk_table": [],
            "risk_groups": [{"label": "low", "points_from": 0, "points_to": 1},
                            {"label": "high", "points_from": 2, "points_to": 3}],
            "reference": [],
        },
        "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
    }  # fmt: skip
    artifact = seal(content)
    scored = score_table(
        artifact, pd.DataFrame({"x": [4.0, np.nan, -1.0, 6.0], "f": ["b", "a", "a", "a"]})
    )
    assert scored["linear_predictor"].iloc[0] == pytest.approx(1.5862943611198906, abs=1e-15)
    assert scored["risk_1y"].iloc[0] == pytest.approx(1 - 0.9 ** np.exp(1.5862943611198906))
    assert scored["points"].iloc[0] == 2
    assert scored["risk_group"].tolist()[:3] == ["high", "", ""]
    assert scored["reason"].tolist()[:2] == ["", "x missing"]
    assert "x at or below the smallest value" in scored["reason"].iloc[2]
    assert scored["points"].isna().tolist() == [False, True, True, False]
    assert np.isnan(scored["risk_1y"].iloc[1])
    assert scored["outside"].tolist() == ["", "", "x", "x"]


def test_missing_inputs_are_filled_and_named(small_score):
    X = small_score.cohort.X.head(3).copy()
    X.loc[1, "age"] = np.nan
    scored = score_table(small_score.artifact, X)
    assert scored["imputed"].tolist() == ["", "age", ""]
    median = small_score.builder.imputer_.fill_values_["age"]
    X.loc[1, "age"] = median
    assert score_table(small_score.artifact, X)["risk_1y"].iloc[1] == scored["risk_1y"].iloc[1]


def test_wrong_tables_name_every_violation_and_no_value(small_score):
    frame, _ = load_dataset("whas500")
    frame = frame.astype(object)
    frame.loc[3, "age"] = "elderly-secret"
    del frame["chf"]
    with pytest.raises(CohortError) as caught:
        score_frame(small_score.artifact, frame)
    message = str(caught.value)
    assert "`age`" in message
    assert "`chf`" in message
    assert "secret" not in message
    with pytest.raises(CohortError, match="no rows"):
        score_frame(small_score.artifact, frame.head(0))


def test_unknown_levels_are_never_the_reference_level(small_score):
    X = small_score.cohort.X.head(4).astype({"chf": object})
    X.loc[2, "chf"] = "unheard-of"
    with pytest.raises(CohortError, match=r"`chf`: levels must be those of the score; 1 row"):
        score_table(small_score.artifact, X)


def test_only_ordinary_files_are_replaced(tmp_path):
    with pytest.raises(SpecError, match="not an ordinary file"):
        write_text(tmp_path, "text")


def test_a_changed_artifact_is_refused(small_score):
    content = copy.deepcopy(small_score.artifact.content)
    content["scoring"]["terms"][1]["coefficient"] *= 1.0000001
    with pytest.raises(ArtifactError, match="changed at scoring/terms/1: `core_id` does not fit"):
        ScoreArtifact.from_content(content)
    content = copy.deepcopy(small_score.artifact.content)
    content["title"] = "another"
    with pytest.raises(ArtifactError, match="changed at title: `artifact_sha256` does not"):
        ScoreArtifact.from_content(content)


def test_prose_changes_the_document_but_not_the_clinical_identity(small_score):
    other = resealed(small_score.artifact, lambda content: content.update(title="another"))
    assert other.content["core_id"] == small_score.artifact.content["core_id"]
    assert other.fingerprint != small_score.artifact.fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "ends in line 1 before it is complete"),
        ('{"name": "a', "ends in line 1 before it is complete"),
        ("{]", "not JSON"),
        ('{"name": "a", "name": "b"}', "same key twice: name"),
        ('{"schema_version": NaN}', "finite numbers only; it holds NaN"),
        ('{"schema_version": 2}', "update scorebuilder"),
        ("[]", "must be a JSON object"),
        ("{}", "schema_version 1"),
        ('{"schema_version": 1}', "breaks its schema"),
    ],
)
def test_damaged_files_are_refused(text, message):
    with pytest.raises(ArtifactError, match=message):
        ScoreArtifact.from_json(text)


def test_fingerprint_is_canonical():
    # RFC 8785 writes 1.0 as 1 and sorts keys, so that other languages find the same hash.
    assert fingerprint({"b": 1.0, "a": 1e-7}) == fingerprint(json.loads('{"a": 1e-7, "b": 1}'))


def test_a_stored_version_is_never_overwritten(small_score, tmp_path):
    save_artifact(small_score.artifact, tmp_path)
    save_artifact(small_score.artifact, tmp_path)
    other = resealed(small_score.artifact, lambda content: content.update(title="another"))
    with pytest.raises(ArtifactVersionError, match="raise `version`"):
        save_artifact(other, tmp_path)


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "score.json", "text")
    assert list(tmp_path.iterdir()) == []


def test_no_patient_is_in_the_artifact(small_score):
    # Test vectors are drawn, not patients: no vector equals a row of the cohort.
    names = small_score.artifact.predictors
    rows = {tuple(map(str, row)) for row in small_score.cohort.X[names].itertuples(index=False)}
    for vector in small_score.artifact.content["evidence"]["test_vectors"]:
        assert tuple(str(vector["inputs"][name]) for name in names) not in rows


def test_missing_file_is_an_artifact_error(tmp_path):
    with pytest.raises(ArtifactError, match="there is no artifact"):
        load_artifact(tmp_path / "none.json")
