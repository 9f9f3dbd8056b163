"""A tracker that keeps its records in memory, for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scorebuilder.tracking.items import RunItem
from scorebuilder.tracking.tracker import Status
from scorebuilder.tracking.trackers import TRACKERS


@dataclass
class MemoryRecord:
    """
    One recorded run.

    Attributes
    ----------
    name : str
        Name of the score.
    tags : dict
        What identifies the run.
    items : list
        In the order in which they came.
    status : str or None
        None while the record is open.
    """

    name: str
    tags: dict[str, str]
    items: list[RunItem] = field(default_factory=list)
    status: Status | None = None


class MemoryTracker:
    """
    Keep records in a list.

    Parameters
    ----------
    address, artifacts : str
        Not used; trackers are made from them.

    Attributes
    ----------
    records : list of MemoryRecord
        One for each start.
    """

    def __init__(self, address: str = "", artifacts: str = "") -> None:
        self.address, self.artifacts = address, artifacts
        self.records: list[MemoryRecord] = []

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
        return any(
            (record.name, record.status) == (name, "finished")
            and tags.items() <= record.tags.items()
            for record in self.records
        )

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
        self.records.append(MemoryRecord(name, dict(tags)))

    def log(self, item: RunItem) -> None:
        """
        Add one item to the open record.

        Parameters
        ----------
        item : RunParam, RunMetric, RunRepeat, RunTable or RunFile
            What is recorded.
        """
        self.records[-1].items.append(item)

    def finish(self, status: Status) -> None:
        """
        Close the record.

        Parameters
        ----------
        status : {"finished", "failed"}
            How the run ended.
        """
        self.records[-1].status = status


TRACKERS.register("memory", MemoryTracker)
