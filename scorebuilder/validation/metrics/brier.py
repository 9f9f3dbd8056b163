"""Brier score of absolute risk at a horizon, weighted for censoring."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence, censoring_weights
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions


def brier_estimate(
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
    Brier score with its influence function, including the estimation of the censoring weights.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`. With other patients the
        weights count as known, and the influence leaves out their estimation.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
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
        Standard error as standard deviation of the influence / sqrt(n).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.

    Notes
    -----
    .. math:: \mathrm{BS}(t) = \frac1n \sum_i a_i (1 - p_i)^2 + b_i p_i^2

    with :math:`a_i = 1/G(T_i-)` for events by t and :math:`b_i = 1/G(t)` for patients observed
    beyond t. [1]_ [2]_ A patient with a competing event by t counts as free of the event of
    interest, with the weight :math:`1/G(T_i-)`. Takes censoring as independent of the covariates.

    References
    ----------
    .. [1] Graf E, et al. Assessment and comparison of prognostic classification schemes for
       survival data. Stat Med 1999;18:2529-45.
    .. [2] Gerds TA, Schumacher M. Consistent estimation of the expected Brier score in general
       survival models with right-censored event times. Biom J 2006;48:1029-40.
    """
    prediction = check_predictions(y_test, risk, horizon=horizon, probability=True)
    weights = censoring_weights(y_train, y_test, horizon=horizon, competing=competing)
    residual = weights.case * (1.0 - prediction) ** 2 + weights.control * prediction**2
    value = float(residual.mean())
    influence = residual - value
    if y_train is None and not conservative:
        kappa = residual / prediction.size
        influence = influence + censoring_influence(
            y_test, kappa, horizon=horizon, competing=competing
        )
    return MetricEstimate(value, influence, influence_error(influence))


def brier_at(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> float:
    """
    Brier score: weighted mean squared error of the risk.

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
        0 is perfect; a constant risk of 0.5 gives 0.25 when nobody is censored.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.

    Examples
    --------
    (0.5^2 + 0.8^2) / 2 = 0.445 with nobody censored.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1], [1, 9])
    >>> round(brier_at(None, y, np.array([0.5, 0.8]), horizon=5), 12)
    0.445
    """
    return brier_estimate(y_train, y_test, risk, horizon=horizon, competing=competing).value


METRICS.register(
    "brier",
    Metric(
        "brier",
        brier_estimate,
        "Brier score",
        greater_is_better=False,
        perfect=0.0,
        with_competing=brier_estimate,
    ),
)
