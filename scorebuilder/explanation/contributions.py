"""What each predictor adds to a patient's linear predictor, against the average patient."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.score.apply import contributions, fill_missing, term_value
from scorebuilder.score.artifact import ScoreArtifact


def term_contributions(artifact: ScoreArtifact, X: pd.DataFrame) -> pd.DataFrame:
    r"""
    Exact additive explanation of the linear predictor.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Typed inputs; missing ones are filled as the artifact's policy says.

    Returns
    -------
    DataFrame of shape (n_patients, n_predictors)
        Log hazard relative to the average development patient. A row adds up to the patient's
        linear predictor minus the mean linear predictor of the development cohort.

    Raises
    ------
    ValueError
        If an input that must be known is missing.

    Notes
    -----
    For a model without interactions the Shapley value of predictor j is

    .. math:: \phi_j = f_j(x_j) - \mathrm{E}[f_j(X_j)]

    where the expectation is stored in the artifact [1]_.

    References
    ----------
    .. [1] Lundberg SM, Lee SI. A unified approach to interpreting model predictions. NeurIPS 2017.
    """
    filled, _, refused = fill_missing(artifact, X)
    if refused:
        names = ", ".join(f"`{name}` ({int(rows.sum())})" for name, rows in refused.items())
        message = f"inputs that must be known are missing: {names}"
        raise ValueError(message)
    return contributions(artifact, filled) - pd.Series(_means(artifact))[artifact.predictors]


def effect_at(artifact: ScoreArtifact, predictor: str, values: pd.Series) -> FloatArray:
    """
    Contribution of one predictor at given values: the exact curve of the score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : str
        One of its predictors.
    values : Series of shape (n_values,)
        Numbers, or level codes; none missing.

    Returns
    -------
    ndarray of shape (n_values,)
        Log hazard relative to the average development patient; NaN where the curve has no value.
    """
    total = np.full(len(values), -_means(artifact)[predictor])
    for term in artifact.scoring["terms"]:
        if term["predictor"] == predictor:
            total += term["coefficient"] * term_value(term, values)
    return total


def _means(artifact: ScoreArtifact) -> dict[str, float]:
    return {row["predictor"]: float(row["contribution"]) for row in artifact.scoring["reference"]}
