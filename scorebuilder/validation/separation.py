"""Royston and Sauerbrei's D: how far the prognoses of a linear predictor lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.validation.cox_likelihood import Ties
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox

KAPPA = float(np.sqrt(8.0 / np.pi))
ERROR_VARIANCE = float(np.pi**2 / 6.0)


@dataclass(frozen=True)
class Separation:
    """
    D and the explained variation that it stands for.

    Attributes
    ----------
    d, standard_error : float
        Log hazard ratio between two halves of equal prognosis, and its error.
    r2_d : float
        Explained variation on the log hazard scale, in [0, 1).
    """

    d: float
    standard_error: float
    r2_d: float


def separation(y: Outcome, linear_predictor: FloatArray, *, ties: Ties = "efron") -> Separation:
    r"""
    Separation D and R2_D.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    linear_predictor : ndarray of shape (n_patients,)
        Ranks the patients; equal values share the mean of their normal scores.
    ties : {"efron", "breslow"}
        How tied event times are counted.

    Returns
    -------
    Separation
        D is negative if the order is the wrong way round.

    Raises
    ------
    UndefinedMetricError
        Without an event, with a constant linear predictor, or without a finite maximum.

    Notes
    -----
    Normal scores :math:`z_i = \Phi^{-1}((r_i - 3/8) / (n + 1/4)) / \kappa` with
    :math:`\kappa = \sqrt{8 / \pi}`; D is their Cox coefficient and
    :math:`R^2_D = (D^2 / \kappa^2) / (\pi^2 / 6 + D^2 / \kappa^2)`. [1]_

    References
    ----------
    .. [1] Royston P, Sauerbrei W. A new measure of prognostic separation in survival data. Stat
       Med 2004;23:723-48.
    """
    index = check_predictions(y, linear_predictor)
    ranks = rankdata(index, method="ordinal")
    scores = pd.Series(ndtri((ranks - 3.0 / 8.0) / (index.size + 1.0 / 4.0)))
    averaged = scores.groupby(index).transform("mean").to_numpy(dtype=np.float64) / KAPPA
    coefficient, covariance, _ = fit_cox(averaged[:, None], y, ties=ties)
    d = float(coefficient[0])
    explained = d**2 / KAPPA**2
    error = float(np.sqrt(covariance[0, 0]))
    return Separation(d, error, explained / (ERROR_VARIANCE + explained))
