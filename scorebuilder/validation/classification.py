"""Sensitivity, specificity and predictive values at a risk threshold, weighted for censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence, censoring_weights
from scorebuilder.validation.metric import check_predictions

NO_CASE = "no patient has the event by the horizon"
NO_CONTROL = "no patient is observed beyond the horizon"
SIDE = {"ppv": "at or above the threshold", "npv": "below the threshold"}


@dataclass(frozen=True)
class Rate:
    """
    A share of weighted patients with its interval, or the reason why it has none.

    Attributes
    ----------
    value : float or None
        In [0, 1]; None where undefined.
    standard_error, lower, upper : float or None
        Standard error and 95 % limits, clipped to [0, 1].
    influence : ndarray of shape (n_patients,) or None
        Influence of each patient, scaled so that the error is its mean.
    reason : str or None
        Why `value` is None.
    """

    value: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    influence: FloatArray | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Classification:
    """
    How a threshold divides patients with and without the event by the horizon.

    Attributes
    ----------
    threshold : float
        In the unit of the prediction.
    sensitivity, specificity : Rate
        Share of positives among cases; of negatives among controls.
    ppv, npv : Rate
        Share of cases among positives; of controls among negatives.
    n_positive : int
        Patients at or above the threshold.
    """

    threshold: float
    sensitivity: Rate
    specificity: Rate
    ppv: Rate
    npv: Rate
    n_positive: int


def classification_at(
    y: Outcome,
    risk: FloatArray,
    *,
    threshold: float,
    horizon: float,
    competing: BoolArray | None = None,
    strict: bool = False,
) -> Classification:
    r"""
    Sensitivity, specificity, positive and negative predictive value at a threshold.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk. Positive: at or above the threshold.
    threshold : float
        In the unit of `risk`.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are controls.
    strict : bool
        Whether only a prediction above the threshold is positive and an event at exactly the
        horizon counts as none: the definition of the R package timeROC.

    Returns
    -------
    Classification
        Standard errors from influence functions, with the estimation of the censoring weights.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or a censoring weight is infinite.
    ValueError
        If lengths differ, or a prediction or the threshold is not finite.

    Notes
    -----
    With the case weights a and control weights b of AUC(t),

    .. math:: \mathrm{sens} = \frac{\sum a_i 1[+]}{\sum a_i}, \quad
       \mathrm{spec} = \frac{\sum b_i 1[-]}{\sum b_i}, \quad
       \mathrm{ppv} = \frac{\sum a_i 1[+]}{\sum (a_i + b_i) 1[+]}, \quad
       \mathrm{npv} = \frac{\sum b_i 1[-]}{\sum (a_i + b_i) 1[-]}

    Takes censoring as independent of the risk and of the outcome [1]_.

    References
    ----------
    .. [1] Blanche P, et al. Quantifying and comparing dynamic predictive accuracy of joint models
       for longitudinal marker and time-to-event in presence of censoring and competing risks.
       Biometrics 2015;71:102-13.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> found = classification_at(y, np.array([0.5, 0.2, 0.1, 0.6]), threshold=0.2, horizon=5)
    >>> found.sensitivity.value, found.specificity.value, round(found.ppv.value, 4)
    (1.0, 0.5, 0.6667)
    """
    prediction = check_predictions(y, risk, horizon=horizon)
    if not np.isfinite(threshold):
        message = f"`threshold` must be finite; got {threshold}"
        raise ValueError(message)
    weights = censoring_weights(None, y, horizon=horizon, competing=competing, strict=strict)
    case, control = weights.case, weights.control
    positive = prediction > threshold if strict else prediction >= threshold
    sums = {
        "sensitivity": (case, case, positive, NO_CASE),
        "specificity": (control, control, ~positive, NO_CONTROL),
        "ppv": (case, case + control, positive, NO_CASE),
        "npv": (control, case + control, ~positive, NO_CONTROL),
    }
    rates = {}
    for name, (part, whole, side, lacking) in sums.items():
        among = whole if name in ("sensitivity", "specificity") else whole * side
        if not part.any():
            rates[name] = Rate(None, reason=lacking)
        elif not among.any():
            rates[name] = Rate(None, reason=f"nobody {SIDE[name]} has a known outcome")
        else:
            rates[name] = _rate(y, part * side, among, horizon=horizon, competing=competing)
    return Classification(threshold=threshold, n_positive=int(positive.sum()), **rates)


def _rate(
    y: Outcome,
    part: FloatArray,
    whole: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None,
) -> Rate:
    """Ratio of two weighted sums, with its influence function."""
    mean = float(whole.mean())
    value = min(float(part.mean()) / mean, 1.0)
    influence = (part - value * whole) / mean
    kappa = influence / influence.size
    influence = influence + censoring_influence(y, kappa, horizon=horizon, competing=competing)
    error = influence_error(influence)
    if error is None:
        return Rate(value, influence=influence)
    half = Z_95 * error
    return Rate(value, error, max(value - half, 0.0), min(value + half, 1.0), influence)
