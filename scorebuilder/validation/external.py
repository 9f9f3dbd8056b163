"""A frozen score in patients of another cohort: nothing is fitted but what describes its error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.calibration_distance import calibration_distances
from scorebuilder.validation.calibration_poisson import poisson_ratio, poisson_slope
from scorebuilder.validation.calibration_slope import calibration_slope
from scorebuilder.validation.cox_likelihood import Ties
from scorebuilder.validation.decision_curve import net_benefit_difference
from scorebuilder.validation.explained_variation import royston_d
from scorebuilder.validation.in_the_large import calibration_in_the_large
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.misspecification import misspecification_test
from scorebuilder.validation.performance import evaluate_apparent
from scorebuilder.validation.recalibration_fit import fit_cox

RANKING = ("c_index", "uno_c")
"""Metrics of the whole follow-up, as far as they are registered."""
AT_HORIZON = ("auc", "brier", "scaled_brier")
NO_DEVELOPMENT = "the artifact does not tell of its development patients"
COLUMNS = (
    "measure", "label", "horizon", "threshold", "value", "lower", "upper", "standard_error",
    "chi2", "df", "p", "n", "events", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class FrozenPredictions:
    """
    What a frozen score says of the validation patients who can be scored.

    Attributes
    ----------
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard.
    risk : mapping of float to ndarray of shape (n_patients,)
        For each horizon, in the unit of the outcome.
    terms : ndarray of shape (n_patients, n_terms)
        Columns of the model, for the joint test.
    coefficients : ndarray of shape (n_terms,)
        Theirs; with them the columns add up to the linear predictor but for a constant.
    """

    linear_predictor: FloatArray
    risk: Mapping[float, FloatArray]
    terms: FloatArray
    coefficients: FloatArray


@dataclass(frozen=True)
class Development:
    """
    What is remembered of the development patients.

    Attributes
    ----------
    n : int
        Patients.
    mean, sd : float
        Of the linear predictor.
    quantiles : mapping of float to float
        Quantile of the linear predictor for a share of the patients.
    baseline_hazard : callable
        Cumulative hazard at linear predictor 0 for an array of times.
    last : float
        Time up to which `baseline_hazard` is known.
    ties : {"efron", "breslow"}
        How the model counted tied event times.
    """

    n: int
    mean: float
    sd: float
    quantiles: Mapping[float, float]
    baseline_hazard: Callable[[FloatArray], FloatArray]
    last: float
    ties: Ties = "efron"


def validate_externally(
    y: Outcome,
    predictions: FrozenPredictions,
    *,
    development: Development | None = None,
    thresholds: Sequence[float] = (),
) -> pd.DataFrame:
    r"""
    Judge a frozen score: discrimination, calibration, overall performance, and tests of the model.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the scorable validation patients.
    predictions : FrozenPredictions
        Of the same patients.
    development : Development, optional
        Without it, what needs the baseline hazard is undefined.
    thresholds : sequence of float
        Threshold probabilities at which the net benefit is stated, in (0, 1).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row for each measure and horizon (missing for the whole follow-up).
        A missing value has its reason.

    Notes
    -----
    The measures are those of Royston and Altman [1]_: slope of the linear predictor, with the
    likelihood-ratio test of 1; joint test of all terms beside the linear predictor as offset;
    Harrell's C; D and R2_D; Poisson recalibration, in follow-up cut at the last time at which the
    baseline hazard is known. At every horizon AUC(t), Brier and scaled Brier score, observed over
    expected, and the distances of the smooth calibration curve.

    References
    ----------
    .. [1] Royston P, Altman DG. External validation of a Cox prognostic model: principles and
       methods. BMC Med Res Methodol 2013;13:33.
    """
    rows = list(_whole_follow_up(y, predictions, development))
    for horizon, risk in predictions.risk.items():
        rows += [row | {"horizon": horizon} for row in _at_horizon(y, risk, horizon)]
        rows += [row | {"horizon": horizon} for row in _net_benefits(y, risk, horizon, thresholds)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["n"] = y.shape[0]
    within = [
        int(y["event"].sum() if pd.isna(horizon) else np.sum(y["event"] & (y["time"] <= horizon)))
        for horizon in table["horizon"]
    ]
    table["events"] = within
    return table


def group_hazard_ratios(
    y: Outcome, group: IntArray, labels: Sequence[str], *, reference: int = 0, ties: Ties = "efron"
) -> list[dict[str, Any]]:
    """
    Compare the hazards of risk groups.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    group : ndarray of int of shape (n_patients,)
        Position in `labels`.
    labels : sequence of str
        Of all groups.
    reference : int
        The group with a hazard ratio of 1.
    ties : {"efron", "breslow"}
        How tied event times are counted.

    Returns
    -------
    list of dict
        For every group ``label``, ``hazard_ratio``, ``lower``, ``upper``, ``log_hazard_ratio``,
        ``standard_error`` and ``reason``; a group without event, or without patients, has none.
    """
    event = y["event"]
    with_events = [k for k in range(len(labels)) if event[group == k].any()]
    others = [k for k in with_events if k != reference]
    rows = [_ratio_row(label) for label in labels]
    if reference not in with_events:
        for row in rows:
            row["reason"] = f"no event in the group `{labels[reference]}`, the reference"
        return rows
    rows[reference] = _ratio_row(labels[reference], 0.0) | {"reason": None}
    for k in set(range(len(labels))) - set(with_events):
        rows[k]["reason"] = "no event in the group" if np.any(group == k) else "no patients"
    if not others:
        return rows
    known = np.isin(group, with_events)
    design = np.column_stack([(group[known] == k).astype(np.float64) for k in others])
    try:
        coefficients, covariance, _ = fit_cox(design, y[known], ties=ties)
    except UndefinedMetricError as undefined:
        for k in others:
            rows[k]["reason"] = str(undefined)
        return rows
    for position, k in enumerate(others):
        error = float(np.sqrt(covariance[position, position]))
        rows[k] = _ratio_row(labels[k], float(coefficients[position]), error)
    return rows


def _ratio_row(
    label: str, log_ratio: float | None = None, error: float | None = None
) -> dict[str, Any]:
    if log_ratio is None:
        return dict.fromkeys(
            ("hazard_ratio", "lower", "upper", "log_hazard_ratio", "standard_error", "reason")
        ) | {"label": label}
    half = None if error is None else Z_95 * error
    return {
        "label": label,
        "hazard_ratio": float(np.exp(log_ratio)),
        "lower": None if half is None else float(np.exp(log_ratio - half)),
        "upper": None if half is None else float(np.exp(log_ratio + half)),
        "log_hazard_ratio": log_ratio,
        "standard_error": error,
        "reason": None,
    }


def case_mix(linear_predictor: FloatArray, development: Development | None) -> list[dict[str, Any]]:
    """
    Set the linear predictor of the validation patients beside that of the development patients.

    Parameters
    ----------
    linear_predictor : ndarray of shape (n_patients,)
        Of the validation patients.
    development : Development or None
        What is remembered of the others.

    Returns
    -------
    list of dict
        Rows ``quantity``, ``development``, ``validation``, ``difference`` (or ratio, for the
        standard deviation), ``lower``, ``upper`` and ``reason``. A wider spread makes it easier to
        discriminate, a shifted mean is another mean risk.
    """
    n, mean = linear_predictor.size, float(linear_predictor.mean())
    sd = float(linear_predictor.std(ddof=1)) if n > 1 else None
    names = ("mean of the linear predictor", "standard deviation of the linear predictor")
    if development is None or sd is None:
        reason = NO_DEVELOPMENT if development is None else "one patient has no spread"
        return [
            {"quantity": name, "development": None, "validation": value, "difference": None,
             "lower": None, "upper": None, "reason": reason}
            for name, value in zip(names, (mean, sd), strict=True)
        ]  # fmt: skip
    error = float(np.sqrt(sd**2 / n + development.sd**2 / development.n))
    shift = mean - development.mean
    spread, log_error = sd / development.sd, np.sqrt(0.5 / (n - 1) + 0.5 / (development.n - 1))
    return [
        {"quantity": names[0], "development": development.mean, "validation": mean,
         "difference": shift, "lower": shift - Z_95 * error, "upper": shift + Z_95 * error,
         "reason": None},
        {"quantity": names[1], "development": development.sd, "validation": sd,
         "difference": spread, "lower": float(spread * np.exp(-Z_95 * log_error)),
         "upper": float(spread * np.exp(Z_95 * log_error)), "reason": None},
    ]  # fmt: skip


def _row(
    measure: str, label: str, value: float | None = None, *, error: Any = None, **more: Any
) -> dict[str, Any]:
    row = {"measure": measure, "label": label, "horizon": np.nan, "value": value, **more}
    if error is not None and value is not None:
        row |= {
            "standard_error": error, "lower": value - Z_95 * error, "upper": value + Z_95 * error,
        }  # fmt: skip
    return row


def _guarded(
    function: Callable[[], Iterator[dict[str, Any]]], named: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a statistic; if it is undefined, its rows without value."""
    try:
        yield from list(function())
    except UndefinedMetricError as error:
        for measure, label in named.items():
            yield _row(measure, label, reason=str(error))


