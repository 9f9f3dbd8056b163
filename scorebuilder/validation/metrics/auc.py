"""Cumulative/dynamic area under the ROC curve at a horizon, weighted for censoring."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.ipcw import censoring_weights
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions
from scorebuilder.validation.weighted_auc import auc_from_weights


def auc_estimate(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
    conservative: bool = False,
    strict: bool = False,
) -> MetricEstimate:
    r"""
    AUC(t) with its influence function, including the estimation of the censoring weights.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`. With other patients the
        weights count as known, and the influence leaves out their estimation.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are controls.
    conservative : bool
        Whether the standard error takes the censoring weights as known, which makes it larger.
    strict : bool
        Whether an event at exactly the horizon counts as none, neither case nor control.

    Returns
    -------
    MetricEstimate
        Standard error as standard deviation of the influence / sqrt(n).

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    Cases have the event by t (weight :math:`a_i = 1/G(T_i-)`), controls are observed beyond t
    (:math:`b_i = 1/G(t)`); a patient observed to exactly t without event is neither. With a
    competing event by t the patient is a control of weight :math:`1/G(T_i-)`.

    .. math:: \mathrm{AUC}(t) = \frac{\sum_{ij} a_i b_j (1[p_i > p_j] + \tfrac12 1[p_i = p_j])}
       {\sum_i a_i \sum_j b_j}

    Takes censoring as independent of the risk and of the outcome. [1]_ [2]_

    References
    ----------
    .. [1] Uno H, et al. Evaluating prediction rules for t-year survivors with censored regression
       models. J Am Stat Assoc 2007;102:527-37.
    .. [2] Blanche P, et al. Stat Med 2013;32:5381-97.
    """
    prediction = check_predictions(y_test, risk, horizon=horizon)
    weights = censoring_weights(
        y_train, y_test, horizon=horizon, competing=competing, strict=strict
    )
    known = conservative or y_train is not None
    return auc_from_weights(
        prediction, weights, None if known else y_test, horizon=horizon, competing=competing
    )


def auc_at(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> float:
    """
    AUC(t): probability that a patient with the event by t had the higher risk than one without.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk.
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, 1 is perfect.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Examples
    --------
    Case 1 beats control 3 but not control 4; case 2 beats both: 3 of 4 pairs.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> auc_at(None, y, np.array([0.5, 0.8, 0.1, 0.6]), horizon=5)
    0.75
    """
    return auc_estimate(y_train, y_test, risk, horizon=horizon, competing=competing).value


METRICS.register(
    "auc",
    Metric(
        "auc",
        auc_estimate,
        "AUC(t)",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        with_competing=auc_estimate,
    ),
)
