"""Harrell's C-index of the pairs whose earlier event comes by the horizon."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.concordance import concordance_estimate, harrell_c
from scorebuilder.validation.influence import jackknife_error
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate


def c_index_truncated_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> MetricEstimate:
    """
    Harrell's C-index truncated at the horizon, with its influence function.

    Parameters
    ----------
    y_train : structured ndarray or None
        Not used: no censoring weights.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        Later events do not count, in the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event: they outlive everybody.

    Returns
    -------
    MetricEstimate
        Standard error as root of the summed squares of the jackknife; see `harrell_c`.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.

    Examples
    --------
    Only the event of patient 1 counts: he beats 3, and 2 and 4 beat him.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> risk = np.array([0.5, 0.8, 0.4, 0.6])
    >>> round(c_index_truncated_estimate(None, y, risk, horizon=2.0).value, 6)
    0.333333
    """
    return concordance_estimate(harrell_c(y_test, risk, until=horizon, competing=competing))


METRICS.register(
    "c_index_truncated",
    Metric(
        "c_index_truncated",
        c_index_truncated_estimate,
        "C-index by the horizon",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        with_competing=c_index_truncated_estimate,
        spread=jackknife_error,
    ),
)
