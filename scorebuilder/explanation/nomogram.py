"""The formula as a nomogram: scales to read points off, add them, and find score and risk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.units import format_horizon, unit_text
from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    END,
    ROUND,
    TURN,
    Band,
    Nomogram,
    Reading,
    Scale,
    Tick,
)
from scorebuilder.explanation.reference_values import reference_value
from scorebuilder.score.apply import LARGEST_INPUT, contributions, is_spiked
from scorebuilder.score.artifact import ScoreArtifact

LONGEST = 100.0
"""Points of the input with the longest scale."""
RISKS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4),
    *(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
)
"""Risks that are marked, where the scale reaches them."""
FINER_RISKS = (
    *(0.003, 0.004, 0.006, 0.007, 0.008, 0.009, 0.03, 0.04, 0.06, 0.07, 0.08, 0.09),
    *(0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85),
)
"""Marked between `RISKS`."""
FEWEST = 4
"""With fewer of `RISKS` on a scale, round risks between its ends are marked instead."""
GRID = 401
BACK = 0.01
"""A curve turns where it goes back by more than this share of its scale."""
FINER = {1: 0.5, 2: 1.0, 5: 1.0}
"""Finer step inside a round one, by its first digit."""


def make_nomogram(artifact: ScoreArtifact) -> Nomogram:
    """
    Lay out the scales of a score over the usual range of its inputs.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    Nomogram
        The input whose contribution varies most gets 100 points.

    Notes
    -----
    With unit u and base b, the linear predictor is ``b + u * total``, without rounding: score and
    risk that are read off are those of the formula, as exactly as a line can be read.
    """
    predictors = artifact.scoring["predictors"]
    spiked = {term["predictor"] for term in artifact.scoring["terms"] if is_spiked(term)}
    found = [
        _contribution(artifact, predictor, spiked=predictor["id"] in spiked)
        for predictor in predictors
    ]
    longest = max((float(np.ptp(parts)) for _, parts in found), default=0.0)
    unit = longest / LONGEST if longest > 0 else 1.0
    scales, base, most = [], 0.0, 0.0
    for predictor, (values, parts) in zip(predictors, found, strict=True):
        low = float(parts.min())
        base += low
        points = (parts - low) / unit
        most += float(points.max())
        numeric = predictor["type"] == "numeric"
        if numeric:
            ticks = _number_ticks(values, points, spiked=predictor["id"] in spiked)
        else:
            ticks = _level_ticks(predictor, points)
        scales.append(Scale(_title(predictor), 0.0, float(points.max()), ticks, levels=not numeric))
    totals = Scale("Total points", 0.0, most, _total_ticks(most))
    hazards = [(row["horizon"], -math.log(row["survival"])) for row in artifact.scoring["baseline"]]
    risks = tuple(
        Scale(
            f"Risk by {format_horizon(horizon)}, %",
            0.0,
            most,
            _risk_ticks(hazard, base, unit, most),
        )
        for horizon, hazard in hazards
    )
    thresholds = [
        (float(value) - base) / unit for value in artifact.scoring["points"]["thresholds"]
    ]
    return Nomogram(
        tuple(scales),
        totals,
        _bands(thresholds, most),
        risks,
        unit,
        base,
        _reading(artifact, scales, thresholds, [hazard for _, hazard in hazards], base, unit),
    )


def _title(predictor: Mapping[str, Any]) -> str:
    label, unit = predictor["label"] or predictor["id"], unit_text(predictor["unit"])
    return f"{label} ({unit})" if unit else str(label)


def _codes(predictor: Mapping[str, Any]) -> list[str]:
    return [str(level["code"]) for level in predictor["levels"]]


def _contribution(
    artifact: ScoreArtifact, predictor: Mapping[str, Any], *, spiked: bool
) -> tuple[Sequence[float | str], FloatArray]:
    """Contribution of one input over its range; the others do not matter."""
    name, values = predictor["id"], list[float | str](_codes(predictor))
    if predictor["type"] == "numeric":
        grid = [float(value) for value in np.linspace(*_range(predictor), GRID)]
        values = [0.0, *(value for value in grid if value > 0)] if spiked else [*grid]
    frame = pd.DataFrame(
        {
            other["id"]: values if other["id"] == name else [_any_value(other)] * len(values)
            for other in artifact.scoring["predictors"]
        }
    )
    return values, contributions(artifact, frame)[name].to_numpy(dtype=np.float64)


def _range(predictor: Mapping[str, Any]) -> tuple[float, float]:
    """Usual range of a number, or else the possible one."""
    low, high = predictor["soft_range"]
    if low is not None and high is not None:
        return float(low), float(high)
    lowest, highest = predictor["hard_range"]
    return _limit(lowest, -LARGEST_INPUT), _limit(highest, LARGEST_INPUT)


def _limit(end: float | None, furthest: float) -> float:
    return furthest if end is None or abs(end) > abs(furthest) else float(end)


def _any_value(predictor: Mapping[str, Any]) -> float | str:
    if predictor["type"] != "numeric":
        return _codes(predictor)[0]
    low, high = _range(predictor)
    return 0.5 * (low + high)


def nice_values(low: float, high: float, *, most: int = 9) -> list[float]:
    """
    Choose round values inside a range.

    Parameters
    ----------
    low, high : float
        The range.
    most : int
        How many at the most, about.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> nice_values(36, 95)
    [40.0, 50.0, 60.0, 70.0, 80.0, 90.0]
    """
    return _multiples(low, high, *_step(low, high, most)) if high > low else [low]


def _step(low: float, high: float, most: int) -> tuple[float, float]:
    """Return the first digit of a round step, and its power of ten."""
    tenth = 10.0 ** math.floor(math.log10((high - low) / most))
    digit = next(digit for digit in (1, 2, 5, 10) if (high - low) / (tenth * digit) <= most)
    return (1.0, 10.0 * tenth) if digit == 10 else (float(digit), tenth)


def _multiples(low: float, high: float, digit: float, tenth: float) -> list[float]:
    step = digit * tenth
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def _number_ticks(
    values: Sequence[float | str], points: FloatArray, *, spiked: bool
) -> tuple[Tick, ...]:
    """Mark round values; where the curve turns, the branches are written on different sides."""
    x = np.asarray(values, dtype=np.float64)
    if not spiked:
        return tuple(_curve_ticks(x, points))
    zero = Tick("0", float(points[0]))
    return (zero, *(tick for tick in _curve_ticks(x[1:], points[1:]) if tick.label != "0"))


def _curve_ticks(x: FloatArray, points: FloatArray) -> list[Tick]:
    if x.size < 2 or not x[-1] > x[0]:
        return [Tick(f"{value:.3g}", float(at)) for value, at in zip(x[:1], points, strict=False)]

    def tick(value: float, rank: int) -> Tick:
        near = int(np.clip(np.searchsorted(x, value), 1, x.size - 1))
        falls = bool(points[near] < points[near - 1])
        return Tick(f"{value:.6g}", float(np.interp(value, x, points)), falls, rank)

    low, high = float(x[0]), float(x[-1])
    digit, tenth = _step(low, high, 9)
    coarse = _multiples(low, high, digit, tenth)
    fine = _multiples(low, high, FINER[int(digit)], tenth)
    ends = [value for value in (_three(low), _three(high)) if value not in fine]
    ranks = dict.fromkeys(ends, END) | dict.fromkeys(fine, BETWEEN) | dict.fromkeys(coarse, ROUND)
    turns = {_three(float(x[place])): TURN for place in _turns(points)}
    return _joined([tick(value, rank) for value, rank in sorted((ranks | turns).items())])


def _three(value: float) -> float:
    return float(f"{value:.3g}")


def _joined(ticks: list[Tick]) -> list[Tick]:
    """Write neighbouring values of the same points, where a curve is flat, as one mark."""
    found: list[Tick] = []
    for tick in ticks:
        if found and abs(found[-1].points - tick.points) < 1e-6:
            first = found[-1].label.partition(" to ")[0]
            rank = min(found[-1].rank, tick.rank)
            found[-1] = replace(found[-1], label=f"{first} to {tick.label}", rank=rank)
        else:
            found.append(tick)
    return found


def _turns(points: FloatArray) -> list[int]:
    """Find where inside its range a curve turns; its line ends there and runs back."""
    smallest = BACK * float(np.ptp(points))
    found = []
    for place in (int(points.argmin()), int(points.argmax())):
        before, after = points[:place], points[place + 1 :]
        if before.size == 0 or after.size == 0:
            continue
        back = min(float(np.abs(part - points[place]).max()) for part in (before, after))
        if back > smallest:
            found.append(place)
    return found


def _level_ticks(predictor: Mapping[str, Any], points: FloatArray) -> tuple[Tick, ...]:
    labels = [str(level["label"] or level["code"]) for level in predictor["levels"]]
    order = np.argsort(points, kind="stable")
    return tuple(Tick(labels[place], float(points[place])) for place in order)


def _total_ticks(most: float) -> tuple[Tick, ...]:
    if most <= 0:
        return (Tick("0", 0.0),)
    digit, tenth = _step(0.0, most, 12)
    coarse = _multiples(0.0, most, digit, tenth)
    fine = [] if digit == 1 else _multiples(0.0, most, FINER[int(digit)], tenth)
    ranks = dict.fromkeys(fine, BETWEEN) | dict.fromkeys(coarse, ROUND)
    return tuple(Tick(f"{value:g}", value, rank=rank) for value, rank in sorted(ranks.items()))


def _risk_ticks(hazard: float, base: float, unit: float, most: float) -> tuple[Tick, ...]:
    if hazard <= 0:
        return ()
    ends = [_risk(hazard, base + unit * total) for total in (0.0, most)]
    coarse = [risk for risk in RISKS if ends[0] <= risk <= ends[1]]
    fine: Sequence[float] = FINER_RISKS
    if len(coarse) < FEWEST:
        coarse, fine = [risk / 100 for risk in nice_values(100 * ends[0], 100 * ends[1])], ()
    ranks = dict.fromkeys(fine, BETWEEN) | dict.fromkeys(coarse, ROUND)
    places = [
        (risk, (math.log(-math.log1p(-risk) / hazard) - base) / unit, rank)
        for risk, rank in sorted(ranks.items())
        if 0 < risk < 1
    ]
    return tuple(
        Tick(f"{100 * risk:.6g}", total, rank=rank)
        for risk, total, rank in places
        if 0.0 <= total <= most
    )


def _risk(hazard: float, linear_predictor: float) -> float:
    return -math.expm1(-hazard * math.exp(min(linear_predictor, 700.0)))


def _bands(thresholds: list[float], most: float) -> tuple[Band, ...]:
    ends = [-math.inf, *thresholds, math.inf]
    return tuple(
        Band(score, max(first, 0.0), min(last, most))
        for score, (first, last) in enumerate(pairwise(ends))
        if last > 0.0 and first <= most and last > first
    )


def _reading(
    artifact: ScoreArtifact,
    scales: list[Scale],
    thresholds: list[float],
    hazards: list[float],
    base: float,
    unit: float,
) -> Reading:
    """Take the round mark of each scale that is nearest to the reference value."""
    steps = tuple(
        _nearest(scale, predictor, reference_value(artifact, predictor))
        for scale, predictor in zip(scales, artifact.scoring["predictors"], strict=True)
    )
    total = float(sum(round(step.points) for step in steps))
    score = sum(total >= threshold for threshold in thresholds)
    risks = tuple(_risk(hazard, base + unit * total) for hazard in hazards)
    return Reading(steps, total, score, risks)


def _nearest(scale: Scale, predictor: Mapping[str, Any], value: float | str | None) -> Tick:
    found = [tick for tick in scale.ticks if tick.rank == ROUND] or list(scale.ticks)
    middle = found[(len(found) - 1) // 2]
    if isinstance(value, str):
        labels = {
            str(level["code"]): level["label"] or level["code"] for level in predictor["levels"]
        }
        return next((tick for tick in found if tick.label == labels[value]), middle)
    if value is None:
        return middle
    return min(found, key=lambda tick: abs(float(tick.label.partition(" to ")[0]) - value))
