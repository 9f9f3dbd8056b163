"""How few variables do: cross-validated performance of forests on more and more of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from scorebuilder.core.arrays import IntArray, Outcome
from scorebuilder.core.errors import ModelError, UndefinedMetricError
from scorebuilder.core.seeds import generator, seed_of
from scorebuilder.selection.importance_measure import (
    IMPORTANCE_MEASURES,
    ImportanceMeasure,
    JudgedPatients,
)
from scorebuilder.selection.refits import Refits
from scorebuilder.survival.outcome import check_outcome

CHANCE = 0.5
"""AUC(t) and C-index of the same prediction for everybody."""


def parsimony_curve(refits: Refits, order: Sequence[str]) -> pd.DataFrame:
    r"""
    Judge forests on the first k variables, for every k, in patients they were not grown on.

    Parameters
    ----------
    refits : Refits
        Patients, variables, forest, VIMP, horizon and number of folds.
    order : sequence of str
        All units by descending VIMP, as ranked on all patients; names the variables of the curve.

    Returns
    -------
    DataFrame
        One row per number of variables, ascending: n_variables; variable (the one added, empty in
        the first row); mean and standard_error over the folds of AUC(t) at the horizon, or of the
        C-index without horizon; n_folds. The first row holds the variables to be kept; without any,
        no variable at all, which is chance and has no error.

    Raises
    ------
    ModelError
        If a fold cannot be filled or judged.
    ValueError
        If fewer than two folds are asked for.

    Notes
    -----
    In each fold the variables are ranked anew by the VIMP of a forest on the other folds: ranked on
    all patients, those that happened to do well in the fold would come first and flatter the curve
    [1]_. So the k variables of a fold are not always the first k of `order`. The standard error is
    the standard deviation over the folds divided by the root of their number; folds share patients
    of the forests, so that it is a rough one. The censoring weights of AUC(t) come from all
    patients of `fit`.

    References
    ----------
    .. [1] Ambroise C, McLachlan GJ. Selection bias in gene extraction on the basis of microarray
       gene-expression data. Proc Natl Acad Sci USA 2002;99:6562-6.
    """
    fold = inner_folds(
        refits.y, refits.inner_folds, horizon=refits.horizon, random_state=refits.random_state
    )
    measure = IMPORTANCE_MEASURES["harrell" if refits.horizon is None else "auc"](
        JudgedPatients(refits.y, None, refits.horizon)
    )
    numbers = range(refits.inner_folds)
    parallel = Parallel(n_jobs=refits.n_jobs, require="sharedmem")
    ranked = parallel(delayed(_rank_in_fold)(refits, fold, number) for number in numbers)
    first, last = len(refits.keep), len(refits.units)
    grown = range(max(first, 1), last + 1)
    places = [(number, k) for number in numbers for k in grown]
    values = parallel(
        delayed(_judge)(refits, measure, fold, number, ranked[number][:k]) for number, k in places
    )
    table = np.array(values, dtype=np.float64).reshape(len(numbers), len(grown))
    if first == 0:
        table = np.hstack([np.full((len(numbers), 1), CHANCE), table])
    free = [name for name in order if name not in refits.keep]
    return pd.DataFrame(
        {
            "n_variables": np.arange(first, last + 1),
            "variable": ["", *free],
            "mean": table.mean(axis=0),
            "standard_error": table.std(axis=0, ddof=1) / np.sqrt(len(numbers)),
            "n_folds": len(numbers),
        }
    )


def smallest_within_one_error(curve: pd.DataFrame) -> int:
    """
    Return the smallest number of variables within one standard error of the best.

    Parameters
    ----------
    curve : DataFrame
        Columns n_variables (ascending), mean, standard_error.

    Returns
    -------
    int
        Whose mean is at least the largest mean less its standard error [1]_.

    References
    ----------
    .. [1] Breiman L, Friedman JH, Olshen RA, Stone CJ. Classification and Regression Trees.
       Wadsworth; 1984. Section 3.4.3.

    Examples
    --------
    >>> curve = pd.DataFrame({"n_variables": [0, 1, 2, 3], "mean": [0.5, 0.68, 0.71, 0.72]})
    >>> smallest_within_one_error(curve.assign(standard_error=0.02))
    2
    """
    mean = curve["mean"].to_numpy()
    best = int(np.argmax(mean))
    limit = mean[best] - float(curve["standard_error"].iloc[best])
    return int(curve["n_variables"].iloc[int(np.argmax(mean >= limit))])


def inner_folds(y: Outcome, n_folds: int, *, horizon: float | None, random_state: int) -> IntArray:
    """
    Deal patients into folds, by what is known of them at the horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    n_folds : int
        At least 2.
    horizon : float or None
        In the unit of `y`; without it only the event counts.
    random_state : int
        Seed.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        0 to n_folds - 1. Patients with the event by the horizon, those followed beyond it, and
        the others, are each spread evenly.

    Raises
    ------
    ModelError
        If there are fewer patients with the event (by the horizon), or followed beyond it, than
        folds.
    ValueError
        If there are fewer than two folds.
    """
    if n_folds < 2:
        message = f"`inner_folds` must be at least 2; got {n_folds}"
        raise ValueError(message)
    event, time = check_outcome(y)
    case = event if horizon is None else event & (time <= horizon)
    control = ~event if horizon is None else time > horizon
    if int(case.sum()) < n_folds or (horizon is not None and int(control.sum()) < n_folds):
        by = "" if horizon is None else f" by the horizon ({horizon:g}) and {control.sum()} beyond"
        other = "" if horizon is None else " or another horizon"
        message = (
            f"each of the {n_folds} inner folds must be judged; {case.sum()} patients have the "
            f"event{by}. Choose fewer `inner_folds`{other}."
        )
        raise ModelError(message)
    random = generator(random_state, "inner folds")
    strata = (case, control & ~case, ~case & ~control)
    order = np.concatenate([random.permutation(np.flatnonzero(stratum)) for stratum in strata])
    fold = np.empty(event.size, dtype=np.int64)
    fold[order] = np.arange(event.size) % n_folds
    return fold


def _rank_in_fold(refits: Refits, fold: IntArray, number: int) -> list[str]:
    """Units by descending VIMP on the other folds, those to be kept first."""
    rows = np.flatnonzero(fold != number)
    X, y = refits.X.iloc[rows].reset_index(drop=True), refits.y[rows]
    forest = refits.grow(X, y, "parsimony", "ranking", number)
    seed = seed_of(refits.random_state, "parsimony", "vimp", number)
    vimp = refits.vimp(forest, X, y, refits.units, seed, 1)
    names = list(refits.units)
    by_vimp = [names[place] for place in np.argsort(-vimp, kind="stable")]
    return sorted(by_vimp, key=lambda name: name not in refits.keep)


def _judge(
    refits: Refits,
    measure: ImportanceMeasure,
    fold: IntArray,
    number: int,
    units: Sequence[str],
) -> float:
    """Judge in one fold a forest grown on the other folds."""
    columns = [column for unit in units for column in refits.units[unit]]
    rows, judged = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
    train = refits.X[columns].iloc[rows].reset_index(drop=True)
    test = refits.X[columns].iloc[judged]
    forest = refits.grow(train, refits.y[rows], "parsimony", number, len(units))
    prediction = np.full((fold.size, 1), np.nan)
    prediction[judged, 0] = (
        forest.predict(test)
        if refits.horizon is None
        else forest.predict_risk(test, horizon=refits.horizon)
    )
    try:
        return 1.0 - measure.loss(prediction, fold == number)
    except UndefinedMetricError as error:
        message = f"inner fold {number + 1} of {refits.inner_folds} cannot be judged: {error}"
        raise ModelError(message) from error
