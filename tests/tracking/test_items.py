"""What is recorded of a run: settings, aggregate results, files; nothing undefined."""

from dataclasses import asdict

import pytest

from scorebuilder.tracking.items import (
    RunFile,
    RunMetric,
    RunParam,
    RunRepeat,
    RunTable,
    iter_run_items,
    run_tags,
)
from scorebuilder.tracking.tracker import AlreadyRecordedError, record_once, record_run
from scorebuilder.tracking.trackers import TRACKERS

Y3, Y5 = 1095.75, 1826.25
ROW = {"n_scorable": 250, "lower": -0.01, "upper": 0.07, "p": 0.14, "reason": None}
SUMMARY = {
    "score": {"name": "tiny-score", "version": "0.1.0", "horizons": [Y3, Y5], "main_horizon": Y5},
    "headline": {"n_patients": 300, "n_events": 40, "n_kept": 5, "auc": 0.7},
    "selection": {"rule": "vimp_ci", "oob_c_index": 0.68},
    "model": {"ties": "efron", "max_df": 4},
    "cohort": {"title": "Tiny cohort", "data_sha256": "ab" * 32},
    "reproduce": {"seed": 7, "spec_sha256": "cd" * 32, "data_sha256": None},
    "validation": {
        "design": {"folds": 10, "repeats": 1, "n_fits": 10},
        "performance": [
            {"model": "score", "metric": "auc_at", "horizon": Y5, "value": 0.7, "lower": 0.6},
            {"model": "score", "metric": "c_index", "horizon": None, "value": 0.69},
            {"model": "tiny-score", "metric": "brier_at", "horizon": Y5, "value": 0.09},
            {"model": "score2", "metric": "auc_at", "horizon": Y5, "value": 0.67},
            {"model": "score", "metric": "uno_c", "horizon": Y3, "value": None},
        ],
        "calibration": [{"model": "score", "horizon": Y5, "slope": 0.97, "ici": None}],
        "comparison": [
            {"baseline": "score2", "horizon": Y5, "difference": 0.03, **ROW},
            {"baseline": "score2", "horizon": Y3, "difference": 0.02, **ROW},
        ],
    },
}


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("tables/b.csv", "tables/a.csv", "score.json", "report.html", "patients.csv"):
        (tmp_path / name).write_text("x")
    return tmp_path


def metrics(run_dir, summary=SUMMARY):
    items = iter_run_items(summary, run_dir)
    return {item.name: item.value for item in items if isinstance(item, RunMetric)}


def test_metrics_carry_their_horizon(run_dir):
    found = metrics(run_dir)
    assert found["auc_5y"] == 0.7
    assert found["auc_5y_lower"] == 0.6
    assert found["c_index"] == 0.69
    assert found["brier_5y"] == 0.09
    assert found["auc_5y_score2"] == 0.67
    assert found["calibration_slope_5y"] == 0.97
    assert found["difference_auc_score2"] == 0.03
    assert found["difference_auc_score2_3y"] == 0.02
    assert found["oob_c_index"] == 0.68
    assert found["n_events"] == 40


def test_undefined_results_are_no_metrics(run_dir):
    found = metrics(run_dir)
    assert "uno_c_3y" not in found
    assert "calibration_ici_5y" not in found


def test_settings_are_parameters(run_dir):
    items = iter_run_items(SUMMARY, run_dir)
    params = {item.name: item.value for item in items if isinstance(item, RunParam)}
    assert params["selection.rule"] == "vimp_ci"
    assert params["model.max_df"] == "4"
    assert params["validation.folds"] == "10"
    assert params["outcome.horizons"] == "3y 5y"
    assert "reproduce.data_sha256" not in params


def test_only_files_of_aggregates_are_named(run_dir):
    items = list(iter_run_items(SUMMARY, run_dir))
    assert [i.name for i in items if isinstance(i, RunTable)] == ["tables/a.csv", "tables/b.csv"]
    assert [i.name for i in items if isinstance(i, RunFile)] == ["score.json", "report.html"]
    assert not any("patients.csv" in str(asdict(item)) for item in items)


def test_repeats_are_means_over_their_folds(run_dir):
    (run_dir / "tables" / "folds.csv").write_text(
        "model,metric,horizon,repeat,fold,value,reason\n"
        f"score,auc_at,{Y5},0,0,0.6,\nscore,auc_at,{Y5},0,1,0.8,\n"
        f"score,c_index,{Y5},0,0,0.7,\n"  # of the whole follow-up, as the summary says
        f"score,auc_at,{Y5},1,0,0.9,\nscore,auc_at,{Y5},1,1,,x\nscore,auc_at,{Y5},1,2,,x\n"
    )
    first, second = (i for i in iter_run_items(SUMMARY, run_dir) if isinstance(i, RunRepeat))
    assert first == RunRepeat(1, (RunMetric("auc_5y", 0.7), RunMetric("c_index", 0.7)))
    assert second == RunRepeat(2, ())  # one of three folds is not enough


def test_names_of_results_are_unique(run_dir):
    names = [(type(item), item.name) for item in iter_run_items(SUMMARY, run_dir)]
    assert len(names) == len(set(names))


def test_summary_with_hardly_anything_is_recorded(tmp_path):
    assert list(iter_run_items({"score": {"name": "x"}}, tmp_path)) == [RunParam("score.name", "x")]


def test_tags_identify_the_run():
    tags = run_tags(SUMMARY)
    assert tags["scorebuilder.version"] == "0.1.0"
    assert tags["scorebuilder.data_sha256"] == "ab" * 32
    assert "scorebuilder.core_id" not in tags


def test_memory_keeps_the_record(run_dir):
    tracker = TRACKERS["memory"]("")
    record_run(tracker, SUMMARY, run_dir)
    (record,) = tracker.records
    assert record.name == "tiny-score"
    assert record.status == "finished"
    assert record.items == list(iter_run_items(SUMMARY, run_dir))


def test_record_that_breaks_off_is_closed_as_failed(run_dir):
    tracker = TRACKERS["memory"]("")
    tracker.log = lambda item: 1 / 0
    with pytest.raises(ZeroDivisionError):
        record_run(tracker, SUMMARY, run_dir)
    assert tracker.records[0].status == "failed"


def test_a_run_is_recorded_once(run_dir):
    tracker = TRACKERS["memory"]("")
    assert record_once(tracker, SUMMARY, run_dir)
    assert not record_once(tracker, SUMMARY, run_dir)
    other = {**SUMMARY, "reproduce": {"spec_sha256": "ef" * 32}}
    assert record_once(tracker, other, run_dir)
    assert record_once(tracker, {**SUMMARY, "score": {"name": "another"}}, run_dir)
    assert len(tracker.records) == 3


def test_a_failed_record_is_made_again(run_dir):
    tracker = TRACKERS["memory"]("")
    tracker.log = lambda item: 1 / 0
    with pytest.raises(ZeroDivisionError):
        record_once(tracker, SUMMARY, run_dir)
    del tracker.log
    assert record_once(tracker, SUMMARY, run_dir)
    assert [record.status for record in tracker.records] == ["failed", "finished"]


def test_who_loses_a_race_is_told_and_has_no_record(run_dir, caplog):
    tracker = TRACKERS["memory"]("")

    def lose(item):
        raise AlreadyRecordedError("somebody was first")

    tracker.log = lose
    with caplog.at_level("INFO", logger="scorebuilder"):
        assert not record_once(tracker, SUMMARY, run_dir)
    assert "somebody was first" in caplog.text
    assert tracker.records[0].status == "failed"


def test_registry_knows_both_trackers():
    assert list(TRACKERS) == ["memory", "mlflow"]
