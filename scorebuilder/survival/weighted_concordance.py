"""Concordance of a marker with weighted pairs: Uno's C-index, in O(n log n)."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.concordance import NO_PAIR
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.survival.weighted_pairs import first_sums, later_sums


class UnoCounter:
    r"""
    Uno's C-index of many markers of the same patients; outcome and weights are prepared once.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``; also gives the censoring distribution.
    tau : float, optional
        Only events by this time count; by default all.

    Raises
    ------
    ValueError
        If `tau` is not positive.

    Notes
    -----
    .. math:: C_\tau = \frac{\sum_{(i,j)} \hat G(T_i-)^{-2} (\mathbb{1}[p_i > p_j] +
       \tfrac12 \mathbb{1}[p_i = p_j])}{\sum_{(i,j)} \hat G(T_i-)^{-2}}, \quad D_i = 1,
       \ T_i \le \tau, \ T_i < T_j \text{ or } (T_i = T_j, D_j = 0)

    with the Kaplan-Meier estimate G of the censoring distribution [1]_. It does not depend on the
    censoring distribution as Harrell's C does, provided that censoring is independent of the
    covariates, and that somebody is followed to `tau`.

    References
    ----------
    .. [1] Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. On the C-statistics for evaluating
       overall adequacy of risk prediction procedures with censored survival data. Stat Med
       2011;30:1105-17.

    Examples
    --------
    One of the three patients under observation after day 1 is censored on day 2, which leaves
    G = 2/3 for the event of day 3: weights 1 and 9/4. The first patient has the higher marker in 2
    of 3 pairs, the third in his one: (2 + 9/4) / (3 + 9/4).

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> counter = UnoCounter(y)
    >>> counter.weight
    array([1.  , 0.  , 2.25, 0.  ])
    >>> round(counter(np.array([3.0, 4.0, 2.0, 1.0])), 6)
    0.809524
    """

    def __init__(self, y: Outcome, *, tau: float | None = None) -> None:
        self.event, self.time = check_outcome(y)
        if tau is not None and not tau > 0.0:
            message = f"`tau` must be positive; got {tau}"
            raise ValueError(message)
        counted = self.event if tau is None else self.event & (self.time <= tau)
        # G(T-) is not 0 at an event: somebody was still under observation
        uncensored = CensoringDistribution().fit(y).survival_.before(self.time)
        self.ones = np.ones(self.time.size)
        self.weight = np.zeros(self.time.size)
        self.weight[counted] = uncensored[counted] ** -2.0
        # latest first; at equal times the censored come before the events
        self.order = np.lexsort((self.event, -self.time)).astype(np.int64)

    def __call__(self, marker: FloatArray, *, include: BoolArray | None = None) -> float:
        """C-index of one marker; see `influence`."""
        order, rank, n_ranks = self._ranked(marker, include)
        won, _, total = self._first(order, rank, n_ranks)
        return float(won.sum()) / total

    def influence(
        self, marker: FloatArray, *, include: BoolArray | None = None
    ) -> tuple[float, FloatArray]:
        """
        C-index and the influence of each patient on it, the weights held fixed.

        Parameters
        ----------
        marker : ndarray of shape (n_patients,)
            Higher means an earlier event.
        include : ndarray of bool of shape (n_patients,), optional
            Only pairs of these patients count; the others have influence 0, and their markers may
            be NaN.

        Returns
        -------
        c_index : float
            In [0, 1].
        influence : ndarray of shape (n_patients,)
            Derivative of C with respect to the patient's weight in the sums over pairs; sums to 0.

        Raises
        ------
        UndefinedMetricError
            If no pair counts.
        ValueError
            If the marker has another length or is NaN where it counts.
        """
        order, rank, n_ranks = self._ranked(marker, include)
        won, pairs, total = self._first(order, rank, n_ranks)
        c_index = float(won.sum()) / total
        later_sums(order, self.time, self.event, self.weight, rank, n_ranks, won, pairs)
        return c_index, (won - c_index * pairs) / total

    def _first(
        self, order: IntArray, rank: IntArray, n_ranks: int
    ) -> tuple[FloatArray, FloatArray, float]:
        """Weighted sum of h, and of pairs, in which each patient fails first; all pairs."""
        counted = self.weight > 0.0
        lower, tied, outlived = first_sums(
            order, self.time, self.event, counted, self.ones, rank, n_ranks
        )
        pairs = self.weight * outlived
        total = float(pairs.sum())
        if total == 0.0:
            raise UndefinedMetricError(NO_PAIR)
        return self.weight * (lower + 0.5 * tied), pairs, total

    def _ranked(
        self, marker: FloatArray, include: BoolArray | None
    ) -> tuple[IntArray, IntArray, int]:
        values = np.asarray(marker, dtype=np.float64)
        if values.shape != self.time.shape:
            message = f"`marker` must have shape {self.time.shape} as `y` does; got {values.shape}"
            raise ValueError(message)
        order = self.order if include is None else self.order[include[self.order]]
        used = values[order]
        missing = int(np.isnan(used).sum())
        if missing:
            message = f"`marker` must not be NaN; {missing} of {used.size} values are"
            raise ValueError(message)
        distinct, rank = np.unique(used, return_inverse=True)
        return order, rank.astype(np.int64), int(distinct.size)
