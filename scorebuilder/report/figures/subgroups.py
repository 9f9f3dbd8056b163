"""Forest plot of discrimination and calibration by subgroup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, INK, MUTED, drawing, pixels, ratio_axis, short, to_svg
from scorebuilder.report.figure import FIGURES, Figure, Summary

PANELS = ("auc", "observed_expected")
FARTHEST = 3.0
"""Logarithms of ratios beyond this are drawn at the edge."""


def _rows(summary: Summary) -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for division in summary["subgroups"]:
        for group in division["groups"]:
            found = {row["measure"]: row for row in group["measures"]}
            rows.append((f"{short(division['label'], 30)}\n{short(group['label'], 36)}", found))
    return rows


def _draw(axes: Any, rows: list[tuple[str, dict[str, Any]]], measure: str) -> None:
    ratio = measure == "observed_expected"
    for index, (_, found) in enumerate(rows):
        row, y = found[measure], len(rows) - 1 - index
        if row["value"] is None:
            place = axes.get_yaxis_transform()
            axes.text(0.5, y, "–", transform=place, ha="center", va="center", color=MUTED)
            continue
        known = [row[key] for key in ("lower", "upper") if row[key] is not None]
        ends = np.clip(np.log(known), -FARTHEST, FARTHEST) if ratio else np.asarray(known)
        if len(known) == 2:
            axes.plot(ends, [y, y], color=BLUE, linewidth=1.6)
        axes.plot(np.log(row["value"]) if ratio else row["value"], y, "s", color=BLUE, markersize=5)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.6, len(rows) - 0.4)


def draw_subgroups(summary: Summary) -> Iterator[Figure]:
    """
    Draw AUC and observed / expected of every subgroup.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if a subgroup can be judged.
    """
    if not summary.get("subgroups"):
        return
    rows = _rows(summary)
    judged = [found for _, found in rows if found["auc"]["value"] is not None]
    if not judged:
        return
    aucs = [found["auc"]["value"] for found in judged]
    when = format_horizon(summary["subgroups"][0]["horizon"])
    alt = (
        f"AUC and observed / expected by {when} in {words.plural(len(rows), 'subgroup')}; AUC from "
        f"{numbers.three(min(aucs))} to {numbers.three(max(aucs))}."
    )
    with drawing(7.6, 0.8 + 0.4 * len(rows)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        _draw(left, rows, PANELS[0])
        _draw(right, rows, PANELS[1])
        left.axvline(0.5, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        right.axvline(0.0, color=MUTED, linewidth=1)
        left.set_yticks(
            range(len(rows) - 1, -1, -1), [label for label, _ in rows], color=INK, fontsize=8.2
        )
        low, high = right.get_xlim()
        low, high = min(low, -0.3), max(high, 0.3)
        right.set_xlim(low, high)
        ratio_axis(right.xaxis, low, high)
        left.set_xlabel("AUC (95 % CI)")
        right.set_xlabel("Observed / expected (95 % CI)")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = (
        "Out-of-fold risks. Left, dashed: no discrimination. Right, line at 1: as many events as"
        " predicted. A dash stands where too few events allow no estimate."
    )
    yield Figure("subgroups", svg, width, height, alt, caption)


FIGURES.register("subgroups", draw_subgroups)
