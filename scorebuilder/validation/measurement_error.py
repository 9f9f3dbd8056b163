"""What errors of measurement do to linear predictor, points, groups and risk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.seeds import generator

LinearPredictor: TypeAlias = Callable[[FloatArray], FloatArray]
"""From values of shape (n_patients, n_measured) to linear predictors; NaN where undefined."""

STEP = 1e-3
"""Step of the numerical derivative, in standard deviations of the error."""


@dataclass(frozen=True)
class MeasuredScore:
    """
    A score as seen from the variables that are measured with error.

    Attributes
    ----------
    linear_predictor : callable
        Takes values of shape (n_patients, n_measured), returns shape (n_patients,).
    thresholds : ndarray of shape (n_points,)
        Ascending linear predictors; points are the number reached.
    group_thresholds : ndarray of shape (n_groups - 1,)
        Those at which a new risk group begins.
    cumulative_hazard : float
        Baseline cumulative hazard at the horizon of the risk.
    auc : callable or None
        Takes linear predictors of all patients, NaN where undefined; returns an AUC.
    """

    linear_predictor: LinearPredictor
    thresholds: FloatArray
    group_thresholds: FloatArray
    cumulative_hazard: float
    auc: Callable[[FloatArray], float] | None = None

    def __post_init__(self) -> None:
        for thresholds in (self.thresholds, self.group_thresholds):
            if np.any(np.diff(thresholds) <= 0):
                message = "thresholds must be strictly ascending"
                raise ValueError(message)

    def risk(self, linear_predictor: FloatArray) -> FloatArray:
        """
        Risk by the horizon.

        Parameters
        ----------
        linear_predictor : ndarray of shape (n_patients,)
            NaN stays NaN.

        Returns
        -------
        ndarray of shape (n_patients,)
            In [0, 1].
        """
        with np.errstate(over="ignore"):
            hazard = self.cumulative_hazard * np.exp(linear_predictor)
        return np.asarray(-np.expm1(-hazard), dtype=np.float64)


@dataclass(frozen=True)
class ErrorEffect:
    """
    How much error of measurement changes a score, over patients and draws.

    Attributes
    ----------
    n_patients, n_draws : int
        Patients; repeated measurements drawn of each.
    points_changed, points_changed_by_two, group_changed : float
        Share of measurements with other points, with points other by two or more, in another
        group than the recorded value gives; [0, 1].
    points_changed_error : float
        Monte Carlo standard error of `points_changed`.
    retest_points_changed, retest_group_changed : float
        Share of pairs of measurements of the same patient that disagree.
    points_changed_first_order, group_changed_first_order : float
        The same as the shares above, from a linear expansion around the recorded value.
    linear_predictor_sd, linear_predictor_sd_first_order : float
        Root mean square over patients of the SD within a patient.
    risk_sd, risk_sd_95 : float
        Root mean square, and 95th centile over patients, of the SD of the risk within a patient.
    reliability : float
        Intraclass correlation of the linear predictor: variance between patients over the sum of
        that and the variance within.
    auc, auc_with_error : float or None
        With the recorded values, and on average over the draws.
    undefined : float
        Share of measurements at which the score has no value; they count nowhere else.
    variance_share : ndarray of shape (n_measured,)
        Part of the error variance that each variable brings, by the linear expansion; NaN if
        there is none.
    """

    n_patients: int
    n_draws: int
    points_changed: float
    points_changed_by_two: float
    group_changed: float
    points_changed_error: float
    retest_points_changed: float
    retest_group_changed: float
    points_changed_first_order: float
    group_changed_first_order: float
    linear_predictor_sd: float
    linear_predictor_sd_first_order: float
    risk_sd: float
    risk_sd_95: float
    reliability: float
    auc: float | None
    auc_with_error: float | None
    undefined: float
    variance_share: FloatArray


def propagate(
    score: MeasuredScore,
    values: FloatArray,
    sd: FloatArray,
    *,
    lower: FloatArray,
    upper: FloatArray,
    n_draws: int,
    random_state: int,
    streams: tuple[int | str, ...] | None = None,
) -> ErrorEffect:
    r"""
    Measure each patient again and again, and count what changes.

    Parameters
    ----------
    score : MeasuredScore
        The score, with everything that is not measured here held fixed.
    values : ndarray of shape (n_patients, n_measured)
        Recorded values, finite; taken as the true ones.
    sd : ndarray, broadcast to (n_patients, n_measured)
        Standard deviation of one measurement around the true value, >= 0, in the variable's unit;
        0 for a value that was not measured.
    lower, upper : ndarray of shape (n_measured,)
        Possible values; a draw outside is drawn again. May be infinite.
    n_draws : int
        Measurements of each patient, >= 2.
    random_state : int
        Seed.
    streams : tuple of int or str, optional
        Name of each variable's random numbers; the same name gives the same errors whatever other
        variables are measured. By default the position.

    Returns
    -------
    ErrorEffect
        Aggregates only.

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite or outside its range, an SD is negative, or there
        are too few draws.
    UndefinedMetricError
        If the score has no value at a recorded value, or the linear predictor is the same in all.

    Notes
    -----
    :math:`X_{ij} = x_{ij} + \sigma_{ij} Z`, with Z standard normal given that :math:`X_{ij}` is
    possible, and independent errors. Drawing again until a value is possible is the same as
    the truncated normal distribution, from which each value is drawn here by its quantile function
    [1]_. The expansion takes :math:`s_i^2 = \sum_j (\partial \eta_i / \partial x_j)^2
    \sigma_{ij}^2` and :math:`\eta_i + s_i Z` for the linear predictor; it knows neither the ends of
    the range nor curvature.

    References
    ----------
    .. [1] Carroll RJ, et al. Measurement error in nonlinear models. 2nd ed. Chapman and Hall; 2006.
    """
    values, spread, lower, upper = _checked(values, sd, lower, upper)
    if n_draws < 2:
        message = f"`n_draws` must be at least 2; got {n_draws}"
        raise ValueError(message)
    recorded = score.linear_predictor(values)
    if not np.isfinite(recorded).all():
        message = "the score has no value for some recorded values"
        raise UndefinedMetricError(message)
    between = float(np.var(recorded))
    if between == 0.0:
        message = "all patients have the same linear predictor"
        raise UndefinedMetricError(message)
    names = tuple(range(values.shape[1])) if streams is None else streams
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(spread > 0, ndtr((lower - values) / spread), 0.0)
        high = np.where(spread > 0, ndtr((upper - values) / spread), 1.0)
    tally = _Tally(score, recorded)
    for draw in range(n_draws):
        measured = values.copy()
        for column, name in enumerate(names):
            uniform = generator(random_state, "measurement", draw, name).random(len(values))
            place = low[:, column] + (high[:, column] - low[:, column]) * uniform
            error = spread[:, column] * ndtri(np.clip(place, 1e-300, 1.0 - 2.0**-53))
            measured[:, column] = np.clip(values[:, column] + error, lower[column], upper[column])
        tally.add(score.linear_predictor(measured))
    return tally.effect(between, _variances(score.linear_predictor, values, spread, lower, upper))


def attenuated_auc(auc: float, reliability: float) -> float:
    r"""
    Predict the AUC after error is added to a binormal marker.

    Parameters
    ----------
    auc : float
        Without the error, in (0, 1).
    reliability : float
        Variance of the marker within cases and within controls, over that with the error; (0, 1].

    Returns
    -------
    float
        Nearer to 0.5.

    Notes
    -----
    :math:`\Phi(\Phi^{-1}(\mathrm{AUC}) \sqrt{\rho})` if marker and error are normal with the same
    variances in cases and controls.

    Examples
    --------
    >>> round(attenuated_auc(0.76, 1.0), 6), round(attenuated_auc(0.76, 0.5), 3)
    (0.76, 0.691)
    """
    if not 0.0 < auc < 1.0 or not 0.0 < reliability <= 1.0:
        message = f"`auc` must lie in (0, 1), `reliability` in (0, 1]; got {auc}, {reliability}"
        raise ValueError(message)
    return float(ndtr(ndtri(auc) * np.sqrt(reliability)))


def _checked(
    values: FloatArray, sd: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        message = "`values` must be finite, of shape (n_patients, n_measured)"
        raise ValueError(message)
    spread = np.broadcast_to(np.asarray(sd, dtype=np.float64), values.shape)
    if not np.isfinite(spread).all() or np.any(spread < 0):
        message = "`sd` must be finite and not negative"
        raise ValueError(message)
    ends = [
        np.broadcast_to(np.asarray(e, dtype=np.float64), values.shape[1]) for e in (lower, upper)
    ]
    if np.any(values < ends[0]) or np.any(values > ends[1]):
        message = "`values` must lie between `lower` and `upper`"
        raise ValueError(message)
    return values, spread, ends[0], ends[1]


def _variances(
    linear_predictor: LinearPredictor,
    values: FloatArray,
    spread: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> FloatArray:
    """Error variance of the linear predictor by variable, of shape (n_patients, n_measured)."""
    out = np.zeros(values.shape)
    for column in range(values.shape[1]):
        step = STEP * spread[:, column]
        above, below = values.copy(), values.copy()
        above[:, column] = np.minimum(values[:, column] + step, upper[column])
        below[:, column] = np.maximum(values[:, column] - step, lower[column])
        rise = linear_predictor(above) - linear_predictor(below)
        run = above[:, column] - below[:, column]
        slope = np.divide(rise, run, out=np.zeros(len(values)), where=run > 0)
        out[:, column] = (slope * spread[:, column]) ** 2
    return np.nan_to_num(out, nan=0.0)


def _bands(linear_predictor: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Count the thresholds reached, as float; NaN where the linear predictor is."""
    reached = np.searchsorted(thresholds, linear_predictor, side="right").astype(np.float64)
    return np.where(np.isnan(linear_predictor), np.nan, reached)


