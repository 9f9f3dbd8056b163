"""The effect of one predictor, all others held: log hazard ratio against a reference value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from scorebuilder.core.arrays import FloatArray
from scorebuilder.score.apply import term_value
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import model_terms


def partial_effect(
    builder: ScoreBuilder,
    predictor: str,
    values: Sequence[Any],
    *,
    reference: Any,
    level: float = 0.95,
) -> pd.DataFrame:
    r"""
    Log hazard ratio of values of one predictor against a reference, with a pointwise band.

    Parameters
    ----------
    builder : ScoreBuilder
        Fitted, with `predictor` among ``kept_``.
    predictor : str
        Numeric variable or factor.
    values : sequence
        Numbers, or level codes.
    reference : float or str
        Value at which the ratio is 1.
    level : float
        Coverage of the band.

    Returns
    -------
    DataFrame
        ``value``, ``log_hazard_ratio``, ``standard_error``, ``lower``, ``upper``.

    Notes
    -----
    With d(x) the difference of the predictor's terms between x and the reference, and V their
    covariance, the band is :math:`d^\top \beta \pm z \sqrt{d^\top V d}`. It takes the chosen powers
    as given, so it is too narrow by what their choice adds.

    References
    ----------
    .. [1] Royston P, Sauerbrei W. Multivariable model-building. Wiley; 2008, section 4.9.
    """
    terms = model_terms(builder)
    inside = [k for k, term in enumerate(terms) if term["predictor"] == predictor]
    if not inside:
        message = f"`{predictor}` is not in the model"
        raise ValueError(message)
    covariance = coefficient_covariance(builder)[np.ix_(inside, inside)]
    coefficient = np.array([terms[k]["coefficient"] for k in inside])
    shown = pd.Series([*values, reference])
    columns = np.column_stack([term_value(terms[k], shown) for k in inside])
    difference = columns[:-1] - columns[-1]
    effect = difference @ coefficient
    variance = np.einsum("ij,jk,ik->i", difference, covariance, difference)
    error = np.sqrt(np.maximum(variance, 0.0))
    z = float(norm.ppf(0.5 + level / 2.0))
    return pd.DataFrame(
        {
            "value": list(values),
            "log_hazard_ratio": effect,
            "standard_error": error,
            "lower": effect - z * error,
            "upper": effect + z * error,
        }
    )


def coefficient_covariance(builder: ScoreBuilder) -> FloatArray:
    """
    Covariance of the coefficients as the artifact states them.

    Parameters
    ----------
    builder : ScoreBuilder
        Fitted.

    Returns
    -------
    ndarray of shape (n_terms, n_terms)
        In the order of `model_terms`; indicators stand on their own 0/1 scale.
    """
    scales = np.array(
        [
            1.0 / term.scale if shown["kind"] == "indicator" else 1.0
            for term, shown in zip(builder.model_.terms_, model_terms(builder), strict=True)
        ]
    )
    covariance = np.asarray(builder.model_.terms_covariance_, dtype=np.float64)
    return np.asarray(covariance * np.outer(scales, scales), dtype=np.float64)
