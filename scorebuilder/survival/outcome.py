"""The outcome of each patient: whether the event came, and when follow-up ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome

OUTCOME_DTYPE = np.dtype([("event", np.bool_), ("time", np.float64)])


def make_outcome(event: Any, time: Any) -> Outcome:
    """
    Join event and time into one structured array.

    Parameters
    ----------
    event : array-like of shape (n_patients,)
        True or 1 where the event was seen, False or 0 where the patient was censored.
    time : array-like of shape (n_patients,)
        End of follow-up, > 0, in one unit (a cohort uses days).

    Returns
    -------
    structured ndarray of shape (n_patients,)
        Fields ``event`` (bool) and ``time`` (float).

    Raises
    ------
    ValueError
        If lengths differ, an event is not 0 or 1, or a time is not finite and positive.

    Examples
    --------
    >>> make_outcome([1, 0], [5, 8])["time"]
    array([5., 8.])
    """
    events = np.asarray(event)
    times = np.asarray(time, dtype=np.float64)
    if events.shape != times.shape or times.ndim != 1:
        message = (
            "`event` and `time` must be one-dimensional and of equal length; "
            f"got shapes {events.shape} and {times.shape}"
        )
        raise ValueError(message)
    if events.dtype != np.bool_:
        wrong = int(np.sum(~np.isin(events.astype(np.float64), (0.0, 1.0))))
        if wrong:
            message = f"`event` must hold 0 and 1 only; {wrong} values do not"
            raise ValueError(message)
    y = np.empty(times.shape[0], dtype=OUTCOME_DTYPE)
    y["event"] = events.astype(np.bool_)
    y["time"] = times
    check_outcome(y)
    return y


def check_outcome(y: Outcome) -> tuple[BoolArray, FloatArray]:
    """
    Return ``(event, time)`` of an outcome, or say what is wrong with it.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (bool) and ``time`` (float).

    Returns
    -------
    event : ndarray of bool of shape (n_patients,)
        True where the event was seen.
    time : ndarray of float of shape (n_patients,)
        End of follow-up.

    Raises
    ------
    ValueError
        If `y` has other fields, or a time is not finite and positive.
    """
    names = getattr(getattr(y, "dtype", None), "names", None)
    if names is None or set(names) != {"event", "time"}:
        message = "`y` must be a structured array with fields `event` and `time`; see make_outcome"
        raise ValueError(message)
    time = np.ascontiguousarray(y["time"], dtype=np.float64)
    wrong = int(np.sum(~(np.isfinite(time) & (time > 0))))
    if wrong:
        message = f"`time` must be finite and positive; {wrong} of {time.size} values are not"
        raise ValueError(message)
    return np.ascontiguousarray(y["event"], dtype=np.bool_), time


def check_competing(y: Outcome, competing: Any) -> BoolArray:
    """
    Return who had the competing event, or say what is wrong with it.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (of interest) and ``time``.
    competing : array-like of bool of shape (n_patients,)
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ndarray of bool of shape (n_patients,)
        The same.

    Raises
    ------
    ValueError
        If it has another shape or type, or a patient has both events.
    """
    event, _ = check_outcome(y)
    other = np.ascontiguousarray(competing)
    if other.shape != event.shape or other.dtype != np.bool_:
        message = (
            f"`competing` must be an array of bool of shape {event.shape}; got {other.dtype} of "
            f"shape {other.shape}"
        )
        raise ValueError(message)
    both = int(np.sum(other & event))
    if both:
        message = (
            f"a follow-up ends with one event; {both} patients have both in `y` and `competing`"
        )
        raise ValueError(message)
    return other


def ended_outcome(y: Outcome, competing: Any) -> Outcome:
    """
    Outcome in which an event of either kind ends follow-up.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (of interest) and ``time``.
    competing : array-like of bool of shape (n_patients,)
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    structured ndarray of shape (n_patients,)
        From which the censoring distribution is estimated.

    Raises
    ------
    ValueError
        As `check_competing`.
    """
    return make_outcome(y["event"] | check_competing(y, competing), y["time"])


def outliving_outcome(y: Outcome, competing: Any) -> Outcome:
    """
    Outcome in which patients with the competing event outlive everybody.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (of interest) and ``time``.
    competing : array-like of bool of shape (n_patients,)
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    structured ndarray of shape (n_patients,)
        On which Harrell's C compares as it should with competing risks, censoring apart.

    Raises
    ------
    ValueError
        As `check_competing`.
    """
    other = check_competing(y, competing)
    return make_outcome(y["event"], np.where(other, y["time"].max() + 1.0, y["time"]))