def _leaving(recorded: FloatArray, spread: FloatArray, thresholds: FloatArray) -> float:
    """Share that leaves its band if the linear predictor is normal around the recorded one."""
    if thresholds.size == 0:
        return 0.0
    edges = np.r_[-np.inf, thresholds, np.inf]
    band = np.searchsorted(thresholds, recorded, side="right")
    safe = np.where(spread > 0, spread, 1.0)
    stays = ndtr((edges[band + 1] - recorded) / safe) - ndtr((edges[band] - recorded) / safe)
    return float(np.mean(np.where(spread > 0, 1.0 - stays, 0.0)))


class _Tally:
    """Counts over draws, so that no draw has to be kept."""

    def __init__(self, score: MeasuredScore, recorded: FloatArray) -> None:
        self.score, self.recorded = score, recorded
        self.points = _bands(recorded, score.thresholds)
        self.group = _bands(recorded, score.group_thresholds)
        self.risk = score.risk(recorded)
        self.defined = np.zeros(recorded.size)
        # Sums of deviations from the recorded value, which loses no digits.
        self.sums = {what: np.zeros(recorded.size) for what in ("lp", "lp2", "risk", "risk2")}
        self.changes: list[tuple[int, int, int, int]] = []
        self.pairs: list[tuple[int, int, int]] = []
        self.aucs: list[float] = []
        self.before: tuple[FloatArray, FloatArray] | None = None

    def add(self, linear_predictor: FloatArray) -> None:
        """Count one draw."""
        known = ~np.isnan(linear_predictor)
        points = _bands(linear_predictor, self.score.thresholds)
        group = _bands(linear_predictor, self.score.group_thresholds)
        moved = np.abs(points - self.points)[known]
        self.changes.append(
            (
                int(known.sum()),
                int((moved >= 1).sum()),
                int((moved >= 2).sum()),
                int((group != self.group)[known].sum()),
            )
        )
        if self.before is not None:
            both = known & ~np.isnan(self.before[0])
            self.pairs.append(
                (
                    int(both.sum()),
                    int((points != self.before[0])[both].sum()),
                    int((group != self.before[1])[both].sum()),
                )
            )
        self.before = points, group
        self.defined += known
        shift = np.where(known, linear_predictor - self.recorded, 0.0)
        risk_shift = np.where(known, self.score.risk(linear_predictor) - self.risk, 0.0)
        for what, part in (("lp", shift), ("risk", risk_shift)):
            self.sums[what] += part
            self.sums[f"{what}2"] += part**2
        if self.score.auc is not None:
            self.aucs.append(self.score.auc(linear_predictor))

    def _variance(self, what: str) -> FloatArray:
        """Variance within each patient that was defined at least twice."""
        n = self.defined
        enough = n >= 2
        mean = self.sums[what][enough] / n[enough]
        squares = self.sums[f"{what}2"][enough] - n[enough] * mean**2
        return np.asarray(np.maximum(squares, 0.0) / (n[enough] - 1), dtype=np.float64)

    def effect(self, between: float, variances: FloatArray) -> ErrorEffect:
        """Put the counts together."""
        changes, pairs = np.array(self.changes, dtype=float), np.array(self.pairs, dtype=float)
        within, risk_variance = self._variance("lp"), self._variance("risk")
        if within.size == 0 or not pairs[:, 0].sum():
            message = "the score has no value at all but a few measurements with error"
            raise UndefinedMetricError(message)
        share = changes[:, 1:].sum(axis=0) / changes[:, 0].sum()
        some = changes[:, 0] > 0
        per_draw = changes[some, 1] / changes[some, 0]
        first_order = np.sqrt(variances.sum(axis=1))
        total = float(variances.sum())
        n_patients, n_draws = self.recorded.size, len(changes)
        return ErrorEffect(
            n_patients=n_patients,
            n_draws=n_draws,
            points_changed=float(share[0]),
            points_changed_by_two=float(share[1]),
            group_changed=float(share[2]),
            points_changed_error=float(np.std(per_draw, ddof=1) / np.sqrt(per_draw.size)),
            retest_points_changed=float(pairs[:, 1].sum() / pairs[:, 0].sum()),
            retest_group_changed=float(pairs[:, 2].sum() / pairs[:, 0].sum()),
            points_changed_first_order=_leaving(self.recorded, first_order, self.score.thresholds),
            group_changed_first_order=_leaving(
                self.recorded, first_order, self.score.group_thresholds
            ),
            linear_predictor_sd=float(np.sqrt(within.mean())),
            linear_predictor_sd_first_order=float(np.sqrt(np.mean(first_order**2))),
            risk_sd=float(np.sqrt(risk_variance.mean())),
            risk_sd_95=float(np.quantile(np.sqrt(risk_variance), 0.95)),
            reliability=between / (between + float(within.mean())),
            auc=None if self.score.auc is None else self.score.auc(self.recorded),
            auc_with_error=float(np.mean(self.aucs)) if self.aucs else None,
            undefined=1.0 - float(changes[:, 0].sum()) / (n_patients * n_draws),
            variance_share=variances.sum(axis=0) / total
            if total > 0
            else np.full(variances.shape[1], np.nan),
        )
