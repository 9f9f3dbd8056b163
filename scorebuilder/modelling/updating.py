"""How far a score has to be changed for a new site: a ladder of updates and its closed test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ConvergenceError, ModelError
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.partial_likelihood import cox_partial_likelihood
from scorebuilder.survival.baseline_hazard import baseline_cumulative_hazard
from scorebuilder.survival.outcome import check_outcome, make_outcome

RUNGS = ("none", "baseline", "slope_and_baseline", "refit", "extend")
"""From the smallest update to the largest; the last one needs new predictors."""
FEWEST_EVENTS = 100
"""With fewer events only the baseline hazard is updated."""


@dataclass(frozen=True)
class Update:
    """
    One rung of the ladder, fitted.

    Attributes
    ----------
    rung : str
        Of `RUNGS`.
    coefficients : ndarray of shape (n_terms,)
        Log hazard for each term of the score; of ``extend`` also for each new column.
    cumulative_hazards : ndarray of shape (n_horizons,)
        Baseline cumulative hazard by each horizon.
    """

    rung: str
    coefficients: FloatArray
    cumulative_hazards: FloatArray


@dataclass(frozen=True)
class RungTest:
    """
    One step of the closed test: a rung against the largest one that may be fitted.

    Attributes
    ----------
    rung, against : str
        Smaller and largest rung.
    chisq : float
        Twice the difference of the log likelihoods.
    df : int
        Parameters that the larger rung has more.
    p : float
        P value.
    """

    rung: str
    against: str
    chisq: float
    df: int
    p: float


def censored_at(y: Outcome, horizon: float) -> Outcome:
    """
    End the follow-up at a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    structured ndarray of shape (n_patients,)
        Later events are censored at the horizon.
    """
    event, time = check_outcome(y)
    return make_outcome(event & (time <= horizon), np.minimum(time, horizon))


def baseline_chisq(observed: float, expected: float) -> float:
    r"""
    Likelihood ratio of a baseline hazard that is multiplied by a constant.

    Parameters
    ----------
    observed : float
        Events.
    expected : float
        Sum of the patients' cumulative hazards over their follow-up.

    Returns
    -------
    float
        Chi-squared with one degree of freedom.

    Notes
    -----
    .. math:: 2 \{O \log(O / E) - (O - E)\}

    Examples
    --------
    >>> round(baseline_chisq(30.0, 20.0), 12)
    4.32790648649
    """
    log = observed * np.log(observed / expected) if observed else 0.0
    return float(2.0 * (log - (observed - expected)))


def log_partial_likelihood(predictor: FloatArray, y: Outcome) -> float:
    """
    Log partial likelihood of a given linear predictor, Efron ties.

    Parameters
    ----------
    predictor : ndarray of shape (n_patients,)
        Log hazard.
    y : structured ndarray of shape (n_patients,)
        Outcome.

    Returns
    -------
    float
        At coefficient 1.
    """
    value, _, _ = cox_partial_likelihood(np.ones(1), predictor[:, None], y, ties="efron")
    return float(value)


def expected_events(
    predictor: FloatArray, y: Outcome, *, times: FloatArray, hazards: FloatArray
) -> float:
    """
    Add up what a score expects of each patient over the follow-up.

    Parameters
    ----------
    predictor : ndarray of shape (n_patients,)
        Log hazard.
    y : structured ndarray of shape (n_patients,)
        Outcome, no later than the last of `times`.
    times, hazards : ndarray of shape (n_times,)
        Baseline cumulative hazard; straight lines between, from 0 at time 0.

    Returns
    -------
    float
        Expected number of events.
    """
    known = np.concatenate(([0.0], times)), np.concatenate(([0.0], hazards))
    return float(np.sum(np.interp(y["time"], *known) * np.exp(predictor)))


def closed_test(
    terms: FloatArray,
    coefficients: FloatArray,
    y: Outcome,
    *,
    times: FloatArray,
    hazards: FloatArray,
    alpha: float = 0.05,
) -> tuple[str, list[RungTest], str]:
    r"""
    Choose the smallest update that is not worse than the largest.

    Parameters
    ----------
    terms : ndarray of shape (n_patients, n_terms + n_new)
        Terms of the score, centred, then the columns of new predictors, if any are offered.
    coefficients : ndarray of shape (n_terms,)
        Of the score.
    y : structured ndarray of shape (n_patients,)
        Outcome, censored at the last horizon.
    times, hazards : ndarray of shape (n_times,)
        The score's baseline cumulative hazard.
    alpha : float
        Level of each test.

    Returns
    -------
    rung : str
        Of `RUNGS`.
    tests : list of RungTest
        In order, up to the first that is not significant.
    reason : str
        Why larger rungs were not tried; empty when all were.

    Raises
    ------
    ModelError
        Without an event.

    Notes
    -----
    No update, then the baseline, then slope and baseline are tested against the refitted
    coefficients at the same level; the first that is not significantly worse is taken. [1]_ With
    the log partial likelihood :math:`l`, the chi-squared is twice
    :math:`l(\hat\beta) - l(\eta)` (p degrees of freedom) and :math:`l(\hat\beta) - l(\hat b\eta)`
    (p - 1); for no update the likelihood ratio of a multiplied baseline hazard is added (one more).
    Where q new columns are offered, the largest rung has these beside the refitted coefficients:
    each test has q degrees of freedom more, and the refitted coefficients are tested as well (q).
    With fewer than `FEWEST_EVENTS` events, or without a finite fit, the baseline is the largest
    rung and no update is tested against it.

    References
    ----------
    .. [1] Vergouwe Y, et al. A closed testing procedure to select an appropriate method for
       updating prediction models. Stat Med 2017;36:4529-39.
    """
    events = int(y["event"].sum())
    if not events:
        message = "no patient has the event by the last horizon, so nothing can be updated"
        raise ModelError(message)
    predictor = terms[:, : len(coefficients)] @ coefficients
    expected = expected_events(predictor, y, times=times, hazards=hazards)
    level = baseline_chisq(events, expected)
    steps, largest, reason = [("none", level, 1)], "baseline", ""
    if events < FEWEST_EVENTS:
        reason = f"fewer than {FEWEST_EVENTS} events: only the baseline hazard may be updated"
    else:
        try:
            steps, largest, reason = _steps(terms, coefficients, y, level)
        except ConvergenceError as error:
            reason = f"the coefficients cannot be fitted here: {error}"
    tests = []
    for rung, chisq, df in steps:
        p = float(chi2.sf(chisq, df))
        tests.append(RungTest(rung, largest, float(chisq), df, p))
        if p > alpha:
            return rung, tests, reason
    return largest, tests, reason


def _steps(
    terms: FloatArray, coefficients: FloatArray, y: Outcome, level: float
) -> tuple[list[tuple[str, float, int]], str, str]:
    """Give each rung's chi-squared and degrees of freedom against the largest, and its name."""
    n = len(coefficients)
    own, reason = terms[:, :n], ""
    predictor = own @ coefficients
    kept = log_partial_likelihood(predictor, y)
    fits = [
        ("none", kept - 0.5 * level, -1),
        ("baseline", kept, 0),
        ("slope_and_baseline", log_partial_likelihood(_slope(predictor, y) * predictor, y), 1),
    ]
    if n > 1:  # of one term, a new slope is a new coefficient
        fits.append(("refit", log_partial_likelihood(own @ _refitted(own, y), y), n))
    if terms.shape[1] > n:
        try:
            extended = log_partial_likelihood(terms @ _refitted(terms, y), y)
            fits.append(("extend", extended, terms.shape[1]))
        except ConvergenceError as error:
            reason = f"the new predictors cannot be fitted here: {error}"
    largest, most, parameters = fits[-1]
    steps = [(rung, 2.0 * (most - value), parameters - df) for rung, value, df in fits[:-1]]
    return steps, largest, reason


