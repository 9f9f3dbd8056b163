"""Processes of this machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from scorebuilder.validation.executor import EXECUTORS

Task = TypeVar("Task")


@dataclass(frozen=True)
class LocalExecutor:
    """
    Processes of this machine, each with one thread.

    Attributes
    ----------
    n_jobs : int
        Processes; 1 runs everything in this one, -1 takes one for each core.
    """

    n_jobs: int = 1

    def check(self) -> None:
        """Raise nothing: this machine is there."""

    def run(
        self, work: Callable[[Task], dict[str, Any]], tasks: Sequence[Task]
    ) -> Generator[tuple[int, dict[str, Any]]]:
        """
        Yield the result of each task as soon as it is finished; closing stops what is left.

        Parameters
        ----------
        work : callable
            Holds what all tasks share; large arrays reach the processes as one file in memory.
        tasks : sequence
            What is done.

        Yields
        ------
        place : int
            Position of the task.
        result : dict
            ``work(task)``.
        """
        if self.n_jobs == 1 or len(tasks) < 2:
            for place, task in enumerate(tasks):
                yield place, work(task)
            return
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(backend="loky", inner_max_num_threads=1):
            results = Parallel(n_jobs=self.n_jobs, return_as="generator_unordered")(
                delayed(_placed)(work, place, task) for place, task in enumerate(tasks)
            )
            try:
                for place, result in results:
                    yield place, result
            finally:
                _abandon(results)


def _placed(
    work: Callable[[Task], dict[str, Any]], place: int, task: Task
) -> tuple[int, dict[str, Any]]:
    return place, work(task)


def _abandon(results: Generator[Any]) -> None:
    """Stop what is left of a stopped run; joblib warns of it, but here it is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\d+ tasks ", category=UserWarning)
        results.close()


EXECUTORS.register("local", LocalExecutor)
