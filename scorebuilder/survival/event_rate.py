"""Events per patient-year with an exact interval."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import chi2

from scorebuilder.core.arrays import Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR


@dataclass(frozen=True)
class EventRate:
    """
    An incidence rate.

    Attributes
    ----------
    events : int
        Patients with an event.
    patient_years : float
        Follow-up of all patients until event or censoring.
    value, lower, upper : float
        Events per 1,000 patient-years with its interval.
    """

    events: int
    patient_years: float
    value: float
    lower: float
    upper: float


def event_rate(y: Outcome, *, level: float = 0.95) -> EventRate:
    r"""
    Count events per 1,000 patient-years.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (bool), ``time`` (float, days).
    level : float
        Coverage of the interval, at least.

    Returns
    -------
    EventRate
        With the exact interval of a Poisson count [1]_; its lower limit is 0 without events.

    Raises
    ------
    UndefinedMetricError
        If nobody was followed.

    Notes
    -----
    With d events in T years the limits are :math:`\chi^2_{2d}(\alpha/2) / 2T` and
    :math:`\chi^2_{2d+2}(1-\alpha/2) / 2T`. They take the hazard as constant; where it is not, the
    rate is an average over the time that was seen.

    References
    ----------
    .. [1] Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-42.
    """
    years = float(y["time"].sum()) / DAYS_PER_YEAR
    if not years > 0:
        message = "nobody was followed"
        raise UndefinedMetricError(message)
    events, tail = int(y["event"].sum()), 0.5 * (1.0 - level)
    lower = float(chi2.ppf(tail, 2 * events)) / 2.0 if events else 0.0
    upper = float(chi2.ppf(1.0 - tail, 2 * events + 2)) / 2.0
    per = 1000.0 / years
    return EventRate(events, years, per * events, per * lower, per * upper)
