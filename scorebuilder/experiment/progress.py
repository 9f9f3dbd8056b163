"""How a run tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Where a run tells how far it is."""

    def stage(self, name: str, total: int) -> None:
        """
        Begin a stage.

        Parameters
        ----------
        name : str
            In words.
        total : int
            Steps of the stage.
        """
        ...

    def advance(self, n: int = 1) -> None:
        """
        Count finished steps.

        Parameters
        ----------
        n : int
            How many.
        """
        ...

    def done(self) -> None:
        """End the last stage."""
        ...


class Silent:
    """Progress for callers who do not want any."""

    def stage(self, name: str, total: int) -> None:
        """
        Ignore a stage.

        Parameters
        ----------
        name : str
            Ignored.
        total : int
            Ignored.
        """

    def advance(self, n: int = 1) -> None:
        """
        Ignore a step.

        Parameters
        ----------
        n : int
            Ignored.
        """

    def done(self) -> None:
        """Ignore the end."""
