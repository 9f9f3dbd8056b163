"""Does each term of a frozen model hold in other patients: one joint test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.cox_likelihood import CoxLikelihood, Ties
from scorebuilder.validation.recalibration_fit import fit_cox

DEPENDENT = 1e-8
"""Smallest singular value, relative to the largest, of columns whose effects can be told apart."""


@dataclass(frozen=True)
class Misspecification:
    """
    Likelihood-ratio test of all terms beside the frozen linear predictor.

    Attributes
    ----------
    changes : ndarray of shape (n_terms,)
        Coefficients here minus those of the score; 0 where a term holds.
    standard_errors : ndarray of shape (n_terms,)
        From the information matrix.
    chi2, p : float
        Statistic and P of all changes being 0.
    df : int
        Degrees of freedom, the number of terms.
    """

    changes: FloatArray
    standard_errors: FloatArray
    chi2: float
    p: float
    df: int


def misspecification_test(
    y: Outcome, terms: FloatArray, coefficients: FloatArray, *, ties: Ties = "efron"
) -> Misspecification:
    r"""
    Test jointly whether the coefficients of a frozen model hold.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the validation patients.
    terms : ndarray of shape (n_patients, n_terms)
        Columns of the model.
    coefficients : ndarray of shape (n_terms,)
        Of the frozen model.
    ties : {"efron", "breslow"}
        Handling of tied events.

    Returns
    -------
    Misspecification
        Likelihood-ratio test.

    Raises
    ------
    UndefinedMetricError
        Without an event, with a constant term or terms that determine one another in these
        patients, or without a finite maximum.

    Notes
    -----
    :math:`\chi^2 = 2 (\ell(\hat\beta) - \ell(\beta_0))`, which is the test of all columns in a Cox
    model with the frozen linear predictor as offset [1]_: the columns span it.

    References
    ----------
    .. [1] Royston P, Altman DG. External validation of a Cox prognostic model: principles and
       methods. BMC Med Res Methodol 2013;13:33.
    """
    spread = terms.std(axis=0)
    if np.all(spread > 0):
        singular = np.linalg.svd((terms - terms.mean(axis=0)) / spread, compute_uv=False)
        if singular[-1] < DEPENDENT * singular[0]:
            message = "in these patients some terms of the score determine others"
            raise UndefinedMetricError(message)
    fitted, covariance, log_likelihood = fit_cox(terms, y, ties=ties)
    frozen = CoxLikelihood(terms, y, ties=ties).at(coefficients).value
    statistic = max(2.0 * (log_likelihood - frozen), 0.0)
    df = terms.shape[1]
    errors = np.sqrt(np.diag(covariance))
    return Misspecification(
        fitted - coefficients, errors, statistic, float(chi2.sf(statistic, df)), df
    )
