"""How many patients are left after each exclusion, in numbers that add up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class AttritionStep:
    """
    One box of the flow chart.

    Attributes
    ----------
    label : str
        Why patients leave, or what the rows are.
    n_excluded : int
        Patients who leave here.
    n_left : int
        Patients who remain.
    events_left : int
        Events among those who remain.
    """

    label: str
    n_excluded: int
    n_left: int
    events_left: int


@dataclass(frozen=True)
class Attrition:
    """
    The way from the rows read to the patients analysed.

    Attributes
    ----------
    steps : tuple of AttritionStep
        In order; each starts with those whom the last one left.

    Raises
    ------
    ValueError
        If the numbers of a step do not add up to the row.

    Examples
    --------
    >>> flow = Attrition((AttritionStep("rows read", 0, 5, 2), AttritionStep("no time", 1, 4, 2)))
    >>> flow.n_analysed
    4
    """

    steps: tuple[AttritionStep, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            message = "`steps` must hold at least one step"
            raise ValueError(message)
        for step in self.steps:
            if step.n_excluded < 0 or not 0 <= step.events_left <= step.n_left:
                message = (
                    f"the step `{step.label}` has a count below 0 or more events than patients"
                )
                raise ValueError(message)
        for before, after in pairwise(self.steps):
            fewer = before.events_left - after.events_left
            if before.n_left - after.n_excluded != after.n_left or not (
                0 <= fewer <= after.n_excluded
            ):
                message = (
                    f"the step `{after.label}` does not add up: {before.n_left} patients with "
                    f"{before.events_left} events, {after.n_excluded} excluded, {after.n_left} "
                    f"left with {after.events_left} events"
                )
                raise ValueError(message)

    @property
    def n_read(self) -> int:
        """Patients at the start."""
        return self.steps[0].n_left + self.steps[0].n_excluded

    @property
    def n_analysed(self) -> int:
        """Patients at the end."""
        return self.steps[-1].n_left

    def to_records(self) -> list[dict[str, Any]]:
        """
        Return the steps as plain dictionaries.

        Returns
        -------
        list of dict
            Keys ``label``, ``n_excluded``, ``n_left`` and ``events_left``.
        """
        return [asdict(step) for step in self.steps]
