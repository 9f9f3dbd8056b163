"""AUC of a binary outcome at the horizon with DeLong's errors, as older papers have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.censoring import CensoringWeights
from scorebuilder.survival.outcome import check_competing, check_outcome
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.weighted_auc import placement


@dataclass(frozen=True)
class BinaryAuc:
    """
    AUCs of one or more predictions of the same binary outcome.

    Attributes
    ----------
    values : ndarray of shape (n_predictions,)
        AUC of each prediction, in [0, 1].
    covariance : ndarray of shape (n_predictions, n_predictions)
        DeLong's covariance of them; NaN with fewer than two cases or two controls.
    influence : ndarray of shape (n_predictions, n_patients)
        Influence of each patient, scaled so that the error is its mean; 0 for those left out.
    n_cases, n_controls, n_left_out : int
        Patients with the event by the horizon; known to be free of it; censored before or at the
        horizon, who do not count.
    """

    values: FloatArray
    covariance: FloatArray
    influence: FloatArray
    n_cases: int
    n_controls: int
    n_left_out: int

    def standard_error(self, contrast: FloatArray) -> float | None:
        """
        Return the standard error of a linear combination of the AUCs.

        Parameters
        ----------
        contrast : ndarray of shape (n_predictions,)
            Coefficients: (1,) for the AUC itself, (1, -1) for a difference.

        Returns
        -------
        float or None
            None with fewer than two cases or two controls.
        """
        variance = float(contrast @ self.covariance @ contrast)
        return None if np.isnan(variance) else float(np.sqrt(max(variance, 0.0)))

    def limits(self, which: int = 0) -> tuple[float, float] | None:
        """
        Return the 95 % limits of one AUC, clipped to [0, 1].

        Parameters
        ----------
        which : int
            Number of the prediction.

        Returns
        -------
        tuple of float or None
            Lower and upper limit; None without a standard error.
        """
        error = self.standard_error(np.eye(self.values.size)[which])
        if error is None:
            return None
        value = float(self.values[which])
        return max(value - Z_95 * error, 0.0), min(value + Z_95 * error, 1.0)


def binary_auc(
    y: Outcome, *risks: FloatArray, horizon: float, competing: BoolArray | None = None
) -> BinaryAuc:
    r"""
    AUC of the event by the horizon as a binary outcome, censored patients left out.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    *risks : ndarray of shape (n_patients,)
        One or more predictions that rise with the risk; ties count one half.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are controls.

    Returns
    -------
    BinaryAuc
        Values, covariance, and how many patients count.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    With :math:`V_{10,j}` the share of cases that beat control j, and :math:`V_{01,i}` the share
    of controls that case i beats,

    .. math:: \widehat{\mathrm{cov}} = \frac{\mathrm{cov}(V_{10})}{m} +
       \frac{\mathrm{cov}(V_{01})}{n_1}

    over m controls and :math:`n_1` cases, with divisors m - 1 and :math:`n_1 - 1` [1]_. Leaving
    out the patients censored before the horizon biases the value unless nobody is: it is here to
    reproduce published figures. See `auc_at` for the weighted one.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics 1988;44:837-45.

    Examples
    --------
    Case 1 beats control 3 but not control 4; case 2 beats both. Patient 5 was lost before.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0, 0], [1, 2, 9, 9, 3])
    >>> found = binary_auc(y, np.array([0.5, 0.8, 0.1, 0.6, 0.7]), horizon=5)
    >>> float(found.values[0]), found.n_left_out
    (0.75, 1)
    """
    event, time = check_outcome(y)
    predictions = [check_predictions(y, risk, horizon=horizon) for risk in risks]
    case = event & (time <= horizon)
    control = time > horizon
    if competing is not None:
        control = control | (check_competing(y, competing) & (time <= horizon))
    n_cases, n_controls = int(case.sum()), int(control.sum())
    if n_cases == 0 or n_controls == 0:
        message = "no patient has the event by the horizon"
        if n_cases:
            message = "no patient is known to be free of the event at the horizon"
        raise UndefinedMetricError(message)
    weights = CensoringWeights(case.astype(np.float64), control.astype(np.float64), 1.0)
    values, influence = np.zeros(len(risks)), np.zeros((len(risks), time.size))
    covariance = np.zeros((len(risks), len(risks)))
    shares = np.zeros_like(influence)
    for which, prediction in enumerate(predictions):
        beaten, beating = placement(prediction, weights)
        share = np.where(case, beaten / n_controls, beating / n_cases) * time.size
        values[which] = share[case].mean()
        shares[which] = share
    deviation = shares - values[:, np.newaxis]
    for group, size in ((case, n_cases), (control, n_controls)):
        influence[:, group] = deviation[:, group] * (time.size / size)
        covariance += np.atleast_2d(np.cov(shares[:, group])) / size if size > 1 else np.nan
    return BinaryAuc(
        values, covariance, influence, n_cases, n_controls, time.size - n_cases - n_controls
    )
