"""AUC of the event by the horizon as a binary outcome, as older papers have it."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.binary_auc import binary_auc
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate


def auc_binary_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> MetricEstimate:
    """
    AUC without weights: patients censored before the horizon are left out.

    Parameters
    ----------
    y_train : structured ndarray or None
        Not used: no censoring weights.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk.
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are controls.

    Returns
    -------
    MetricEstimate
        Standard error by DeLong; see `binary_auc`, which also counts who is left out.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Examples
    --------
    Patient 3, lost before the horizon, does not count: the case beats one of two controls.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 0, 0], [1, 9, 3, 9])
    >>> auc_binary_estimate(None, y, np.array([0.5, 0.8, 0.1, 0.4]), horizon=5).value
    0.5
    """
    found = binary_auc(y_test, risk, horizon=horizon, competing=competing)
    error = found.standard_error(np.ones(1))
    return MetricEstimate(float(found.values[0]), found.influence[0], error)


METRICS.register(
    "auc_binary",
    Metric(
        "auc_binary",
        auc_binary_estimate,
        "AUC without censored patients",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        with_competing=auc_binary_estimate,
    ),
)
