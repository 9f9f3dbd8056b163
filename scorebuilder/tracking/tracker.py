"""What every tracker does, and how a finished run folder is handed to one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from scorebuilder.core.errors import ScorebuilderError
from scorebuilder.tracking.items import RunItem, iter_run_items, run_tags

logger = logging.getLogger(__name__)

Status = Literal["finished", "failed"]


class TrackingError(ScorebuilderError):
    """The run folder is complete, but its record could not be written."""

    exit_code = 1


class AlreadyRecordedError(TrackingError):
    """Another process recorded the same run at the same time, and was first."""


class Tracker(Protocol):
    """Keeps a record of runs; the run folder stays the source of truth."""

    def knows(self, name: str, tags: Mapping[str, str]) -> bool:
        """
        Tell whether a run was recorded to its end.

        Parameters
        ----------
        name : str
            Name of the score.
        tags : mapping
            What identifies the run.

        Returns
        -------
        bool
            True if a finished record of that name carries all of these tags.
        """
        ...

    def start(self, name: str, tags: Mapping[str, str]) -> None:
        """
        Open a record.

        Parameters
        ----------
        name : str
            Name of the score.
        tags : mapping
            What identifies the run.
        """
        ...

    def log(self, item: RunItem) -> None:
        """
        Add one item to the open record.

        Parameters
        ----------
        item : RunParam, RunMetric, RunRepeat, RunTable or RunFile
            What is recorded.
        """
        ...

    def finish(self, status: Status) -> None:
        """
        Close the record.

        Parameters
        ----------
        status : {"finished", "failed"}
            How the record ended.
        """
        ...


def record_run(tracker: Tracker, summary: Mapping[str, Any], run_dir: Path) -> None:
    """
    Record a complete run folder.

    Parameters
    ----------
    tracker : Tracker
        Where the record is kept.
    summary : mapping
        The content of ``summary.json``.
    run_dir : Path
        The complete run folder; it is only read.

    Raises
    ------
    TrackingError
        If the tracker fails; the run folder is not touched by that.
    """
    done = False
    try:
        tracker.start(str(summary["score"]["name"]), run_tags(summary))
        for item in iter_run_items(summary, run_dir):
            tracker.log(item)
        done = True
    finally:
        tracker.finish("finished" if done else "failed")


def record_once(tracker: Tracker, summary: Mapping[str, Any], run_dir: Path) -> bool:
    """
    Record a complete run folder, unless the tracker has a finished record of it.

    Parameters
    ----------
    tracker : Tracker
        Where the record is kept.
    summary : mapping
        The content of ``summary.json``.
    run_dir : Path
        The complete run folder; it is only read.

    Returns
    -------
    bool
        True if it was recorded now; False also when another process was first, which is logged.

    Raises
    ------
    TrackingError
        If the tracker fails; the run folder is not touched by that.
    """
    if tracker.knows(str(summary["score"]["name"]), run_tags(summary)):
        return False
    try:
        record_run(tracker, summary, run_dir)
    except AlreadyRecordedError as first:
        logger.info("%s", first)
        return False
    return True
