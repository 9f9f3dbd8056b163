"""The proportional hazards assumption of a fitted Cox model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.modelling.design_frame import check_frame
from scorebuilder.modelling.risk_sets import RiskSets, build_risk_sets
from scorebuilder.survival.kaplan_meier import kaplan_meier

TRANSFORMS = ("km", "identity", "log")


def proportional_hazards_test(
    model: Any, X: Any, y: Outcome, *, transform: str = "km"
) -> pd.DataFrame:
    r"""
    Test whether each log hazard ratio is constant over time.

    Parameters
    ----------
    model : CoxRegression or MFPCox
        Fitted to the same patients, without strata, weights and offset.
    X : DataFrame of shape (n_patients, n_features)
        The data of the fit.
    y : structured ndarray of shape (n_patients,)
        The outcome of the fit.
    transform : {"km", "identity", "log"}
        The function g of time with which a coefficient may change: 1 - S(t-), t, or log t.

    Returns
    -------
    DataFrame
        Columns ``term``, ``chisq``, ``df``, ``p``; one row per coefficient and a last one,
        ``GLOBAL``. Empty for a model without terms.

    Raises
    ------
    UndefinedMetricError
        If all events happen at one time.
    ValueError
        If `transform` is unknown.

    Notes
    -----
    Score test of :math:`\theta_j = 0` in :math:`\beta_j + \theta_j g(t)` at the Cox estimate, with
    g centred over the events [1]_:

    .. math:: U = \sum_i g(t_i) (x_i - \bar x(t_i)), \quad
       I = I_{\theta\theta} - I_{\theta\beta} I_{\beta\beta}^{-1} I_{\beta\theta}, \quad
       \chi^2_j = U_j^2 / I_{jj}, \quad \chi^2 = U^\top I^{-1} U

    Tied events use Efron's averages when the model does.

    References
    ----------
    .. [1] Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted
       residuals. Biometrika 1994;81:515-26.
    """
    if transform not in TRANSFORMS:
        message = f"`transform` must be one of {TRANSFORMS}; got {transform!r}"
        raise ValueError(message)
    labels, design = _design(model, X)
    if not labels:
        return pd.DataFrame({"term": [], "chisq": [], "df": [], "p": []})
    sets = build_risk_sets(y, ties=model.ties)
    times = y["time"][sets.rows][sets.start[:-1]]
    if times.size < 2:
        message = "all events happen at one time; a change over time is not defined"
        raise UndefinedMetricError(message)
    residuals, information = _per_event_time(design[sets.rows], model.predict(X)[sets.rows], sets)
    g = {"identity": times, "log": np.log(times)}.get(transform)
    if g is None:
        g = 1.0 - kaplan_meier(y).before(times)
    g = g - np.average(g, weights=sets.n_events)
    score = g @ residuals
    cross = np.tensordot(g, information, axes=1)
    variance = np.tensordot(g**2, information, axes=1)
    variance -= cross @ np.linalg.solve(information.sum(axis=0), cross)
    chisq = [*(score**2 / np.diag(variance)), float(score @ np.linalg.solve(variance, score))]
    df = [1] * len(labels) + [len(labels)]
    p = [float(chdtrc(d, c)) for d, c in zip(df, chisq, strict=True)]
    return pd.DataFrame({"term": [*labels, "GLOBAL"], "chisq": chisq, "df": df, "p": p})


def _design(model: Any, X: Any) -> tuple[list[str], FloatArray]:
    """Return the columns that have a coefficient, each of mean 0 and standard deviation 1."""
    if hasattr(model, "terms_"):
        labels = [term.column for term in model.terms_]
        names, values = check_frame(X, model.selected_)
        columns = [term.values(values[:, names.index(term.variable)]) for term in model.terms_]
        design = np.column_stack(columns) if columns else np.empty((len(X), 0))
    else:
        labels, design = check_frame(X, list(model.feature_names_in_))
    scaled: FloatArray = (design - design.mean(axis=0)) / design.std(axis=0)
    return labels, scaled


def _per_event_time(
    rows: FloatArray, predictor: FloatArray, sets: RiskSets
) -> tuple[FloatArray, FloatArray]:
    """Compute observed minus expected columns and the information of each event time."""
    n_groups, p = sets.n_events.size, rows.shape[1]
    residuals, information = np.zeros((n_groups, p)), np.zeros((n_groups, p, p))
    risk = np.exp(predictor - predictor.max())
    s0, s1, s2 = 0.0, np.zeros(p), np.zeros((p, p))
    for group in range(n_groups - 1, -1, -1):
        d = int(sets.n_events[group])
        members = slice(sets.start[group], sets.start[group + 1])
        tied = slice(sets.start[group], sets.start[group] + d)
        weighted = risk[members, np.newaxis] * rows[members]
        s0, s1 = s0 + float(risk[members].sum()), s1 + weighted.sum(axis=0)
        s2 = s2 + weighted.T @ rows[members]
        weighted = risk[tied, np.newaxis] * rows[tied]
        e0, e1, e2 = float(risk[tied].sum()), weighted.sum(axis=0), weighted.T @ rows[tied]
        residuals[group] = rows[tied].sum(axis=0)
        for step in range(d):
            f = step / d if sets.efron else 0.0
            mean = (s1 - f * e1) / (s0 - f * e0)
            residuals[group] -= mean
            information[group] += (s2 - f * e2) / (s0 - f * e0) - np.outer(mean, mean)
    return residuals, information
