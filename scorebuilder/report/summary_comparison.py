"""The score against established scores in the summary: as published, and recalibrated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import format_horizon, unit_text
from scorebuilder.report.study import EVERYBODY, SCORE_LABEL, BaselineResult, Study
from scorebuilder.report.summary_calibration import MEASURES, Numbers, over_repeats
from scorebuilder.report.words import adjective, plural
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.baseline import MEMBER, Baseline, count_reasons
from scorebuilder.validation.compare import (
    MIN_EVENTS,
    Comparison,
    compare_with_baseline,
    paired_difference,
)
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.performance import Performance, evaluate_fixed
from scorebuilder.validation.recalibration import (
    Recalibration,
    fit_recalibration,
    recalibrate_out_of_fold,
)

FEW_EVENTS = 100
"""Below this number of events a refitted slope is rather imprecise."""
MIN_FOLLOWED = 20
"""Fewest patients followed beyond the horizon of a published risk for it to be judged there."""

LABELS = {
    "score": SCORE_LABEL,
    "published": "As published",
    "baseline": "Recalibrated: baseline hazard",
    "slope_and_baseline": "Recalibrated: slope and baseline hazard",
}
OVERALL = ("brier", "scaled_brier")
CALIBRATION = dict(zip(("in_the_large", "slope", "ici"), MEASURES, strict=True))
CALIBRATION_LABELS = {"in_the_large": "Observed / expected", "slope": "Slope", "ici": "ICI"}

_NAMED = re.compile(r"`([^`]+)`")
_RANGE = re.compile(r"(?<=\d)-(?=\d)")
_ABSENT = "the cohort has no"


@dataclass(frozen=True)
class _Form:
    """One way in which a score states risk, and by when; `why_not` where it states none."""

    name: str
    risk: FloatArray
    horizon: float
    why_not: str | None = None
    has_slope: bool = True
    note: str | None = None


def compare(study: Study, item: BaselineResult) -> Comparison:
    """
    Compare how score and baseline rank the patients whom the baseline can score.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.
    item : BaselineResult
        One of its baselines.

    Returns
    -------
    Comparison
        At the main horizon.
    """
    return compare_with_baseline(
        study.validation, study.cohort.y, item.predictions, horizon=study.main_horizon
    )


def comparison_row(study: Study, item: BaselineResult, found: Comparison) -> dict[str, Any]:
    """
    Summarise the comparison with one baseline.

    Parameters
    ----------
    study : Study
        With its artifact.
    item : BaselineResult
        One of its baselines.
    found : Comparison
        What `compare` returned.

    Returns
    -------
    dict
        Discrimination; every form of the risk with its calibration and overall performance; what
        the two scores predict, and in whom; who cannot be scored, and why.
    """
    baseline = item.baseline
    subset = scorable(study, item)
    return {
        **asdict(found),
        "baseline": item.key,
        "label": item.label,
        "quantity": baseline.quantity,
        "baseline_horizon": baseline.horizon,
        "outcome": baseline.outcome,
        "reasons": [
            {**row, "text": in_words(row["reason"], baseline)} for row in count_reasons(item.table)
        ],
        "assumed": list(item.assumed),
        "derived": list(item.derived),
        "members": _members(item),
        "judged_on": study.sealed.content["meaning"]["outcome"].rstrip("."),
        "notes": list(_notes(item, found)),
        "observed": _observed(study, subset, found.horizon),
        "forms": _judged_forms(study, item, subset) if found.n_events >= MIN_EVENTS else [],
        "equations": list(_equations(study, item)),
    }


def scorable(study: Study, item: BaselineResult) -> BoolArray:
    """
    Find the patients whom both the baseline and the score can judge.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.
    item : BaselineResult
        One of its baselines.

    Returns
    -------
    ndarray of bool of shape (n_patients,)
        At the main horizon, in every repeat.
    """
    judged = np.isfinite(study.validation.risk_at(study.main_horizon)).all(axis=0)
    return np.asarray(np.isfinite(item.predictions) & judged, dtype=np.bool_)


def in_words(reason: str, baseline: Baseline) -> str:
    """
    Write a reason with the labels of the inputs in place of their names.

    Parameters
    ----------
    reason : str
        Why a patient cannot be scored.
    baseline : Baseline
        By which score.

    Returns
    -------
    str
        For readers.
    """
    parts = {name: part for part in baseline.inputs for name in (part.concept, part.name)}
    found = _NAMED.search(reason)
    if found is None or found[1] not in parts:
        return reason
    part, what = parts[found[1]], _NAMED.sub("", reason).strip()
    label = part.label[0].lower() + part.label[1:] if part.label[1:2].islower() else part.label
    if what == _ABSENT:
        return f"{label} not in this cohort"
    if what.startswith("outside") and part.unit:
        return f"{label} {_RANGE.sub('–', what)} {unit_text(part.unit)}"
    return f"{label} {what}"


def _members(item: BaselineResult) -> list[dict[str, Any]]:
    """Count which score of a family applied."""
    if MEMBER not in item.table:
        return []
    counts = item.table[MEMBER].dropna().value_counts()
    return [{"member": str(name), "count": int(count)} for name, count in counts.items()]


def _notes(item: BaselineResult, found: Comparison) -> Iterator[str]:
    """Say in which way the published score states something else than is judged here."""
    baseline = item.baseline
    if item.note:
        yield item.note
    own, judged = format_horizon(baseline.horizon), format_horizon(found.horizon)
    if baseline.quantity == "points":
        yield (
            "points and no risk: judged by how they rank patients, and by the risk that they stand "
            "for in this cohort."
        )
    elif baseline.horizon != found.horizon:
        yield (
            f"risk stated by {own}, patients judged here by {judged}: ranking and slope can be "
            "compared as published, the level of risk only once it is recalibrated."
        )
    if item.n_assumed:
        total = sum(not part.setting for part in baseline.inputs)
        said = [text for text in item.assumed if text.endswith(EVERYBODY)]
        same = "; ".join(text.removesuffix(EVERYBODY) for text in said)
        yield (
            f"{item.n_assumed} of {total} inputs {'is' if item.n_assumed == 1 else 'are'} the same "
            f"for every patient ({same}), so that the ranking may be worse here than it could be."
        )
    if item.recalibrate and MIN_EVENTS <= found.n_events < FEW_EVENTS:
        yield (
            f"recalibrated on {found.n_events} events by {judged}; with fewer than {FEW_EVENTS} a "
            "refitted slope is imprecise."
        )
    if baseline.has_terms:
        yield baseline.licence_notice


def _observed(study: Study, subset: BoolArray, horizon: float) -> float | None:
    try:
        return 1.0 - survival_at(study.cohort.y[subset], horizon).survival
    except UndefinedMetricError:
        return None  # nobody scorable is followed so long, which the comparison says


def _forms(study: Study, item: BaselineResult, subset: BoolArray) -> Iterator[_Form]:
    horizon, y, folds = study.main_horizon, study.cohort.y, study.validation.folds
    yield _Form("score", study.validation.risk_at(horizon), horizon)
    yield _published(study, item, subset)
    for method in item.recalibrate:
        found = recalibrate_out_of_fold(
            y,
            item.predictions,
            folds,
            horizon=horizon,
            quantity=item.baseline.quantity,
            method=method,
        )
        complete = bool(np.isfinite(found.risk[:, subset]).all(axis=0).any())
        why_not = None if complete else found.reason
        yield _Form(method, found.risk, horizon, why_not, complete, found.reason)


def _published(study: Study, item: BaselineResult, subset: BoolArray) -> _Form:
    """Judge a published risk by its own horizon; a risk by ten years is none by five."""
    own, risk = item.baseline.horizon, item.predictions
    above = int(np.sum(risk[subset] > 1.0))
    if item.baseline.quantity == "points":
        return _Form("published", risk[None, :], own, "points are no risk", has_slope=False)
    if above:
        why_not = f"{above} published risks are above 1"
        return _Form("published", risk[None, :], own, why_not, has_slope=False)
    followed = int(np.sum(study.cohort.y["time"][subset] > own))
    if own != study.main_horizon and followed < MIN_FOLLOWED:
        who = f"{plural(followed, 'patient is', 'patients are')}" if followed else "nobody is"
        why_not = f"{who} followed for {format_horizon(own)}"
        return _Form("published", risk[None, :], own, why_not)
    return _Form("published", risk[None, :], own)


def _judged_forms(study: Study, item: BaselineResult, subset: BoolArray) -> list[dict[str, Any]]:
    """Judge every form on the same patients and folds; the first is the score."""
    rows, own = [], {}
    for form in _forms(study, item, subset):
        measures = list(_discrimination(study, form, subset))
        measures += _calibration(study, form, subset)
        for metric in OVERALL:
            found = _overall(study, form, subset, metric)
            if form.name == "score":
                own[metric] = found
            measures.append(_with_difference(metric, found, own[metric], form, study.main_horizon))
        label = LABELS[form.name]
        if form.name == "published" and item.baseline.quantity == "risk":
            label += f", {adjective(form.horizon)} risk"
        rows.append(
            {
                "form": form.name,
                "label": label,
                "horizon": form.horizon,
                "mean_risk": _mean_risk(item, form, subset),
                "note": form.note,
                "measures": measures,
            }
        )
    return rows


def _mean_risk(item: BaselineResult, form: _Form, subset: BoolArray) -> float | None:
    """Average what the form predicts; points have no mean risk."""
    if form.name == "published" and item.baseline.quantity == "points":
        return None
    risk = form.risk[:, subset]
    known = risk[:, np.isfinite(risk).all(axis=0)]
    return float(known.mean()) if known.size else None


def _measure(name: str, label: str, values: Any, reason: str | None) -> dict[str, Any]:
    value, lower, upper = values
    return {
        "measure": name, "label": label, "value": value, "lower": lower, "upper": upper,
        "reason": reason or None,
    }  # fmt: skip


def _discrimination(study: Study, form: _Form, subset: BoolArray) -> Iterator[dict[str, Any]]:
    found = evaluate_fixed(
        study.cohort.y,
        form.risk,
        study.validation.folds,
        horizon=study.main_horizon,
        metric="auc",
        subset=subset,
    )
    values = (found.value, found.lower, found.upper)
    yield _measure("auc", METRICS["auc"].label, values, found.reason)


def _calibration(study: Study, form: _Form, subset: BoolArray) -> list[dict[str, Any]]:
    """Observed over expected, slope and ICI; the slope needs no horizon."""
    judged = subset & np.isfinite(form.risk).all(axis=0)
    y, risks = study.cohort.y[judged], form.risk[:, judged]
    rows = []
    for name, (_, _, measure) in CALIBRATION.items():
        values: Numbers = (None, None, None)
        reason = form.why_not
        if reason is None or (name == "slope" and form.has_slope):
            values, reason = over_repeats(measure, y, risks, form.horizon)
        rows.append(_measure(name, CALIBRATION_LABELS[name], values[:3], reason))
    return rows


def _overall(study: Study, form: _Form, subset: BoolArray, metric: str) -> Performance:
    if form.why_not is not None:
        n = int(subset.sum())
        return Performance(None, None, None, None, n, 0, form.why_not)
    return evaluate_fixed(
        study.cohort.y,
        form.risk,
        study.validation.folds,
        horizon=form.horizon,
        metric=metric,
        subset=subset,
    )


def _with_difference(
    metric: str, found: Performance, own: Performance, form: _Form, horizon: float
) -> dict[str, Any]:
    values = (found.value, found.lower, found.upper)
    row = _measure(metric, METRICS[metric].label, values, found.reason)
    if form.name == "score" or form.horizon != horizon:
        return row
    difference = paired_difference(own, found, widest=np.inf)
    return row | {
        "difference": difference.value,
        "difference_lower": difference.lower,
        "difference_upper": difference.upper,
        "p": difference.p,
    }


def _equations(study: Study, item: BaselineResult) -> Iterator[dict[str, Any]]:
    """Fit each recalibration to all patients, for those who want to use it."""
    for method in item.recalibrate:
        try:
            fit = fit_recalibration(
                study.cohort.y,
                item.predictions,
                horizon=study.main_horizon,
                quantity=item.baseline.quantity,
                method=method,
            )
        except UndefinedMetricError as error:
            yield {"method": method, "label": LABELS[method], "text": None, "reason": str(error)}
        else:
            yield {
                "method": method,
                "label": LABELS[method],
                "slope": fit.slope,
                "factor": fit.factor,
                "text": _equation(fit),
                "reason": None,
            }


def _equation(fit: Recalibration) -> str:
    """Write a recalibrated risk as a formula of the published risk, or of the points."""
    if fit.quantity == "points":
        shift = f"{fit.slope:.6g} × (points {'+' if fit.center < 0 else '−'} {abs(fit.center):.6g})"
        return f"1 − exp(−{fit.cumulative_hazard:.6g} × exp({shift}))"
    power = "" if fit.method == "baseline" else f"^{fit.slope:.6g}"
    return f"1 − exp(−{fit.factor:.6g} × (−ln(1 − published risk)){power})"
