"""Where refits run: what an executor is, and the registry of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol, TypeVar

from scorebuilder.core.registry import Registry

Task = TypeVar("Task")


class Executor(Protocol):
    """Runs many independent tasks; their results depend on neither place nor order."""

    def run(
        self, work: Callable[[Task], dict[str, Any]], tasks: Sequence[Task], /
    ) -> Generator[tuple[int, dict[str, Any]]]:
        """
        Yield the result of each task as soon as it is finished; closing stops what is left.

        Parameters
        ----------
        work : callable
            Can be pickled; holds what all tasks share, such as the data.
        tasks : sequence
            Each can be pickled, and is small.

        Yields
        ------
        place : int
            Position of the task in `tasks`.
        result : dict
            ``work(task)``.
        """
        ...

    def check(self) -> None:
        """
        Raise, before hours are spent, what `run` would raise at its start.

        Raises
        ------
        MissingPartError
            If a library is not installed.
        SpecError
            If what tasks should run on cannot be used.
        """
        ...


EXECUTORS: Registry[Callable[..., Executor]] = Registry(
    "executor", "scorebuilder.validation.executors"
)
"""Makers of executors by kind; each takes the settings of its kind by keyword."""


def local_executor(n_jobs: int) -> Executor:
    """
    Return the executor of this machine.

    Parameters
    ----------
    n_jobs : int
        Processes; 1 runs everything in this one, -1 takes one for each core.

    Returns
    -------
    Executor
        Of the kind ``local``.
    """
    return EXECUTORS["local"](n_jobs=n_jobs)
