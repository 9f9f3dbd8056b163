"""What scikit-learn asks of an estimator that is to be judged: one number, higher is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.concordance import harrell_concordance


class ConcordanceScore(ABC):
    """An estimator whose prediction is higher for an earlier event, judged by Harrell's C."""

    @abstractmethod
    def predict(self, X: Any) -> FloatArray:
        """
        Predict what orders the patients.

        Parameters
        ----------
        X : array-like of shape (n_patients, n_features)
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_patients,)
            Higher means an earlier event.
        """

    def score(self, X: Any, y: Outcome) -> float:
        """
        Return Harrell's C-index of the prediction, as `sklearn.model_selection` asks for it.

        Parameters
        ----------
        X : array-like of shape (n_patients, n_features)
            As in `fit`.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.

        Returns
        -------
        float
            0.5 is chance, 1 perfect order. Of the patients of `fit` it is optimistic.

        Raises
        ------
        UndefinedMetricError
            If no pair is comparable, for example without any event.
        ValueError
            If a patient has no prediction.
        """
        return float(harrell_concordance(y, self.predict(X)).c_index)
