"""Covariance of two correlated C-indexes as U-statistics of pairs of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.kernels import kernel
from scorebuilder.survival.concordance import NO_PAIR, ConcordanceCounter

FEWEST = 4
"""Patients that the estimate of the covariance needs."""


@dataclass(frozen=True)
class PairCovariance:
    """
    Two C-indexes of the same patients, with their variances and covariance.

    Attributes
    ----------
    first, second : float
        The C-indexes.
    first_variance, second_variance, covariance : float
        Of their sampling errors.
    """

    first: float
    second: float
    first_variance: float
    second_variance: float
    covariance: float

    @property
    def difference_variance(self) -> float:
        """Variance of the difference; unbiased, so that it can fall below 0 in tiny samples."""
        return self.first_variance + self.second_variance - 2.0 * self.covariance


def pair_covariance(y: Outcome, first: FloatArray, second: FloatArray) -> PairCovariance:
    r"""
    Covariance of Harrell's C of two markers, without a jackknife.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    first, second : ndarray of shape (n_patients,)
        Higher means an earlier event.

    Returns
    -------
    PairCovariance
        In O(n_events x n_patients).

    Raises
    ------
    UndefinedMetricError
        If no pair is comparable, or with fewer than `FEWEST` patients.
    ValueError
        If lengths differ or a marker is NaN.

    Notes
    -----
    Let :math:`s_{ij}` be +1 if i outlives j for certain, -1 for the reverse, 0 if unknown;
    :math:`x_{ij} = s_{ij}^2` and :math:`y_{ij} = s_{ij}\,\mathrm{sign}(p_j - p_i)`. Then
    :math:`C = (\bar y / \bar x + 1) / 2`, and for any two of these kernels

    .. math:: \mathrm{cov}(u, v) = \frac{4 \sum_i u_{i\cdot} v_{i\cdot} - 2 \sum_{ij} u_{ij} v_{ij}
       - 2 (2n - 3) u_{\cdot\cdot} v_{\cdot\cdot} / (n (n - 1))}{n (n-1)(n-2)(n-3)}

    from which the delta method gives the covariance of the indexes [1]_.

    References
    ----------
    .. [1] Kang L, Chen W, Petrick NA, Gallas BD. Comparing two correlated C indices with
       right-censored survival outcome: a one-shot nonparametric approach. Stat Med
       2015;34:685-703.
    """
    counter = ConcordanceCounter(y)
    indexes = tuple(counter(np.asarray(marker, dtype=np.float64)) for marker in (first, second))
    n = counter.time.size
    if n < FEWEST:
        message = f"the covariance of two C-indexes needs {FEWEST} patients; there are {n}"
        raise UndefinedMetricError(message)
    rows, products = _pair_sums(
        counter.order,
        counter.time,
        counter.event,
        np.asarray(first, dtype=np.float64),
        np.asarray(second, dtype=np.float64),
    )
    totals = rows.sum(axis=1)
    if totals[0] == 0.0:
        raise UndefinedMetricError(NO_PAIR)
    pairs = n * (n - 1.0)
    spread = 4.0 * (rows @ rows.T) - 2.0 * products
    spread -= 2.0 * (2.0 * n - 3.0) * np.outer(totals, totals) / pairs
    spread /= pairs * (n - 2.0) * (n - 3.0)
    mean = totals / pairs
    # C = (y / x + 1) / 2; derivatives with respect to the means of x, y of the two markers
    gradient = 0.5 * np.array(
        [
            [-mean[1] / mean[0] ** 2, 1.0 / mean[0], 0.0],
            [-mean[2] / mean[0] ** 2, 0.0, 1.0 / mean[0]],
        ]
    )
    found = gradient @ spread @ gradient.T
    return PairCovariance(
        indexes[0], indexes[1], float(found[0, 0]), float(found[1, 1]), float(found[0, 1])
    )


@kernel
def _pair_sums(
    order: IntArray, time: FloatArray, event: BoolArray, first: FloatArray, second: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Row sums of the three kernels (x, y of both markers), and sums of their products."""
    rows = np.zeros((3, event.size))
    products = np.zeros((3, 3))
    same_first, same_second, both = 0, 0, 0  # pairs with different markers; agreement of signs
    start = 0
    for place in range(order.size):
        patient = order[place]
        if not event[patient]:
            start = place + 1
            continue
        if place > 0 and (not event[order[place - 1]] or time[order[place - 1]] != time[patient]):
            start = place  # events at the same time are not comparable
        sum_first, sum_second = 0, 0
        for other_place in range(start):
            other = order[other_place]
            a = (first[patient] > first[other]) - (first[patient] < first[other])
            b = (second[patient] > second[other]) - (second[patient] < second[other])
            sum_first += a
            sum_second += b
            same_first += a * a
            same_second += b * b
            both += a * b
            rows[0, other] += 1.0
            rows[1, other] += a
            rows[2, other] += b
        rows[0, patient] += start
        rows[1, patient] += sum_first
        rows[2, patient] += sum_second
    total = rows.sum(axis=1)
    products[0, :] = total
    products[:, 0] = total
    products[1, 1], products[2, 2] = 2.0 * same_first, 2.0 * same_second
    products[1, 2] = products[2, 1] = 2.0 * both
    return rows, products
