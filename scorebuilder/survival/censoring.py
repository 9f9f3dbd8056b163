"""The censoring distribution, and the weights by which it is undone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import StatisticalWarning, UndefinedMetricError
from scorebuilder.survival.kaplan_meier import risk_counts
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.survival.step_function import StepFunction


@dataclass(frozen=True)
class CensoringWeights:
    """
    Inverse probability of censoring weights at one horizon.

    Attributes
    ----------
    case, control : ndarray of shape (n_patients,)
        Weight as a patient with the event by the horizon; weight as one known to be free of it
        at the horizon. Both are 0 for patients censored before.
    largest : float
        The largest weight in use.
    """

    case: FloatArray
    control: FloatArray
    largest: float


class CensoringDistribution:
    r"""
    Kaplan-Meier estimate of the probability of being uncensored.

    Attributes
    ----------
    survival_ : StepFunction
        G(t), after `fit`.
    follow_up_ : float
        The longest follow-up of the fitted patients.

    Notes
    -----
    .. math:: G(u) = \prod_{v \le u} \left(1 - \frac{c_v}{n_v - d_v}\right)

    At equal times events come first, so that a patient with an event at v is not at risk of being
    censored at v. Censoring is taken as independent of the covariates.

    References
    ----------
    .. [1] Graf E, et al. Assessment and comparison of prognostic classification schemes for
       survival data. Stat Med 1999;18:2529-45.
    """

    survival_: StepFunction
    follow_up_: float

    def fit(self, y: Outcome, *, case_weight: Any = None) -> CensoringDistribution:
        """
        Estimate G from patients.

        Parameters
        ----------
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.
        case_weight : array-like of shape (n_patients,), optional
            Each patient stands for so many; by default for one.

        Returns
        -------
        CensoringDistribution
            Itself.
        """
        counts = risk_counts(y)
        jump = counts.censored > 0
        if case_weight is None:
            share = counts.censored[jump] / (counts.at_risk - counts.events)[jump]
        else:
            censored, at_risk = _weighted_counts(y, counts.times[jump], case_weight)
            share = censored / at_risk
        values = np.cumprod(1.0 - share, dtype=np.float64)
        self.survival_ = StepFunction(counts.times[jump], values, 1.0)
        self.follow_up_ = float(counts.times[-1])
        return self

    def weights(
        self, y: Outcome, *, horizon: float, floor: float | None = None
    ) -> CensoringWeights:
        """
        Weights of patients as cases and as controls at a horizon.

        Parameters
        ----------
        y : structured ndarray of shape (n_patients,)
            The patients to weigh; may be other than the fitted ones.
        horizon : float
            In the unit of `y`. An event at exactly the horizon counts as a case; a patient
            observed to exactly the horizon without event is neither.
        floor : float, optional
            Lowest probability allowed in a denominator. Never applied unasked; when it acts, a
            StatisticalWarning says so.

        Returns
        -------
        CensoringWeights
            Case weights are 1 / G(T-), control weights 1 / G(horizon).

        Raises
        ------
        UndefinedMetricError
            If the probability of being uncensored is 0 where it is needed.
        """
        event, time = check_outcome(y)
        case = event & (time <= horizon)
        control = time > horizon
        at_event = self.survival_.before(time)
        at_horizon = float(self.survival_(horizon))
        if floor is not None:
            floored = int(np.sum(at_event[case] < floor)) + int(
                at_horizon < floor and control.any()
            )
            if floored:
                message = f"{floored} censoring probabilities were raised to the floor {floor}"
                warnings.warn(message, StatisticalWarning, stacklevel=2)
            at_event = np.maximum(at_event, floor)
            at_horizon = max(at_horizon, floor)
        if np.any(at_event[case] <= 0) or (control.any() and at_horizon <= 0):
            message = "every patient is censored before the horizon, so no weight is defined"
            raise UndefinedMetricError(message)
        case_weight = np.zeros(time.size)
        case_weight[case] = 1.0 / at_event[case]
        control_weight = np.zeros(time.size)
        if control.any():
            control_weight[control] = 1.0 / at_horizon
        largest = float(max(case_weight.max(initial=0.0), control_weight.max(initial=0.0)))
        return CensoringWeights(case_weight, control_weight, largest)


def _weighted_counts(
    y: Outcome, times: FloatArray, case_weight: Any
) -> tuple[FloatArray, FloatArray]:
    """Weight censored at each censoring time, and weight of those at risk of it there."""
    event, time = check_outcome(y)
    weight = np.asarray(case_weight, dtype=np.float64)
    # the last censoring time at which the patient is at risk of being censored; -1 for none
    last = np.searchsorted(times, time) - event
    seen = last >= 0
    leaving = np.bincount(last[seen], weights=weight[seen], minlength=times.size)
    censored = np.bincount(last[~event], weights=weight[~event], minlength=times.size)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    return censored.astype(np.float64), at_risk.astype(np.float64)
