"""The outcome of the development patients on the time grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import StatisticalWarning
from scorebuilder.selection.arrays import CellArray, Int32Array
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.outcome import check_outcome, make_outcome

LARGEST_TOTAL = 1e90
"""Of weights whose cube, in the variance of the log-rank statistic, is still a number."""
FEWEST_PER_PATIENT = 0.1
"""Mean case weight below which a warning says that nodes become too light to be split."""


@dataclass(frozen=True)
class PlacedOutcome:
    """
    The outcome on the time grid.

    Attributes
    ----------
    cell : ndarray of int32 of shape (n_patients,)
        0..n_times; at risk in the cells 1 to this one.
    status : ndarray of int16 of shape (n_patients,)
        0 censored, 1 event, 2 competing event.
    weight : ndarray of shape (n_patients,)
        Case weights.
    n_times : int
        Grid points.
    incidence : bool
        Terminal nodes carry the cumulative incidence instead of the cumulative hazard.
    """

    cell: Int32Array
    status: CellArray
    weight: FloatArray
    n_times: int
    incidence: bool


def place_outcome(
    y: Outcome, grid: TimeGrid, *, sample_weight: Any = None, competing: Any = None
) -> PlacedOutcome:
    """
    Place an outcome on a grid.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    grid : TimeGrid
        From the same outcome.
    sample_weight : array-like of shape (n_patients,), optional
        Case weights, >= 0.
    competing : array-like of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    PlacedOutcome
        What an engine needs.

    Raises
    ------
    ValueError
        If an array has another length or type, a weight is negative or not finite, no patient with
        an event has a positive one, or a patient has both events.

    Warns
    -----
    StatisticalWarning
        If the weights count a patient as less than a tenth on average.
    """
    check_outcome(y)
    weight = _case_weights(sample_weight, len(y))
    if not np.any(weight[y["event"]] > 0.0):
        message = "`sample_weight` must be positive for at least one patient with an event"
        raise ValueError(message)
    return PlacedOutcome(
        cell=grid.place(y).astype(np.int32),
        status=_status(y, competing),
        weight=weight,
        n_times=grid.times.size,
        incidence=competing is not None,
    )


def outliving(y: Outcome, status: CellArray) -> Outcome:
    """
    Let patients with the competing event outlive everybody.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    status : ndarray of int16 of shape (n_patients,)
        2 where follow-up ended with the competing event.

    Returns
    -------
    structured ndarray of shape (n_patients,)
        On which Harrell's C compares as it should with competing risks, censoring apart.
    """
    time = np.where(status == 2, y["time"].max() + 1.0, y["time"])
    return make_outcome(y["event"], time)


def _case_weights(sample_weight: Any, n_patients: int) -> FloatArray:
    if sample_weight is None:
        return np.ones(n_patients)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_patients,):
        message = f"`sample_weight` must have shape ({n_patients},); got {weight.shape}"
        raise ValueError(message)
    wrong = int(np.sum(~(np.isfinite(weight) & (weight >= 0.0))))
    if wrong:
        message = f"`sample_weight` must be finite and >= 0; {wrong} values are not"
        raise ValueError(message)
    n_counted, total = int(np.sum(weight > 0.0)), float(weight.sum())
    if total > LARGEST_TOTAL:
        message = (
            f"`sample_weight` adds up to {total:.3g}, too much for the statistics; multiply it so "
            "that its mean is 1"
        )
        raise ValueError(message)
    if total < FEWEST_PER_PATIENT * n_counted:
        message = (
            f"`sample_weight` counts patients, but adds up to {total:.3g} for {n_counted} of them; "
            "a node that weighs 1 or less is not split. Multiply it so that its mean is 1."
        )
        warnings.warn(message, StatisticalWarning, stacklevel=4)
    return weight


def _status(y: Outcome, competing: Any) -> Any:
    status = y["event"].astype(np.int16)
    if competing is None:
        return status
    other = np.asarray(competing)
    if other.shape != y.shape or other.dtype != np.bool_:
        message = (
            f"`competing` must be an array of bool of shape {y.shape}; got {other.dtype} of shape "
            f"{other.shape}"
        )
        raise ValueError(message)
    both = int(np.sum(other & y["event"]))
    if both:
        message = (
            f"a follow-up ends with one event; {both} patients have both in `y` and `competing`"
        )
        raise ValueError(message)
    status[other] = 2
    return status
