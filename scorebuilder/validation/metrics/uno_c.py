"""Uno's C-index: Harrell's with pairs weighted for censoring."""

from __future__ import annotations

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.validation.concordance import concordance_estimate, uno_c
from scorebuilder.validation.influence import jackknife_error
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate


def uno_c_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,  # noqa: ARG001
) -> MetricEstimate:
    """
    Uno's C-index over all follow-up, with its influence function.

    Parameters
    ----------
    y_train : structured ndarray or None
        Not used: the censoring distribution comes from `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        Not used: all follow-up counts.

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
    Events weigh 1 and 9/4 (G(3-) = 2/3): (2 + 9/4) / (3 + 9/4).

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> risk = np.array([0.3, 0.4, 0.2, 0.1])
    >>> round(uno_c_estimate(None, y, risk, horizon=np.inf).value, 6)
    0.809524
    """
    return concordance_estimate(uno_c(y_test, risk))


METRICS.register(
    "uno_c",
    Metric(
        "uno_c",
        uno_c_estimate,
        "Uno's C-index",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        whole_follow_up=True,
        spread=jackknife_error,
    ),
)
