"""Brier score scaled by that of the cohort's mean risk: the index of prediction accuracy."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence, censoring_weights, cohort_risk
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions


def scaled_brier_estimate(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
    conservative: bool = False,
) -> MetricEstimate:
    r"""
    Scaled Brier score with its influence function.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the mean risk of the null model.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; the risk is then that of the event
        of interest in its presence.
    conservative : bool
        Whether the standard error takes the censoring weights as known.

    Returns
    -------
    MetricEstimate
        1 is perfect, 0 no better than the Kaplan-Meier risk for everybody, negative is worse.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or the null model makes no error.

    Notes
    -----
    .. math:: \mathrm{IPA}(t) = 1 - \mathrm{BS}(t) / \mathrm{BS}_0(t)

    The null risk minimises :math:`\mathrm{BS}_0`, so that its own estimation adds nothing to the
    influence function. [1]_

    References
    ----------
    .. [1] Kattan MW, Gerds TA. The index of prediction accuracy. Diagn Progn Res 2018;2:7.
    """
    prediction = check_predictions(y_test, risk, horizon=horizon, probability=True)
    weights = censoring_weights(y_train, y_test, horizon=horizon, competing=competing)
    null_risk = cohort_risk(y_test, horizon=horizon, competing=competing)
    residual = weights.case * (1.0 - prediction) ** 2 + weights.control * prediction**2
    null = weights.case * (1.0 - null_risk) ** 2 + weights.control * null_risk**2
    null_value = float(null.mean())
    if null_value <= 0.0 or null_risk in (0.0, 1.0):
        message = "the same risk for everybody makes no error: all or none have the event"
        raise UndefinedMetricError(message)
    ratio = float(residual.mean()) / null_value
    influence = -(residual - ratio * null) / null_value
    if y_train is None and not conservative:
        kappa = influence / prediction.size
        influence = influence + censoring_influence(
            y_test, kappa, horizon=horizon, competing=competing
        )
    return MetricEstimate(1.0 - ratio, influence, influence_error(influence))


def scaled_brier_at(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> float:
    """
    Scaled Brier score (index of prediction accuracy).

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; the risk is then that of the event
        of interest in its presence.

    Returns
    -------
    float
        1 is perfect, 0 no better than the Kaplan-Meier risk for everybody.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or the null model makes no error.

    Examples
    --------
    Brier (0.2^2 + 0.4^2) / 2 = 0.1 against 0.25 for a risk of one half.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0], [1, 9])
    >>> round(scaled_brier_at(None, y, np.array([0.8, 0.4]), horizon=5), 12)
    0.6
    """
    return scaled_brier_estimate(y_train, y_test, risk, horizon=horizon, competing=competing).value


METRICS.register(
    "scaled_brier",
    Metric(
        "scaled_brier",
        scaled_brier_estimate,
        "Scaled Brier score",
        greater_is_better=True,
        perfect=1.0,
        lowest=-np.inf,
        with_competing=scaled_brier_estimate,
    ),
)
