"""Does a frozen linear predictor hold in other patients: its slope, and each of its terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.cox_few_columns import FewColumnCox
from scorebuilder.validation.recalibration_fit import fit_cox

DEPENDENT = 1e-8
"""Smallest singular value, relative to the largest, of columns whose effects can be told apart."""


@dataclass(frozen=True)
class OffsetTest:
    """
    Likelihood-ratio test beside a fixed linear predictor.

    Attributes
    ----------
    coefficients : ndarray of shape (n_columns,)
        Log hazard ratios beside the offset; 0 where the linear predictor holds.
    standard_errors : ndarray of shape (n_columns,)
        From the information matrix.
    chi2, p : float
        Statistic and P of all coefficients being 0.
    df : int
        Degrees of freedom.
    """

    coefficients: FloatArray
    standard_errors: FloatArray
    chi2: float
    p: float
    df: int


def offset_test(
    y: Outcome, linear_predictor: FloatArray, columns: FloatArray, *, ties: str = "efron"
) -> OffsetTest:
    r"""
    Test whether columns add to a fixed linear predictor.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the validation patients.
    linear_predictor : ndarray of shape (n_patients,)
        Of the frozen score; enters as offset.
    columns : ndarray of shape (n_patients, n_columns)
        The linear predictor itself: its slope minus one. The terms of the score: joint test of
        misspecification.
    ties : {"efron", "breslow"}
        How tied event times are counted.

    Returns
    -------
    OffsetTest
        Likelihood-ratio test.

    Raises
    ------
    UndefinedMetricError
        Without an event, with a constant column or columns that determine one another, or without a
        finite maximum.

    Notes
    -----
    :math:`\chi^2 = 2 (\ell(\hat\beta; \mathrm{offset}) - \ell(0; \mathrm{offset}))` [1]_.

    References
    ----------
    .. [1] Royston P, Altman DG. External validation of a Cox prognostic model: principles and
       methods. BMC Med Res Methodol 2013;13:33.
    """
    check_outcome(y)
    spread = columns.std(axis=0)
    if np.all(spread > 0):
        singular = np.linalg.svd((columns - columns.mean(axis=0)) / spread, compute_uv=False)
        if singular[-1] < DEPENDENT * singular[0]:
            message = "in these patients some terms of the score determine others"
            raise UndefinedMetricError(message)
    coefficients, covariance, log_likelihood = fit_cox(
        columns, y, offset=linear_predictor, ties=ties
    )
    fixed = FewColumnCox(np.zeros((y.shape[0], 1)), y, offset=linear_predictor, ties=ties)
    statistic = max(2.0 * (log_likelihood - fixed.loglike(np.zeros(1))), 0.0)
    df = columns.shape[1]
    errors = np.sqrt(np.diag(covariance))
    return OffsetTest(coefficients, errors, statistic, float(chi2.sf(statistic, df)), df)
