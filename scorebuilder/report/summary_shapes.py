"""The shape of each effect in the summary: a curve, a curve with a spike at zero, or levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, SMALLEST_CELL, table_one
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import ConvergenceError
from scorebuilder.explanation.partial_effect import partial_effect
from scorebuilder.modelling.other_functions import STRAIGHT, linear_alternative
from scorebuilder.report.study import Study

N_GRID = 101
N_BINS = 24


def level_codes_of(study: Study, name: str) -> list[str]:
    """
    List the levels of a factor that a development patient has.

    Parameters
    ----------
    study : Study
        The study.
    name : str
        A factor.

    Returns
    -------
    list of str
        Codes, the reference first.
    """
    return [str(code) for code in study.X[name].cat.remove_unused_categories().cat.categories]


def summarise_shape(study: Study, name: str) -> dict[str, Any]:
    """
    Summarise the effect of one predictor of the model.

    Parameters
    ----------
    study : Study
        With its artifact.
    name : str
        A kept variable.

    Returns
    -------
    dict
        ``kind`` is ``curve`` or ``levels``. A curve with a spike at zero runs over the values above
        0 and has the effect of values up to 0 under ``spike``; one with limits has ``limits``; one
        that is not straight has under ``straight`` the line that would be fitted in its place.
    """
    if study.cohort.schema.field(name).kind == "numeric":
        return _curve(study, name)
    codes = level_codes_of(study, name)
    effect = partial_effect(study.builder, name, list(codes), reference=codes[0])
    field = study.cohort.schema.field(name)
    # The counts of Table 1: a second rule of hiding would show what the first one hides.
    table = table_one(study.X[[name]], study.cohort.y, study.cohort.schema)
    counts = table[table["stratum"] == "all"].set_index("level")["count"]
    return {
        "predictor": name,
        "label": study.label(name),
        "kind": "levels",
        "levels": [
            {
                "label": field.level_label(row.value),
                "hazard_ratio": np.exp(row.log_hazard_ratio),
                "lower": np.exp(row.lower),
                "upper": np.exp(row.upper),
                "n": counts[row.value],
                "n_reason": HIDDEN_COMPLEMENT if counts[row.value] is None else None,
            }
            for row in effect.itertuples()
        ],
    }


def _curve(study: Study, name: str) -> dict[str, Any]:
    known = study.X[name].dropna().to_numpy(dtype=np.float64)
    model = study.builder.model_
    # A step alone has no curve that limits could flatten.
    spiked, limits = name in model.spike_, model.limits_.get(name) if model.powers_[name] else None
    reference = rounded_centile(known, 50)
    reference = max(reference, 0.0) if spiked else reference
    drawn = known[known > 0.0] if spiked else known
    grid = _with_bends(_grid(drawn), limits)
    effect = partial_effect(study.builder, name, list(grid), reference=reference)
    counts, edges = np.histogram(drawn, bins=np.linspace(grid[0], grid[-1], N_BINS + 1))
    soft = next(p for p in study.sealed.scoring["predictors"] if p["id"] == name)["soft_range"]
    shape = {
        "predictor": name,
        "label": study.label(name),
        "unit": study.cohort.schema.field(name).unit,
        "kind": "curve",
        "powers_text": _function_text(
            tuple(model.powers_[name]), spiked=spiked, step=model.spike_.get(name, False)
        ),
        "reference": reference,
        "x": grid,
        "log_hazard_ratio": effect["log_hazard_ratio"].to_numpy(),
        "lower": effect["lower"].to_numpy(),
        "upper": effect["upper"].to_numpy(),
        # Bins with 1 to 4 patients are left empty, like those without any.
        "density": {
            "edges": edges,
            "counts": [0 if count < SMALLEST_CELL else int(count) for count in counts],
        },
        "soft_range": soft,
    }
    if spiked:
        shape["spike"] = _spike(study, name, reference, int(np.sum(known <= 0.0)))
    if limits is not None:
        shape["limits"] = list(limits)
    if not spiked and name not in model.acd_ and tuple(model.powers_[name]) != STRAIGHT:
        shape["straight"] = _straight(study, name, grid, reference, limits)
    return shape


def _straight(
    study: Study, name: str, grid: FloatArray, reference: float, limits: tuple[float, float] | None
) -> FloatArray | None:
    """Log hazard ratio along a straight line, all other functions kept; None if it has no fit."""
    builder = study.builder
    try:
        slope = linear_alternative(builder.model_, builder.design(study.X), study.cohort.y, name)
    except ConvergenceError:
        return None
    x = np.clip([*grid, reference], *(limits or (-np.inf, np.inf)))
    return np.asarray(slope * (x[:-1] - x[-1]))


def _spike(study: Study, name: str, reference: float, n: int) -> dict[str, Any]:
    """Summarise the effect of values up to 0, which is apart from the curve."""
    effect = partial_effect(study.builder, name, [0.0], reference=reference).iloc[0]
    shown = {key: float(effect[key]) for key in ("log_hazard_ratio", "lower", "upper")}
    return {**shown, "n": n if n >= SMALLEST_CELL else None}


def _with_bends(grid: FloatArray, limits: tuple[float, float] | None) -> FloatArray:
    """Add the limits, at which the curve becomes flat."""
    bends = [limit for limit in limits or () if grid[0] < limit < grid[-1]]
    return np.union1d(grid, bends) if bends else grid


def rounded_centile(known: FloatArray, centile: float) -> float:
    """
    Find a centile, rounded so that it is no patient's value.

    Parameters
    ----------
    known : ndarray of shape (n_known,)
        Values of a numeric predictor.
    centile : float
        In [0, 100].

    Returns
    -------
    float
        With three significant digits, or more where all values share the first ones.
    """
    return float(f"{np.percentile(known, centile):.{_digits(known)}g}")


def _digits(known: FloatArray) -> int:
    """Significant digits for values: three, and more where all share the first ones (years)."""
    low, high = np.percentile(known, [0.5, 99.5])
    if high == low:
        return 3
    return 3 + max(0, int(np.floor(np.log10(max(abs(low), abs(high)) / (high - low)))))


def _grid(known: FloatArray) -> FloatArray:
    """Values along a predictor: rounded, so that none is a single patient's, and never outside."""
    low, high = np.percentile(known, [0.5, 99.5])
    if low == high:
        return np.array([low])  # nearly all patients share it
    digits = _digits(known)
    values = [float(f"{value:.{digits}g}") for value in np.linspace(low, high, N_GRID)]
    smallest, largest = known.min(), known.max()
    return np.array(sorted({value for value in values if smallest <= value <= largest}))


def _function_text(powers: tuple[float, ...], *, spiked: bool, step: bool) -> str:
    if not spiked:
        return powers_words(powers)
    if not powers:
        return "a step at 0"
    above = f"{powers_words(powers)} above 0"
    return f"a step at 0, {above}" if step else f"{above}, without a step at 0"


def powers_words(powers: tuple[float, ...]) -> str:
    """
    Write the powers of a function.

    Parameters
    ----------
    powers : tuple of float
        One or two.

    Returns
    -------
    str
        The function.

    Examples
    --------
    >>> powers_words((1.0,)), powers_words((0.0,)), powers_words((-2.0, 3.0))
    ('linear', 'FP1, power ln', 'FP2, powers -2, 3')
    """
    if powers == (1.0,):
        return "linear"
    names = ["ln" if power == 0 else f"{power:g}" for power in powers]
    return f"FP{len(powers)}, power{'s' if len(powers) > 1 else ''} {', '.join(names)}"
