"""One version, one registration: aliases, conflicts, and two processes at once."""

import json
import shutil

import pytest

from scorebuilder.cli.main import main
from scorebuilder.core.errors import ArtifactVersionError, SpecError
from scorebuilder.score.store import load_artifact
from scorebuilder.tracking.registration import check_alias, set_alias, version_alias
from scorebuilder.tracking.tracker import record_once
from scorebuilder.tracking.trackers import TRACKERS


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments), "--json"])
    streams = capsys.readouterr()
    return caught.value.code or 0, json.loads(streams.out)


def versions(store):
    import mlflow

    client = mlflow.MlflowClient(store, store)
    return client, client.search_model_versions("name='tiny-score'")


def aliases(client):
    named = client.get_registered_model("tiny-score").aliases
    return {alias: int(number) for alias, number in named.items()}


@pytest.fixture
def changed_run(run_dir, tiny, tmp_path):
    """The same version of the score with another title, and so another artifact."""
    folder = shutil.copytree(run_dir, tmp_path / "changed")
    (folder / "score.json").write_text(tiny.artifact(title="Other words").to_json())
    return folder


def test_register_indexes_a_run_once_and_moves_the_alias(run_dir, fresh_store, capsys, tiny):
    uri = f"sqlite:///{fresh_store}"
    answer = {"alias": "champion", "registered": True, "score": "tiny-score", "version": "0.1.0"}
    given = ("register", run_dir, "--uri", uri, "--alias")
    assert call(capsys, *given, "champion") == (0, answer)
    assert call(capsys, *given, "site-x") == (0, {**answer, "alias": "site-x", "registered": False})
    client, (version,) = versions(uri)
    assert aliases(client) == {"champion": 1, "site-x": 1, "score-0-1-0": 1}
    content = tiny.artifact().content
    for key in ("core_id", "artifact_sha256", "version", "status"):
        assert version.tags[key] == content[key]


def test_a_bare_artifact_and_its_site_version_share_a_model(fresh_store, tiny, tmp_path, capsys):
    uri = f"sqlite:///{fresh_store}"
    for name, alias in (("tiny-score", "champion"), ("tiny-score/site-paris", "site-paris")):
        folder = tmp_path / alias
        folder.mkdir()
        (folder / "score.json").write_text(tiny.artifact(name=name).to_json())
        code, _ = call(capsys, "register", folder / "score.json", "--uri", uri, "--alias", alias)
        assert code == 0
    client, found = versions(uri)
    numbers = {row.tags["name"]: int(row.version) for row in found}
    assert numbers == {"tiny-score": 1, "tiny-score/site-paris": 2}
    named = aliases(client)
    assert named["site-paris-0-1-0"] == named["site-paris"] == 2
    assert named["score-0-1-0"] == named["champion"] == 1


def test_another_artifact_of_a_registered_version_is_refused(
    run_dir, changed_run, fresh_store, tiny
):
    tracker = TRACKERS["mlflow"](f"sqlite:///{fresh_store}")
    assert record_once(tracker, tiny.summary, run_dir)
    other = {**tiny.summary, "reproduce": {"spec_sha256": "00" * 32}}
    with pytest.raises(ArtifactVersionError, match=r"registered with another .* raise `version`"):
        record_once(tracker, other, changed_run)
    with pytest.raises(ArtifactVersionError, match="another artifact"):
        set_alias(tracker.uri, load_artifact(changed_run), "champion")
    assert len(versions(tracker.uri)[1]) == 1


def test_record_that_broke_off_after_registration_is_made_again(run_dir, fresh_store, tiny):
    tracker = TRACKERS["mlflow"](f"sqlite:///{fresh_store}")
    write, tracker._log_repeats = tracker._log_repeats, lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        record_once(tracker, tiny.summary, run_dir)
    tracker._log_repeats = write
    assert record_once(tracker, tiny.summary, run_dir)
    assert len(versions(tracker.uri)[1]) == 1


@pytest.mark.parametrize("alias", ["latest", "v12", "a b", "site/x", ""])
def test_aliases_that_mlflow_keeps_or_refuses_are_told(tiny, alias):
    with pytest.raises(SpecError, match="`--alias` must be letters"):
        check_alias(tiny.artifact(), alias)


def test_no_alias_leads_to_a_withdrawn_score(tiny):
    with pytest.raises(SpecError, match="is withdrawn; an alias must not lead to it"):
        check_alias(tiny.artifact(status="withdrawn"), "champion")


def test_alias_of_a_version_is_its_name_and_number(tiny):
    assert version_alias(tiny.artifact(version="1.10.0")) == "score-1-10-0"
    assert version_alias(tiny.artifact(name="a/site-b", version="2.0.0")) == "site-b-2-0-0"


def test_alias_needs_a_registration(tiny, fresh_store):
    with pytest.raises(SpecError, match="this version is not registered"):
        set_alias(f"sqlite:///{fresh_store}", tiny.artifact(), "champion")


def test_of_two_processes_one_wins_and_the_other_is_told(race, run_dir, tmp_path):
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"  # also its tables are made by both
    results = race([run_dir, run_dir], store)
    assert sorted(out.strip() for out, _, _ in results) == ["lost", "won"], results
    client, (version,) = versions(store)
    experiment = client.get_experiment_by_name("tiny-score")
    finished = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'")
    parents = [run for run in finished if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.run_id for run in parents] == [version.run_id]


def test_of_two_different_artifacts_the_second_is_refused(race, run_dir, changed_run, fresh_store):
    results = race([run_dir, changed_run], f"sqlite:///{fresh_store}")
    codes = sorted(code for _, _, code in results)
    assert codes == [0, 1], results
    (refused,) = (err for _, err, code in results if code)
    assert "ArtifactVersionError: tiny-score 0.1.0 is registered with another artifact" in refused
    assert len(versions(f"sqlite:///{fresh_store}")[1]) == 1


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mysql://h/d", "must start with sqlite:///"),
        ("postgresql+psycopg://me:secret@h/d", "must hold no password; set PGPASSWORD"),
        ("postgresql+psycopg://h/d?password=secret", "must hold no password"),
        ("https://me@h", "must hold no user or password"),
    ],
)
def test_addresses_without_store_or_with_password_are_refused(run_dir, uri, message, capsys):
    code, answer = call(capsys, "register", run_dir, "--uri", uri)
    assert code == 2
    assert message in answer["error"]["message"]
    assert "secret" not in answer["error"]["message"]


def test_other_file_names_and_foreign_summaries_are_refused(run_dir, tiny, tmp_path, capsys):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    (tmp_path / "mine.json").write_text(tiny.artifact().to_json())
    code, answer = call(capsys, "register", tmp_path / "mine.json", "--uri", uri)
    assert (code, "rename mine.json" in answer["error"]["message"]) == (2, True)
    folder = shutil.copytree(run_dir, tmp_path / "run")
    (folder / "score.json").write_text(tiny.artifact(version="0.2.0").to_json())
    code, answer = call(capsys, "register", folder, "--uri", uri)
    assert (code, "belongs to another score" in answer["error"]["message"]) == (2, True)
    assert not (tmp_path / "mlflow.db").exists()
