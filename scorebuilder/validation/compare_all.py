"""Several models on the same out-of-fold patients: one call, one long table."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.calibration_distance import calibration_distances
from scorebuilder.validation.calibration_slope import calibration_slope
from scorebuilder.validation.categorical_nri import categorical_nri
from scorebuilder.validation.compare import MIN_EVENTS, paired_difference
from scorebuilder.validation.contrast import CONTRASTS, ContrastEstimate
from scorebuilder.validation.contrast_over_repeats import contrast_over_repeats
from scorebuilder.validation.decision_curve import net_benefit_difference
from scorebuilder.validation.in_the_large import calibration_in_the_large
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.over_repeats import Estimate, RepeatEstimate, average_over_repeats
from scorebuilder.validation.performance import Performance, evaluate_fixed

RANKING = ("auc", "c_index", "uno_c")
"""Metrics of the order of the patients, as far as they are registered; within folds."""
LEVEL = ("brier", "scaled_brier")
"""Metrics of the absolute risk; within folds."""
REGISTERED = ("nri_continuous", "idi")
"""Contrasts of the registry that a table states."""
PARTS = ("events", "nonevents")
"""Pieces of a contrast that stand apart."""
COLUMNS = (
    "model", "against", "measure", "part", "threshold", "horizon", "value", "lower", "upper", "p",
    "p_holm", "first_value", "second_value", "n", "events", "reason",
)  # fmt: skip
LABELS = {
    "observed_expected": "Observed / expected",
    "slope": "Calibration slope",
    "ici": "ICI",
    "net_benefit": "Net benefit",
}


@dataclass(frozen=True)
class ComparedModel:
    """
    Out-of-fold predictions of one model by one horizon.

    Attributes
    ----------
    name, label : str
        Key, and words for readers.
    marker : ndarray of shape (n_patients,) or (n_repeats, n_patients)
        Ranks the patients over the whole follow-up: linear predictor, mortality or points. NaN
        where the model cannot judge a patient.
    risk : ndarray of shape (n_patients,) or (n_repeats, n_patients), optional
        Probability of the event by the horizon; None if the model states none.
    why_no_risk : str
        Why `risk` is None.
    """

    name: str
    label: str
    marker: FloatArray
    risk: FloatArray | None = None
    why_no_risk: str = "points are no risk"

    def judged(self, shape: tuple[int, ...]) -> BoolArray:
        """
        Find the patients whom the model can judge in every repeat.

        Parameters
        ----------
        shape : tuple of int
            Repeats and patients.

        Returns
        -------
        ndarray of bool of shape (n_patients,)
            True where marker, and risk if there is one, are known.
        """
        known = np.isfinite(np.broadcast_to(self.marker, shape)).all(axis=0)
        if self.risk is not None:
            known = known & np.isfinite(np.broadcast_to(self.risk, shape)).all(axis=0)
        return np.asarray(known, dtype=np.bool_)


def compare_all(
    y: Outcome,
    folds: IntArray,
    models: Sequence[ComparedModel],
    *,
    horizon: float,
    thresholds: Sequence[float] = (),
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    r"""
    Judge models, and pairs of them, on the same out-of-fold patients.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    folds : ndarray of int of shape (n_repeats, n_patients)
        In which fold each patient was predicted; the same for all models.
    models : sequence of ComparedModel
        The first is the reference.
    horizon : float
        Of the risks, in the unit of `y`.
    thresholds : sequence of float
        Threshold probabilities of the net benefit, in (0, 1); between them lie the categories of
        the categorical NRI.
    pairs : sequence of (str, str), optional
        Which model against which; the reference against each other model if not given.

    Returns
    -------
    DataFrame
        Long, columns `COLUMNS`. Rows without `against` are a model's own numbers, on the patients
        whom it and the reference can judge. Rows with `against` are differences, model minus
        `against`, on the patients whom both can judge, where `first_value` and `second_value` are
        the numbers of the two. A missing value has its reason.

    Raises
    ------
    ValueError
        If two models have one name, or a pair names none.

    Notes
    -----
    AUC(t), C and Brier score compare or average patients within folds, then over folds and repeats
    (`evaluate_fixed`). Calibration, net benefit, reclassification and discrimination improvement
    need many patients: they judge all patients of a repeat together, then average over the repeats
    (`average_over_repeats`). P is adjusted by Holm's method [1]_ over the pairs, for each measure
    (part, threshold) apart. With fewer than `MIN_EVENTS` events by the horizon nothing is stated.

    References
    ----------
    .. [1] Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat
       1979;6:65-70.
    """
    by_name = {model.name: model for model in models}
    if len(by_name) != len(models):
        message = "`models` must have different names"
        raise ValueError(message)
    if pairs is None:
        pairs = [(models[0].name, model.name) for model in models[1:]]
    unknown = sorted({name for pair in pairs for name in pair} - set(by_name))
    if unknown:
        message = f"`pairs` names no model: {', '.join(unknown)}; known: {', '.join(by_name)}"
        raise ValueError(message)
    judge = _Judge(y, np.atleast_2d(folds), horizon, tuple(thresholds))
    reference = models[0].judged(judge.folds.shape)
    rows: list[dict[str, Any]] = []
    for model in models:
        rows += judge.model_rows(model, reference & model.judged(judge.folds.shape))
    for first, second in pairs:
        rows += judge.pair_rows(by_name[first], by_name[second])
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["p_holm"] = _adjusted(table)
    return table


def _adjusted(table: pd.DataFrame) -> pd.Series:
    tested = table[table["against"] != ""]
    keys = ["measure", "part", "threshold"]
    groups = tested.groupby(keys, sort=False, dropna=False)["p"]
    # statsmodels collects garbage at every call, which takes seconds where much is in memory.
    gc.freeze()
    try:
        return groups.transform(_holm).astype(float).reindex(table.index)
    finally:
        gc.unfreeze()


def _holm(p_values: pd.Series) -> FloatArray:
    from statsmodels.stats.multitest import multipletests

    p = p_values.to_numpy(dtype=np.float64)
    known = ~np.isnan(p)
    adjusted = np.full(p.size, np.nan)
    if known.any():
        adjusted[known] = multipletests(p[known], method="holm")[1]
    return adjusted


@dataclass
class _Judge:
    y: Outcome
    folds: IntArray
    horizon: float
    thresholds: tuple[float, ...]
    _known: dict[tuple[str, str, bytes], Performance] = field(default_factory=dict)

    def model_rows(self, model: ComparedModel, subset: BoolArray) -> Iterator[dict[str, Any]]:
        row = self._row(model.name, "", subset)
        if row["events"] < MIN_EVENTS:
            yield row | {"measure": "auc", "reason": self._too_few(row["events"])}
            return
        for metric in self._metrics():
            found = self._performance(model, metric, subset)
            yield row | {"measure": metric, **_numbers(found)}
        for measure, function in _CALIBRATION.items():
            yield row | {"measure": measure, **_numbers(self._repeated(model, subset, function))}
        for threshold in self.thresholds:
            benefit = self._repeated(model, subset, _net_benefit(threshold))
            yield row | {"measure": "net_benefit", "threshold": threshold, **_numbers(benefit)}

    def pair_rows(self, first: ComparedModel, second: ComparedModel) -> Iterator[dict[str, Any]]:
        subset = first.judged(self.folds.shape) & second.judged(self.folds.shape)
        row = self._row(first.name, second.name, subset)
        if row["events"] < MIN_EVENTS:
            yield row | {"measure": "auc", "reason": self._too_few(row["events"])}
            return
        for metric in self._metrics():
            one, other = (self._performance(m, metric, subset) for m in (first, second))
            found = paired_difference(one, other, widest=np.inf)
            values = {"first_value": one.value, "second_value": other.value}
            yield row | {"measure": metric, **_numbers(found), **values}
        yield from self._contrasts(first, second, row, subset)
        for threshold in self.thresholds:
            yield row | {
                "measure": "net_benefit",
                "threshold": threshold,
                **self._net_benefit_difference(first, second, subset, threshold),
            }

    def _row(self, model: str, against: str, subset: BoolArray) -> dict[str, Any]:
        early = self.y["event"] & (self.y["time"] <= self.horizon)
        counts = {"n": int(subset.sum()), "events": int(np.sum(subset & early))}
        return {
            "model": model, "against": against, "part": "", "horizon": self.horizon, **counts,
        }  # fmt: skip

    def _too_few(self, events: int) -> str:
        return f"{events} events by the horizon; at least {MIN_EVENTS} are needed"

    def _metrics(self) -> list[str]:
        return [name for name in (*RANKING, *LEVEL) if name in METRICS]

    def _performance(self, model: ComparedModel, metric: str, subset: BoolArray) -> Performance:
        key = (model.name, metric, np.packbits(subset).tobytes())
        if key not in self._known:
            self._known[key] = self._evaluated(model, metric, subset)
        return self._known[key]

    def _evaluated(self, model: ComparedModel, metric: str, subset: BoolArray) -> Performance:
        judge = METRICS[metric]
        prediction = model.marker if judge.whole_follow_up else model.risk
        if prediction is None and judge.ranks_only:
            prediction = model.marker
        if prediction is None:
            n = int(subset.sum())
            return Performance(None, None, None, None, n, 0, model.why_no_risk)
        return evaluate_fixed(
            self.y, prediction, self.folds, horizon=self.horizon, metric=metric, subset=subset
        )

    def _risks(self, model: ComparedModel, subset: BoolArray) -> FloatArray:
        assert model.risk is not None  # models without risk are answered before
        return np.asarray(np.broadcast_to(model.risk, self.folds.shape)[:, subset])

    def _repeated(self, model: ComparedModel, subset: BoolArray, function: _Measure) -> Estimate:
        if model.risk is None:
            return Estimate(reason=model.why_no_risk)
        y, risks = self.y[subset], self._risks(model, subset)
        return average_over_repeats(
            lambda repeat: function(y, risks[repeat], self.horizon), len(risks)
        )

    def _contrasts(
        self, new: ComparedModel, old: ComparedModel, row: dict[str, Any], subset: BoolArray
    ) -> Iterator[dict[str, Any]]:
        """Reclassification and discrimination improvement; the parts of each stand apart."""
        contrasts = {name: CONTRASTS[name] for name in REGISTERED}
        if self.thresholds:
            contrasts["nri_categorical"] = categorical_nri(sorted(self.thresholds))
        for name, contrast in contrasts.items():
            without = next((m.why_no_risk for m in (new, old) if m.risk is None), None)
            if without is not None:
                yield row | {"measure": name, "reason": without}
                continue
            found = contrast_over_repeats(
                contrast, self.y[subset], self._risks(new, subset), self._risks(old, subset),
                horizon=self.horizon,
            )  # fmt: skip
            for part in ("", *PARTS):
                estimate = found.get(part, Estimate(reason=found[""].reason))
                yield row | {"measure": name, "part": part, **_numbers(estimate)}

    def _net_benefit_difference(
        self, first: ComparedModel, second: ComparedModel, subset: BoolArray, threshold: float
    ) -> dict[str, Any]:
        for model in (first, second):
            if model.risk is None:
                return {"reason": model.why_no_risk}
        y = self.y[subset]
        risks = [self._risks(model, subset) for model in (first, second)]

        def of_repeat(repeat: int) -> RepeatEstimate:
            new, old = (risk[repeat] for risk in risks)
            return _of_contrast(
                net_benefit_difference(y, new, old, horizon=self.horizon, threshold=threshold)
            )

        found = average_over_repeats(of_repeat, self.folds.shape[0], with_p=True)
        own = [self._repeated(m, subset, _net_benefit(threshold)).value for m in (first, second)]
        return {**_numbers(found), "first_value": own[0], "second_value": own[1]}


def _numbers(found: Any) -> dict[str, Any]:
    return {
        "value": found.value, "lower": found.lower, "upper": found.upper,
        "p": getattr(found, "p", None), "reason": found.reason,
    }  # fmt: skip


_Measure = Callable[[Outcome, FloatArray, float], RepeatEstimate]


def _in_the_large(y: Outcome, risk: FloatArray, horizon: float) -> RepeatEstimate:
    found = calibration_in_the_large(y, risk, horizon=horizon)
    return RepeatEstimate(found.ratio, lower=found.lower, upper=found.upper)


def _slope(y: Outcome, risk: FloatArray, horizon: float) -> RepeatEstimate:
    del horizon  # the slope uses the whole follow-up
    found = calibration_slope(y, risk)
    return RepeatEstimate(found.slope, lower=found.lower, upper=found.upper)


def _ici(y: Outcome, risk: FloatArray, horizon: float) -> RepeatEstimate:
    found = calibration_distances(y, risk, horizon=horizon)["ici"]
    return RepeatEstimate(found.value, lower=found.lower, upper=found.upper)


def _of_contrast(found: ContrastEstimate) -> RepeatEstimate:
    if found.value is None:
        raise UndefinedMetricError(found.reason or "not defined")
    return RepeatEstimate(found.value, found.influence, found.standard_error)


def _net_benefit(threshold: float) -> _Measure:
    def measure(y: Outcome, risk: FloatArray, horizon: float) -> RepeatEstimate:
        nobody = np.zeros(risk.size)
        return _of_contrast(
            net_benefit_difference(y, risk, nobody, horizon=horizon, threshold=threshold)
        )

    return measure


_CALIBRATION: dict[str, _Measure] = {
    "observed_expected": _in_the_large,
    "slope": _slope,
    "ici": _ici,
}
