"""Predicted and observed risk in groups, with tests of their agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import check_competing
from scorebuilder.validation.calibration import quantile_groups
from scorebuilder.validation.metric import check_predictions

ONE_GROUP = "a single group leaves no degree of freedom"
NO_ERROR = "a group without an event, or in which everybody has it, has no standard error"
SURE_PREDICTION = "a group is predicted a risk of 0 or 1"


@dataclass(frozen=True)
class AgreementTest:
    """
    Chi-square test of observed and predicted risks.

    Attributes
    ----------
    statistic, p : float or None
        None where undefined.
    df : int
        Groups less one.
    reason : str or None
        Why a number is None.
    """

    statistic: float | None
    p: float | None
    df: int
    reason: str | None = None


@dataclass(frozen=True)
class GroupedCalibration:
    """
    Observed and predicted risk in groups of similar prediction.

    Attributes
    ----------
    groups : DataFrame
        ``n``, ``events`` (by the horizon), ``predicted`` (mean risk), ``observed`` (Kaplan-Meier or
        Aalen-Johansen), ``standard_error``, log-log limits ``lower`` and ``upper`` (NaN where the
        observed risk is 0 or 1), ``followed`` (False where the last value had to be carried
        forward to the horizon).
    greenwood : AgreementTest
        Greenwood-Nam-D'Agostino: by the standard error of the observed risk.
    plain : AgreementTest
        D'Agostino-Nam: by the variance of the predicted risk.
    """

    groups: pd.DataFrame
    greenwood: AgreementTest
    plain: AgreementTest


def calibration_grouped(
    y: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    groups: int = 10,
    least_events: int = 0,
    competing: BoolArray | None = None,
) -> GroupedCalibration:
    r"""
    Calibration in groups.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    groups : int
        Groups by quantiles of the risk, right-closed; equal risks stay together.
    least_events : int
        A group with fewer events by the horizon is merged with the next higher one (the highest
        with the one below), the lowest first. 5 is usual for the tests.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    GroupedCalibration
        Table and tests.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.

    Notes
    -----
    .. math:: \chi^2_{GND} = \sum_g \frac{(O_g - \bar p_g)^2}{\mathrm{se}_g^2}, \quad
       \chi^2_{DN} = \sum_g \frac{n_g (O_g - \bar p_g)^2}{\bar p_g (1 - \bar p_g)}

    both with groups - 1 degrees of freedom. The second takes nobody as censored. Both depend on the
    number of groups and, in large samples, reject any model: look at the table.

    References
    ----------
    .. [1] Demler OV, Paynter NP, Cook NR. Tests of calibration and goodness-of-fit in the survival
       setting. Stat Med 2015;34:1659-80.
    .. [2] D'Agostino RB, et al. Evaluation of the performance of survival analysis models:
       discrimination and calibration measures. Handb Stat 2003;23:1-25.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    other = None if competing is None else check_competing(y, competing)
    early = y["event"] & (y["time"] <= horizon)
    index = quantile_groups(prediction, groups)
    index = np.unique(index, return_inverse=True)[1].astype(np.int64)
    if least_events > 0:
        index = _merged(index, early, least_events)
    rows: list[dict[str, Any]] = []
    for group in range(int(index.max()) + 1):
        members = index == group
        found = event_risk(y[members], horizon, competing=None if other is None else other[members])
        inside = found.risk > 0.0 and found.complement > 0.0
        lower, upper = _log_log(found.risk, found.standard_error) if inside else (np.nan, np.nan)
        rows.append(
            {
                "n": int(members.sum()),
                "events": int(np.sum(early[members])),
                "predicted": float(prediction[members].mean()),
                "observed": found.risk,
                "standard_error": found.standard_error,
                "lower": lower,
                "upper": upper,
                "followed": found.followed,
            }
        )
    table = pd.DataFrame(rows)
    return GroupedCalibration(table, _greenwood(table), _plain(table))


def _merged(index: IntArray, early: BoolArray, least_events: int) -> IntArray:
    """Give group numbers after merging those with few events, the lowest first."""
    events = np.bincount(index[early], minlength=int(index.max()) + 1).tolist()
    label = list(range(len(events)))
    members = [[group] for group in label]
    position = 0
    while len(events) > 1 and position < len(events):
        if events[position] >= least_events:
            position += 1
            continue
        into = position if position + 1 < len(events) else position - 1
        events[into : into + 2] = [events[into] + events[into + 1]]
        members[into : into + 2] = [members[into] + members[into + 1]]
        position = into
    for new, old in enumerate(members):
        for group in old:
            label[group] = new
    return np.asarray(label, dtype=np.int64)[index]


def _log_log(risk: float, error: float) -> tuple[float, float]:
    survival = 1.0 - risk
    shift = Z_95 * error / (survival * abs(float(np.log(survival))))
    return 1.0 - float(survival ** np.exp(-shift)), 1.0 - float(survival ** np.exp(shift))


def _greenwood(table: pd.DataFrame) -> AgreementTest:
    df = len(table) - 1
    # where everybody has the event the error is 0 as well
    if (table["standard_error"] <= 1e-15).any():
        return AgreementTest(None, None, df, NO_ERROR)
    difference = table["observed"] - table["predicted"]
    return _test(float(np.sum((difference / table["standard_error"]) ** 2)), df)


def _plain(table: pd.DataFrame) -> AgreementTest:
    df = len(table) - 1
    variance = table["predicted"] * (1.0 - table["predicted"])
    if (variance <= 0.0).any():
        return AgreementTest(None, None, df, SURE_PREDICTION)
    squared = (table["observed"] - table["predicted"]) ** 2
    return _test(float(np.sum(table["n"] * squared / variance)), df)


def _test(statistic: float, df: int) -> AgreementTest:
    if df == 0:
        return AgreementTest(statistic, None, df, ONE_GROUP)
    return AgreementTest(statistic, float(chi2.sf(statistic, df)), df)