def _whole_follow_up(
    y: Outcome, predictions: FrozenPredictions, development: Development | None
) -> Iterator[dict[str, Any]]:
    index = predictions.linear_predictor
    ties: Ties = "efron" if development is None else development.ties
    for metric in (name for name in RANKING if name in METRICS):
        found = evaluate_apparent(y, index, horizon=float(y["time"].max()), metric=metric)
        limits: dict[str, Any] = {
            "lower": found.lower, "upper": found.upper, "reason": found.reason,
        }  # fmt: skip
        yield _row(metric, METRICS[metric].label, found.value, **limits)

    def slope() -> Iterator[dict[str, Any]]:
        found = calibration_slope(y, index, linear_predictor=index, ties=ties)
        tested = {"chi2": found.lr_statistic, "df": 1, "p": found.lr_p}
        error = found.standard_error
        yield _row("slope", "Slope (P: is it 1)", found.slope, error=error, **tested)

    def joint() -> Iterator[dict[str, Any]]:
        test = misspecification_test(y, predictions.terms, predictions.coefficients, ties=ties)
        tested = {"chi2": test.chi2, "df": test.df, "p": test.p}
        yield _row("misspecification", "Joint test of all terms", test.chi2, **tested)

    def spread() -> Iterator[dict[str, Any]]:
        found = royston_d(y, index, ties=ties)
        yield _row("royston_d", "Separation D", found.d, error=found.standard_error)
        limits = {"lower": found.r2_d_lower, "upper": found.r2_d_upper}
        yield _row("r2_d", "Explained variation (R²D)", found.r2_d, **limits)

    yield from _guarded(slope, {"slope": "Slope (P: is it 1)"})
    yield from _guarded(joint, {"misspecification": "Joint test of all terms"})
    yield from _guarded(spread, {"royston_d": "Separation D", "r2_d": "Explained variation (R²D)"})
    names = {
        "poisson_observed_expected": "Observed / expected, follow-up to the last horizon",
        "poisson_slope": "Slope of the Poisson model",
    }
    if development is None:
        for measure, label in names.items():
            yield _row(measure, label, reason=NO_DEVELOPMENT)
        return
    yield from _guarded(lambda: _poisson(y, index, development, names), names)


