"""Who is judged in which fold: patients are dealt at random, events evenly."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, IntArray
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import generator


def stratified_folds(event: Any, *, folds: int, repeats: int, random_state: int) -> IntArray:
    """
    Deal patients into folds, events and non-events separately.

    Parameters
    ----------
    event : array-like of bool of shape (n_patients,)
        True where the event was seen.
    folds : int
        Number of folds, >= 2.
    repeats : int
        Number of times the dealing is repeated, >= 1.
    random_state : int
        Seed; a repeat is the same whatever the number of repeats.

    Returns
    -------
    ndarray of int of shape (n_repeats, n_patients)
        Fold 0 to folds - 1. Sizes of folds, and their numbers of events, differ by at most one.

    Raises
    ------
    ValueError
        If `folds` or `repeats` is too small.
    ModelError
        If there are fewer events, or fewer patients without event, than folds.
    """
    events: BoolArray = np.asarray(event, dtype=np.bool_)
    if folds < 2 or repeats < 1:
        message = f"`folds` must be at least 2 and `repeats` at least 1; got {folds} and {repeats}"
        raise ValueError(message)
    n_events = int(events.sum())
    fewest = min(n_events, events.size - n_events)
    if n_events < folds or (fewest > 0 and fewest < folds):
        message = (
            f"each of the {folds} folds needs a patient with and one without event; the cohort has "
            f"{n_events} events among {events.size} patients. Choose fewer folds."
        )
        raise ModelError(message)
    out = np.empty((repeats, events.size), dtype=np.int64)
    for repeat in range(repeats):
        random = generator(random_state, "folds", repeat)
        order = np.concatenate(
            [
                random.permutation(np.flatnonzero(events)),
                random.permutation(np.flatnonzero(~events)),
            ]
        )
        out[repeat, order] = np.arange(events.size) % folds
    return out
