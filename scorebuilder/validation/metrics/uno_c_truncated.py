"""Uno's C-index of the pairs whose earlier event comes by the horizon."""

from __future__ import annotations

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.validation.concordance import concordance_estimate, uno_c
from scorebuilder.validation.influence import jackknife_error
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate


def uno_c_truncated_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
) -> MetricEstimate:
    """
    Uno's C-index truncated at the horizon (tau), with its influence function.

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

    Returns
    -------
    MetricEstimate
        Standard error as root of the summed squares of the jackknife; see `uno_c`.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.

    Examples
    --------
    The second event comes after the horizon: 2 of the 3 pairs of the first, all of weight 1.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> risk = np.array([0.3, 0.4, 0.2, 0.1])
    >>> round(uno_c_truncated_estimate(None, y, risk, horizon=2.0).value, 6)
    0.666667
    """
    return concordance_estimate(uno_c(y_test, risk, until=horizon))


METRICS.register(
    "uno_c_truncated",
    Metric(
        "uno_c_truncated",
        uno_c_truncated_estimate,
        "Uno's C-index by the horizon",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        spread=jackknife_error,
    ),
)
