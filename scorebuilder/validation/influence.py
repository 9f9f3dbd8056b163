"""The standard error that an influence function gives, and the quantile of its interval."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray


def influence_error(influence: FloatArray) -> float | None:
    r"""
    Return the standard error of an estimate whose error is the mean of its influence function.

    Parameters
    ----------
    influence : ndarray of shape (n_patients,)
        One value per patient.

    Returns
    -------
    float or None
        Standard deviation (divisor n - 1) divided by :math:`\sqrt n`; None for a single patient.

    Examples
    --------
    The standard deviation of 1, 2, 3 is 1.

    >>> round(influence_error(np.array([1.0, 2.0, 3.0])) ** 2, 12)
    0.333333333333
    """
    if influence.size < 2:
        return None
    return float(np.std(influence, ddof=1) / np.sqrt(influence.size))


def jackknife_error(influence: FloatArray) -> float:
    r"""
    Return the standard error of an estimate from its infinitesimal jackknife.

    Parameters
    ----------
    influence : ndarray of shape (n_patients,)
        Influence function, scaled so that the error is its mean.

    Returns
    -------
    float
        :math:`\sqrt{\sum_i U_i^2}` of the jackknife :math:`U_i = \varphi_i / n`.

    Examples
    --------
    >>> round(jackknife_error(np.array([3.0, 0.0, -3.0])) ** 2, 12)
    2.0
    """
    return float(np.sqrt(np.sum((influence / influence.size) ** 2)))