def _refitted(terms: FloatArray, y: Outcome) -> FloatArray:
    names = [f"term {number}" for number in range(1, terms.shape[1] + 1)]
    model = CoxRegression().fit(pd.DataFrame(terms, columns=names), y)
    return np.asarray(model.coef_, dtype=np.float64)


def _slope(predictor: FloatArray, y: Outcome) -> float:
    return float(_refitted(predictor[:, None], y)[0])


def fit_rung(
    rung: str,
    terms: FloatArray,
    coefficients: FloatArray,
    y: Outcome,
    *,
    horizons: Sequence[float],
    hazards: FloatArray,
) -> Update:
    """
    Fit one rung to patients.

    Parameters
    ----------
    rung : str
        Of `RUNGS`.
    terms : ndarray of shape (n_patients, n_terms + n_new)
        Terms of the score, centred, then the columns of new predictors, if any are offered.
    coefficients : ndarray of shape (n_terms,)
        Of the score.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    horizons : sequence of float
        In the unit of `y`.
    hazards : ndarray of shape (n_horizons,)
        Baseline cumulative hazard of the score by each horizon.

    Returns
    -------
    Update
        The baseline hazard of every rung but ``none`` is that of these patients (Efron ties).

    Raises
    ------
    ModelError
        If a horizon lies past the follow-up, nobody has the event by the first horizon, or the
        slope is not positive.
    ConvergenceError
        If a coefficient has no finite estimate.
    """
    if rung == "none":
        return Update(rung, coefficients, np.asarray(hazards, dtype=np.float64))
    longest = float(y["time"].max())
    if horizons[-1] > longest:
        message = (
            f"the patients must be followed to the last horizon ({horizons[-1]:g} days); the "
            f"longest follow-up is {longest:g}, so the baseline hazard there is not known"
        )
        raise ModelError(message)
    new = coefficients
    if rung != "extend":
        terms = terms[:, : len(coefficients)]
    if rung == "slope_and_baseline":
        slope = _slope(terms @ coefficients, y)
        if not slope > 0.0:
            message = f"the slope is {slope:.3g}: here the score does not rise with the risk"
            raise ModelError(message)
        new = slope * coefficients
    elif rung in ("refit", "extend"):
        new = _refitted(terms, y)
    curve = baseline_cumulative_hazard(terms @ new, y, ties="efron")
    found = np.array([float(curve(horizon)) for horizon in horizons])
    if not found[0] > 0.0:
        message = "nobody has the event by the first horizon, so there is no baseline hazard"
        raise ModelError(message)
    return Update(rung, np.asarray(new, dtype=np.float64), found)
