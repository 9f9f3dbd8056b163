"""C-index with competing risks, weighted for censoring."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.competing_concordance import competing_concordance
from scorebuilder.survival.outcome import check_competing
from scorebuilder.validation.influence import jackknife_error
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions


def wolbers_c_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> MetricEstimate:
    """
    C-index of Wolbers and colleagues, truncated at the horizon, with its influence function.

    Parameters
    ----------
    y_train : structured ndarray or None
        Not used: the censoring distribution comes from `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        Later events do not count, in the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by default nobody.

    Returns
    -------
    MetricEstimate
        Standard error as root of the summed squares of the jackknife with the censoring weights
        held fixed; see `competing_concordance`.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair, or if a censoring weight is infinite.

    Examples
    --------
    Pairs 1-2 and 1-3 are ordered rightly; 3 fails after 2 died of another cause: 2 of 3.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1], [1, 2, 3])
    >>> competing = np.array([False, True, False])
    >>> risk = np.array([0.9, 0.5, 0.2])
    >>> found = wolbers_c_estimate(None, y, risk, horizon=3, competing=competing)
    >>> round(found.value, 6)
    0.666667
    """
    prediction = check_predictions(y_test, risk)
    other = np.zeros(prediction.size, np.bool_)
    if competing is not None:
        other = check_competing(y_test, competing)
    value, jackknife = competing_concordance(y_test, other, prediction, until=horizon)
    influence = jackknife * prediction.size
    return MetricEstimate(value, influence, jackknife_error(influence))


METRICS.register(
    "wolbers_c",
    Metric(
        "wolbers_c",
        wolbers_c_estimate,
        "Wolbers' C-index by the horizon",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        with_competing=wolbers_c_estimate,
        spread=jackknife_error,
    ),
)
