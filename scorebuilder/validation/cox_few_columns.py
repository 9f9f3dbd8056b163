"""Cox's partial likelihood of a few columns, in array operations over sorted patients."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import check_outcome


class FewColumnCox:
    r"""
    Log partial likelihood with Efron ties, its gradient and its second derivative.

    Made for the one to twenty columns by which a prediction is judged, at any number of patients:
    patients are sorted once, and an evaluation is linear in their number.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Covariates.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``; at least one event.
    offset : ndarray of shape (n_patients,), optional
        Known part of the linear predictor.
    ties : {"efron", "breslow"}
        How tied event times are counted.

    Notes
    -----
    .. math:: \ell(\beta) = \sum_v \Bigl[\sum_{i \in D_v} \eta_i - \sum_{l=0}^{d_v - 1}
       \log\bigl(S_v - \tfrac{l}{d_v} E_v\bigr)\Bigr]

    with :math:`S_v` the summed hazard ratios of the patients at risk at v and :math:`E_v` those of
    its :math:`d_v` events; Breslow takes 0 for :math:`l / d_v`. [1]_

    References
    ----------
    .. [1] Efron B. The efficiency of Cox's likelihood function for censored data. J Am Stat Assoc
       1977;72:557-65.
    """

    def __init__(
        self,
        design: FloatArray,
        y: Outcome,
        *,
        offset: FloatArray | None = None,
        ties: str = "efron",
    ) -> None:
        event, time = check_outcome(y)
        order = np.lexsort((~event, -time))
        self._z = np.ascontiguousarray(design[order], dtype=np.float64)
        self._offset = np.zeros(time.size) if offset is None else np.asarray(offset)[order]
        self._events = np.flatnonzero(event[order])
        late = -time[order]
        self._last = np.searchsorted(late, late[self._events], side="right") - 1
        _, self._start, self._group, count = np.unique(
            late[self._events], return_index=True, return_inverse=True, return_counts=True
        )
        place = np.arange(self._events.size) - self._start[self._group]
        self._share = place / count[self._group] if ties == "efron" else np.zeros(place.size)

    def loglike(self, coefficient: FloatArray) -> float:
        """
        Log partial likelihood.

        Parameters
        ----------
        coefficient : ndarray of shape (n_columns,)
            Log hazard ratios.

        Returns
        -------
        float
            Minus infinity or NaN where hazard ratios leave the floating-point range.
        """
        predictor, hazard, denominator = self._sums(coefficient)
        del hazard
        return float(np.sum(predictor[self._events]) - np.sum(np.log(denominator)))

    def score(self, coefficient: FloatArray) -> FloatArray:
        """
        Gradient.

        Parameters
        ----------
        coefficient : ndarray of shape (n_columns,)
            Log hazard ratios.

        Returns
        -------
        ndarray of shape (n_columns,)
            Observed minus expected sums of the columns.
        """
        return np.asarray(self._derivatives(coefficient)[0], dtype=np.float64)

    def hessian(self, coefficient: FloatArray) -> FloatArray:
        """
        Second derivative.

        Parameters
        ----------
        coefficient : ndarray of shape (n_columns,)
            Log hazard ratios.

        Returns
        -------
        ndarray of shape (n_columns, n_columns)
            Minus the information.
        """
        return np.asarray(self._derivatives(coefficient)[1], dtype=np.float64)

    def _sums(self, coefficient: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        predictor = self._z @ coefficient + self._offset
        predictor = predictor - predictor.max()
        hazard = np.exp(predictor)
        denominator = np.cumsum(hazard)[self._last] - self._share * self._of_events(hazard)
        return predictor, hazard, denominator

    def _of_events(self, values: FloatArray) -> FloatArray:
        """Sum over the events at the same time, for each event."""
        sums = np.add.reduceat(values[self._events], self._start, axis=0)
        return np.asarray(sums[self._group], dtype=np.float64)

    def _derivatives(self, coefficient: FloatArray) -> tuple[FloatArray, FloatArray]:
        _, hazard, denominator = self._sums(coefficient)
        weighted = hazard[:, None] * self._z
        share = self._share[:, None]
        mean = np.cumsum(weighted, axis=0)[self._last] - share * self._of_events(weighted)
        mean = mean / denominator[:, None]
        score = self._z[self._events].sum(axis=0) - mean.sum(axis=0)
        # A patient counts in every event at or before the end of follow-up: sum 1 / denominator.
        at_end = np.bincount(self._last, weights=1.0 / denominator, minlength=hazard.size)
        total = np.cumsum(at_end[::-1])[::-1]
        tied = np.add.reduceat(self._share / denominator, self._start)[self._group]
        total[self._events] -= tied
        second = self._z.T @ (self._z * (hazard * total)[:, None])
        return score, mean.T @ mean - second
