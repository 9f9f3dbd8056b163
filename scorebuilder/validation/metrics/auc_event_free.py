"""AUC at a horizon against patients free of every event, with competing risks."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.censoring import CensoringWeights
from scorebuilder.validation.ipcw import censoring_weights
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions
from scorebuilder.validation.weighted_auc import auc_from_weights


def auc_event_free_estimate(
    y_train: Outcome | None,
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
    strict: bool = False,
) -> MetricEstimate:
    r"""
    AUC(t) whose controls are free of the competing event too.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are neither
        case nor control. Without them the value is AUC(t).
    strict : bool
        Whether an event at exactly the horizon counts as none.

    Returns
    -------
    MetricEstimate
        Standard error as standard deviation of the influence / sqrt(n), which includes the
        estimation of the censoring weights if `y_train` is None.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    Cases have the event of interest by t (weight :math:`1/G(T_i-)`), controls are observed beyond
    t; the first of the two definitions of [1]_. It answers another question than AUC(t): whether
    who has the event is told from who stays well, not from everybody else.

    References
    ----------
    .. [1] Blanche P, Dartigues JF, Jacqmin-Gadda H. Estimating and comparing time-dependent areas
       under receiver operating characteristic curves for censored event times with competing
       risks. Stat Med 2013;32:5381-97.

    Examples
    --------
    Patient 2 has the competing event and does not count: the case beats one of two controls.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 0, 0], [1, 2, 9, 9])
    >>> competing = np.array([False, True, False, False])
    >>> risk = np.array([0.5, 0.1, 0.4, 0.6])
    >>> auc_event_free_estimate(None, y, risk, horizon=5, competing=competing).value
    0.5
    """
    prediction = check_predictions(y_test, risk, horizon=horizon)
    weights = censoring_weights(
        y_train, y_test, horizon=horizon, competing=competing, strict=strict
    )
    event_free = np.where(y_test["time"] > horizon, weights.control, 0.0)
    judged = CensoringWeights(weights.case, event_free, weights.largest)
    estimated = y_test if y_train is None else None
    return auc_from_weights(prediction, judged, estimated, horizon=horizon, competing=competing)


METRICS.register(
    "auc_event_free",
    Metric(
        "auc_event_free",
        auc_event_free_estimate,
        "AUC(t) against event-free patients",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        with_competing=auc_event_free_estimate,
    ),
)
