"""Curves of two scores over one another, one small drawing per number that both use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scorebuilder.core.units import unit_text
from scorebuilder.report import numbers
from scorebuilder.report.drawing import BLUE, INK, MUTED, drawing, pixels, ratio_axis, to_svg, wrap
from scorebuilder.report.figure import DataTable, Figure

SIZE = (3.6, 2.7)
N_ROWS = 7
"""Rows of the table behind a figure."""


def draw_two_curves(curves: Sequence[Mapping[str, Any]]) -> Iterator[Figure]:
    """
    Draw the curves of the old and of the new score, both moved to mean 0.

    Parameters
    ----------
    curves : sequence of mapping
        From `curve_difference`.

    Yields
    ------
    Figure
        One for each predictor with ``x``, on a common scale.
    """
    drawn = [row for row in curves if "x" in row]
    if not drawn:
        return
    every = [v for row in drawn for key in ("old", "new") for v in row[key] if v is not None]
    low, high = max(min([*every, -0.3]), -6.0) - 0.1, min(max([*every, 0.3]), 6.0) + 0.1
    for row in drawn:
        x, old, new = (
            np.array([np.nan if v is None else v for v in row[key]]) for key in ("x", "old", "new")
        )
        alt = _words(row, x, old, new)
        with drawing(*SIZE) as figure:
            axes = figure.subplots()
            axes.axhline(0, color=MUTED, linewidth=0.8)
            axes.plot(x, old, color=INK, linestyle=(0, (4, 2)), linewidth=1.5, label="old")
            axes.plot(x, new, color=BLUE, linewidth=2.2, label="new")
            axes.set_ylim(low, high)
            ratio_axis(axes.yaxis, low, high)
            axes.set_xlim(float(x[0]), float(x[-1]))
            axes.set_ylabel("Hazard ratio")
            axes.set_xlabel(unit_text(row["unit"] or "") or "value")
            axes.set_title(wrap(row["label"], 34))
            axes.legend(frameon=False, fontsize=8)
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        table = _table(row, x, old, new)
        caption = "Dashed: old score. Line: new score."
        yield Figure(f"curve-{row['predictor']}", svg, width, height, alt, caption, table)


def _ratio(value: float) -> str:
    return numbers.two(float(np.exp(value))) if np.isfinite(value) else "–"


def _words(row: Mapping[str, Any], x: Any, old: Any, new: Any) -> str:
    unit = f" {unit_text(row['unit'])}" if row["unit"] else ""
    ends = ", ".join(
        f"{_ratio(old[k])} and {_ratio(new[k])} at {numbers.quantity(float(x[k]))}{unit}"
        for k in (0, -1)
    )
    return f"Hazard ratio along {row['label']} in the old and the new score: {ends}."


def _table(row: Mapping[str, Any], x: Any, old: Any, new: Any) -> DataTable:
    places = np.unique(np.linspace(0, x.size - 1, N_ROWS).round().astype(int))
    rows = tuple((numbers.quantity(float(x[k])), _ratio(old[k]), _ratio(new[k])) for k in places)
    return DataTable(f"Hazard ratio along {row['label']}", (row["label"], "Old", "New"), rows)
