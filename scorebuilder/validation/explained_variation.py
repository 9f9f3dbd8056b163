"""Explained variation and separation of a prediction, after refitting its slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.cox_likelihood import CoxLikelihood, Ties
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox

_KAPPA = float(np.sqrt(8.0 / np.pi))
_NOISE = float(np.pi**2 / 6.0)


@dataclass(frozen=True)
class RoystonD:
    """
    Separation of the prognostic groups, and the variation that it explains.

    Attributes
    ----------
    d, standard_error : float
        Log hazard ratio between the upper and the lower half of equally sized groups.
    """

    d: float
    standard_error: float

    @property
    def lower(self) -> float:
        """Lower 95 % limit of `d`; may be negative."""
        return self.d - Z_95 * self.standard_error

    @property
    def upper(self) -> float:
        """Upper 95 % limit of `d`."""
        return self.d + Z_95 * self.standard_error

    @property
    def r2_d(self) -> float:
        """Explained variation by D."""
        return _explained(self.d)

    @property
    def r2_d_lower(self) -> float:
        """Lower 95 % limit of `r2_d`: that of D transformed, and 0 where D may be 0."""
        return _explained(max(self.lower, 0.0))

    @property
    def r2_d_upper(self) -> float:
        """Upper 95 % limit of `r2_d`: that of D transformed."""
        return _explained(max(self.upper, 0.0))


def _explained(d: float) -> float:
    b = d / _KAPPA
    return b**2 / (_NOISE + b**2)


def royston_d(y: Outcome, linear_predictor: FloatArray, *, ties: Ties = "efron") -> RoystonD:
    r"""
    Royston and Sauerbrei's D.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    linear_predictor : ndarray of shape (n_patients,)
        Or any monotone change of it: only its order matters.
    ties : {"efron", "breslow"}
        Handling of tied events.

    Returns
    -------
    RoystonD
        Over the whole follow-up.

    Raises
    ------
    UndefinedMetricError
        Without an event, with constant predictions, or if they separate the events completely.

    Notes
    -----
    With z the expected normal order statistics of the refitted linear predictor (Blom's, ties
    averaged) and b its Cox coefficient, :math:`D = b \sqrt{8 / \pi}` and
    :math:`R^2_D = b^2 / (\pi^2 / 6 + b^2)`. As the predictor is refitted, D is positive also for a
    prediction that points the wrong way. Takes hazards as proportional. The limits of
    :math:`R^2_D`, which rises with D, are those of D transformed; a lower limit of D below 0 gives
    0.

    References
    ----------
    .. [1] Royston P, Sauerbrei W. A new measure of prognostic separation in survival data. Stat Med
       2004;23:723-48.
    """
    predictor = check_predictions(y, linear_predictor)
    slope, covariance, _ = fit_cox(normal_scores(predictor)[:, None], y, ties=ties)
    # the log likelihood is concave: its derivative at 0 has the sign of the refitted coefficient
    at_zero = CoxLikelihood(predictor[:, None], y, ties=ties).at(np.zeros(1))
    b = float(slope[0] if at_zero.gradient[0] >= 0.0 else -slope[0])
    return RoystonD(b * _KAPPA, float(np.sqrt(covariance[0, 0])) * _KAPPA)


def r2_ko(y: Outcome, linear_predictor: FloatArray) -> float:
    r"""
    Explained variation by the spread of the refitted linear predictor.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard ratio.

    Returns
    -------
    float
        In [0, 1); 0 for constant predictions.

    Raises
    ------
    UndefinedMetricError
        Without an event, or if predictions separate the events completely.

    Notes
    -----
    .. math:: R^2 = \frac{\mathrm{var}(b\,\mathrm{lp})}{\pi^2 / 6 + \mathrm{var}(b\,\mathrm{lp})}

    References
    ----------
    .. [1] Kent JT, O'Quigley J. Measures of dependence for censored survival data. Biometrika
       1988;75:525-34.
    """
    variance = float(np.var(_refitted(y, linear_predictor), ddof=1))
    return variance / (_NOISE + variance)


def c_goenen_heller(y: Outcome, linear_predictor: FloatArray) -> float:
    r"""
    Concordance that the refitted model itself implies.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome, only for the refitted slope.
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard ratio.

    Returns
    -------
    float
        In [0.5, 1); does not depend on censoring, but on proportional hazards.

    Raises
    ------
    UndefinedMetricError
        Without an event, or if predictions separate the events completely.

    Notes
    -----
    .. math:: \frac{2}{n (n - 1)} \sum_{i < j} \frac{1}{1 + \exp(-|\mathrm{lp}_i - \mathrm{lp}_j|)}

    Equal predictors count 0.5.

    References
    ----------
    .. [1] Goenen M, Heller G. Concordance probability and discriminatory power in proportional
       hazards regression. Biometrika 2005;92:965-70.
    """
    predictor = np.sort(_refitted(y, linear_predictor))
    n, total = predictor.size, 0.0
    # a refitted predictor spans less than 100, so that neither factor overflows
    centred = predictor - 0.5 * (predictor[0] + predictor[-1])
    ratio, inverse = np.exp(centred), np.exp(-centred)
    for row in range(n - 1):
        total += float(np.sum(1.0 / (1.0 + ratio[row] * inverse[row + 1 :])))
    return 2.0 * total / (n * (n - 1))


def gini_mean_difference(values: FloatArray) -> float:
    """
    Mean absolute difference of two different patients.

    Parameters
    ----------
    values : ndarray of shape (n,)
        At least two.

    Returns
    -------
    float
        In the unit of the values; of a recalibrated linear predictor the g-index.

    Examples
    --------
    >>> gini_mean_difference(np.array([1.0, 2.0, 4.0]))  # (1 + 3 + 2) / 3
    2.0
    """
    ordered = np.sort(values)
    n = ordered.size
    weight = 2.0 * np.arange(n) - n + 1.0
    return float(2.0 * (weight @ ordered) / (n * (n - 1)))


def normal_scores(values: FloatArray) -> FloatArray:
    """
    Blom's expected normal order statistics, averaged over ties.

    Parameters
    ----------
    values : ndarray of shape (n,)
        What is ranked.

    Returns
    -------
    ndarray of shape (n,)
        Of mean 0 and a standard deviation close to 1.
    """
    n = values.size
    score = norm.ppf((rankdata(values, method="ordinal") - 0.375) / (n + 0.25))
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(index, weights=score) / counts)[index], dtype=np.float64)


def _refitted(y: Outcome, linear_predictor: FloatArray) -> FloatArray:
    predictor = check_predictions(y, linear_predictor)
    if np.ptp(predictor) == 0.0 and y["event"].any():
        return np.zeros(predictor.size)
    coefficient, _, _ = fit_cox(predictor[:, None], y)
    return np.asarray(predictor * coefficient[0], dtype=np.float64)
