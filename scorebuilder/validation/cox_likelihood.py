"""Partial likelihood of a few columns, by sorted sums; also of the subdistribution hazard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.outcome import check_outcome, ended_outcome

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True)
class LikelihoodPoint:
    """
    Log partial likelihood at one coefficient vector, with its derivatives.

    Attributes
    ----------
    value : float
        Log likelihood.
    gradient : ndarray of shape (n_columns,)
        Score.
    information : ndarray of shape (n_columns, n_columns)
        Minus the second derivative.
    jumps : ndarray of shape (n_event_times,)
        Increments of the baseline cumulative hazard at the event times.
    means : ndarray of shape (n_event_times, n_columns)
        Weighted mean of the columns over all at risk.
    """

    value: float
    gradient: FloatArray
    information: FloatArray
    jumps: FloatArray
    means: FloatArray


class CoxLikelihood:
    r"""
    Log partial likelihood of one outcome and design.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Few columns: every pair of them is summed.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    ties : {"efron", "breslow"}
        Handling of tied events.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event. They stay at risk with weight
        :math:`G(t-) / G(T-)`, and ties are Breslow's: the subdistribution hazard [1]_.

    Attributes
    ----------
    times : ndarray of shape (n_event_times,)
        Distinct event times, ascending.

    References
    ----------
    .. [1] Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing
       risk. J Am Stat Assoc 1999;94:496-509.
    """

    times: FloatArray

    def __init__(
        self,
        design: FloatArray,
        y: Outcome,
        *,
        ties: Ties = "efron",
        competing: BoolArray | None = None,
    ) -> None:
        event, time = check_outcome(y)
        n_columns = design.shape[1]
        self._order = np.argsort(-time, kind="stable")
        self._design = design[self._order]
        self._event = event[self._order]
        self._pairs = np.triu_indices(n_columns)
        self._columns = np.column_stack(
            [
                np.ones(time.size),
                self._design,
                self._design[:, self._pairs[0]] * self._design[:, self._pairs[1]],
            ]
        )
        descending = -time[self._order]
        self.times = np.unique(time[event])
        self._at_risk = np.searchsorted(descending, -self.times, side="right") - 1
        # events in descending order of time, so that the last group comes first
        n_events = np.bincount(np.searchsorted(self.times, time[event]), minlength=self.times.size)
        starts = np.concatenate(([0], np.cumsum(n_events[::-1])[:-1]))
        self._event_starts: IntArray = starts.astype(np.int64)
        self._group = np.repeat(np.arange(self.times.size), n_events)
        rank = np.arange(self._group.size) - np.repeat(np.cumsum(n_events) - n_events, n_events)
        efron = ties == "efron" and competing is None
        self._fraction = rank / n_events[self._group] if efron else np.zeros(rank.size)
        self._lingering: tuple[FloatArray, FloatArray, IntArray] | None = None
        if competing is not None:
            uncensored = CensoringDistribution().fit(ended_outcome(y, competing)).survival_
            weight = np.where(competing, 1.0 / np.maximum(uncensored.before(time), 1e-300), 0.0)
            earlier = time.size - 1 - self._at_risk
            self._lingering = (
                weight[self._order][::-1],
                uncensored.before(self.times),
                earlier.astype(np.int64),
            )

    def at(self, coefficient: FloatArray) -> LikelihoodPoint:
        """
        Evaluate the log likelihood.

        Parameters
        ----------
        coefficient : ndarray of shape (n_columns,)
            Log hazard ratios.

        Returns
        -------
        LikelihoodPoint
            Value and derivatives.
        """
        predictor = self._design @ coefficient
        top = float(predictor.max())
        weighted = self._columns * np.exp(predictor - top)[:, None]
        sums = np.cumsum(weighted, axis=0)[self._at_risk]
        if self._lingering is not None:
            weight, uncensored, earlier = self._lingering
            left = np.cumsum(weighted[::-1] * weight[:, None], axis=0)
            before = np.concatenate([np.zeros((1, left.shape[1])), left])[earlier]
            sums = sums + uncensored[:, None] * before
        terms = sums[self._group]
        if self._fraction.any():
            tied = np.add.reduceat(weighted[self._event], self._event_starts, axis=0)[::-1]
            terms = terms - self._fraction[:, None] * tied[self._group]
        n_columns = self._design.shape[1]
        total = terms[:, 0]
        mean = terms[:, 1 : 1 + n_columns] / total[:, None]
        value = float(predictor[self._event].sum() - np.sum(np.log(total) + top))
        gradient = self._design[self._event].sum(axis=0) - mean.sum(axis=0)
        information = np.zeros((n_columns, n_columns))
        information[self._pairs] = (terms[:, 1 + n_columns :] / total[:, None]).sum(axis=0)
        information = information + np.triu(information, 1).T - mean.T @ mean
        jumps = np.bincount(self._group, weights=1.0 / total, minlength=self.times.size)
        means = sums[:, 1 : 1 + n_columns] / sums[:, :1]
        return LikelihoodPoint(value, gradient, information, jumps * np.exp(-top), means)


def null_log_likelihood(y: Outcome, *, ties: Ties = "efron") -> float:
    r"""
    Log partial likelihood without covariates.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    ties : {"efron", "breslow"}
        Handling of tied events.

    Returns
    -------
    float
        Minus the sum over the event times of :math:`d \log Y` (Breslow) or
        :math:`\sum_{l < d} \log(Y - l)` (Efron) for d events among Y patients at risk.

    Examples
    --------
    Two of three patients have the event at once: 3 and 2 are at risk in turn.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> round(null_log_likelihood(make_outcome([1, 1, 0], [1, 1, 2])), 6)  # -log(3 * 2)
    -1.791759
    """
    event, time = check_outcome(y)
    times, n_events = np.unique(time[event], return_counts=True)
    at_risk = np.repeat(time.size - np.searchsorted(np.sort(time), times), n_events)
    if ties == "efron":
        first = np.repeat(np.cumsum(n_events) - n_events, n_events)
        at_risk = at_risk - (np.arange(at_risk.size) - first)
    return -float(np.sum(np.log(at_risk)))
