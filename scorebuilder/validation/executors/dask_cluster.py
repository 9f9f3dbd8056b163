"""Workers of a Dask cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from scorebuilder.core.errors import MissingPartError, SpecError
from scorebuilder.validation.executor import EXECUTORS

Task = TypeVar("Task")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class DaskExecutor:
    """
    Workers of a Dask cluster; what all tasks share is sent to them once.

    Attributes
    ----------
    address : str
        Of the scheduler, such as ``tcp://node1:8786``.
    retries : int
        How often a task that was lost with its worker is started again, >= 0.
    timeout : float
        Seconds to wait for the scheduler, and for a first worker.
    code_version : callable or None
        Without arguments, can be pickled; must give the same on every worker as here, so that all
        workers run the same code.
    """

    address: str
    retries: int = 3
    timeout: float = 30.0
    code_version: Callable[[], str] | None = None

    def check(self) -> None:
        """
        Raise, before hours are spent, what `run` would raise at its start.

        Raises
        ------
        MissingPartError
            If Dask is not installed.
        SpecError
            If no scheduler or worker answers, or a worker runs other code.
        """
        with _client(self.address, self.timeout) as client:
            self._check_workers(client)

    def run(
        self, work: Callable[[Task], dict[str, Any]], tasks: Sequence[Task]
    ) -> Generator[tuple[int, dict[str, Any]]]:
        """
        Yield the result of each task as soon as it is finished; closing stops what is left.

        Parameters
        ----------
        work : callable
            Holds what all tasks share.
        tasks : sequence
            What is done, one task at a time in each worker process.

        Yields
        ------
        place : int
            Position of the task.
        result : dict
            ``work(task)``.

        Raises
        ------
        MissingPartError
            If Dask is not installed.
        SpecError
            If no scheduler or worker answers, a worker runs other code, or a task was lost more
            than `retries` times.
        """
        if not tasks:
            return
        with _client(self.address, self.timeout) as client:
            self._check_workers(client)
            left = dict(enumerate(tasks))
            for _ in range(self.retries + 1):
                for place, result in _pass(client, work, left):
                    del left[place]
                    yield place, result
                if not left:
                    return
                self._wait_for_worker(client)
        message = (
            f"`executor`: {len(left)} of {len(tasks)} tasks were lost with their worker more than "
            f"{self.retries} times; look for workers that run out of memory, or raise `retries`"
        )
        raise SpecError(message)

    def _check_workers(self, client: Any) -> None:
        self._wait_for_worker(client)
        if self.code_version is None:
            return
        own, found = self.code_version(), client.run(self.code_version)
        other = sum(version != own for version in found.values())
        if other:
            message = (
                f"`executor`: {other} of {len(found)} workers run another version of the code; "
                "install the same version everywhere and start them again"
            )
            raise SpecError(message)

    def _wait_for_worker(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=self.timeout)
        except TimeoutError:
            message = (
                f"`executor`: the scheduler at {self.address} has no worker; start some with "
                f"`dask worker {self.address} --nthreads 1`"
            )
            raise SpecError(message) from None


@contextmanager
def _client(address: str, timeout: float) -> Generator[Any]:
    try:
        from distributed import Client
    except ImportError:
        message = "`executor: dask` needs Dask; install with `pip install 'scorebuilder[dask]'`"
        raise MissingPartError(message) from None
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError):
        message = (
            f"`executor`: no Dask scheduler answers at {address}; start one with `dask scheduler`, "
            "or correct `address`"
        )
        raise SpecError(message) from None
    try:
        yield client
    finally:
        client.close()


def _pass(
    client: Any, work: Callable[[Task], dict[str, Any]], tasks: dict[int, Task]
) -> Generator[tuple[int, dict[str, Any]]]:
    """Send out all tasks; those that are lost with the data of their worker are left out."""
    from concurrent.futures import CancelledError

    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    shared = client.scatter(work, broadcast=True, hash=False)
    futures = {client.submit(_do, shared, task, pure=False): place for place, task in tasks.items()}
    try:
        for future in as_completed(futures, loop=client.loop):
            try:
                result = future.result()
            except (KilledWorker, CancelledError):
                continue
            finally:
                future.release()
            yield futures[future], result
    finally:
        client.cancel(list(futures))


def _do(work: Callable[[Task], dict[str, Any]], task: Task) -> dict[str, Any]:
    """Run a task alone in its process: warnings and thread pools belong to the whole process."""
    with _ONE_AT_A_TIME:
        return work(task)


EXECUTORS.register("dask", DaskExecutor)
