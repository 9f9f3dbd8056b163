"""Calibration in the large: observed over expected events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.validation.metric import check_predictions

NO_EVENT = "no patient has the event by the horizon, so that the ratio has no interval"
ALL_EVENTS = "everybody has the event, so that Greenwood's error is not defined"


@dataclass(frozen=True)
class CalibrationInTheLarge:
    """
    Observed over expected events.

    Attributes
    ----------
    observed, expected : float
        Kaplan-Meier (Aalen-Johansen) risk and mean predicted risk.
    ratio : float
        Observed / expected; 1 is perfect, above 1 the risk is underestimated.
    lower, upper : float or None
        95 % limits from the standard error of the observed risk.
    lower_by_events, upper_by_events : float or None
        95 % limits from the number of events alone.
    events : int
        Seen by the horizon.
    reason : str or None
        Why there are no limits.
    """

    observed: float
    expected: float
    ratio: float
    lower: float | None
    upper: float | None
    lower_by_events: float | None = None
    upper_by_events: float | None = None
    events: int = 0
    reason: str | None = None

    @property
    def difference(self) -> float:
        """Observed minus expected risk."""
        return self.observed - self.expected


def calibration_in_the_large(
    y: Outcome, risk: FloatArray, *, horizon: float, competing: BoolArray | None = None
) -> CalibrationInTheLarge:
    r"""
    Observed / expected risk by a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    CalibrationInTheLarge
        Ratio with its intervals; without an event by the horizon 0, and no interval.

    Raises
    ------
    UndefinedMetricError
        Without expected events, or past the follow-up.

    Notes
    -----
    .. math:: \frac{O}{E} = \frac{1 - S(t)}{\bar p}, \quad
       \frac{O}{E} \exp(\pm 1.96\, \mathrm{se} / O), \quad
       \frac{O}{E} \exp(\pm 1.96 / \sqrt{\mathrm{events}})

    Censoring is taken as independent.

    References
    ----------
    .. [1] McLernon DJ, et al. Assessing performance and clinical usefulness in prediction models
       with survival outcomes. Ann Intern Med 2023;176:105-14.
    .. [2] van Geloven N, et al. Validation of prediction models in the presence of competing risks:
       a guide through modern methods. BMJ 2022;377:e069249.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    estimate = event_risk(y, horizon, competing=competing)
    expected = float(prediction.mean())
    if expected == 0.0:
        message = "the predicted risk is 0 for every patient"
        raise UndefinedMetricError(message)
    ratio = estimate.risk / expected
    events = int(np.sum(y["event"] & (y["time"] <= horizon)))
    if events == 0:
        return CalibrationInTheLarge(0.0, expected, 0.0, None, None, reason=NO_EVENT)
    by_events = float(np.exp(Z_95 / np.sqrt(events)))
    limits = (ratio / by_events, ratio * by_events)
    if estimate.complement == 0.0:
        return CalibrationInTheLarge(
            estimate.risk, expected, ratio, None, None, *limits, events, ALL_EVENTS
        )
    factor = float(np.exp(Z_95 * estimate.standard_error / estimate.risk))
    return CalibrationInTheLarge(
        estimate.risk, expected, ratio, ratio / factor, ratio * factor, *limits, events
    )