def _poisson(
    y: Outcome, index: FloatArray, development: Development, names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    hazard = development.baseline_hazard(np.minimum(y["time"], development.last))
    expected, last = hazard * np.exp(index), development.last
    ratio = poisson_ratio(y, expected, horizon=last)
    measure = "poisson_observed_expected"
    limits = {"lower": ratio.lower, "upper": ratio.upper, "reason": ratio.reason}
    yield _row(measure, names[measure], ratio.ratio, **limits)
    slope = poisson_slope(y, expected, index, horizon=last)
    yield _row("poisson_slope", names["poisson_slope"], slope.slope, error=slope.slope_error)


def _at_horizon(y: Outcome, risk: FloatArray, horizon: float) -> Iterator[dict[str, Any]]:
    for metric in AT_HORIZON:
        found = evaluate_apparent(y, risk, horizon=horizon, metric=metric)
        limits: dict[str, Any] = {
            "lower": found.lower, "upper": found.upper, "reason": found.reason,
        }  # fmt: skip
        yield _row(metric, METRICS[metric].label, found.value, **limits)

    def level() -> Iterator[dict[str, Any]]:
        found = calibration_in_the_large(y, risk, horizon=horizon)
        limits = {"lower": found.lower, "upper": found.upper}
        yield _row("observed_expected", "Observed / expected", found.ratio, **limits)

    def curve() -> Iterator[dict[str, Any]]:
        found = calibration_distances(y, risk, horizon=horizon)
        for name, label in distances.items():
            limits = {key: getattr(found[name], key) for key in ("lower", "upper", "reason")}
            yield _row(name, label, found[name].value, **limits)

    distances = {"ici": "ICI", "e50": "E50", "e90": "E90", "e_max": "Emax"}
    yield from _guarded(level, {"observed_expected": "Observed / expected"})
    yield from _guarded(curve, distances)


def _net_benefits(
    y: Outcome, risk: FloatArray, horizon: float, thresholds: Sequence[float]
) -> Iterator[dict[str, Any]]:
    for threshold in thresholds:
        row: dict[str, Any] = {"threshold": threshold}
        try:
            found = net_benefit_difference(
                y, risk, np.zeros(risk.size), horizon=horizon, threshold=threshold
            )
        except UndefinedMetricError as error:
            yield _row("net_benefit", "Net benefit", reason=str(error)) | row
        else:
            error_of = found.standard_error
            yield _row("net_benefit", "Net benefit", found.value, error=error_of) | row
