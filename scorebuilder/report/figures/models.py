"""Differences between the score and every other model, as a forest plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, MUTED, drawing, pixels, short, to_svg
from scorebuilder.report.figure import FIGURES, Figure, Summary


def _draw(figure: Any, rows: list[dict[str, Any]]) -> None:
    axes = figure.subplots()
    places = range(len(rows) - 1, -1, -1)
    for y, row in zip(places, rows, strict=True):
        if row["lower"] is not None:
            axes.plot([row["lower"], row["upper"]], [y, y], color=BLUE, linewidth=1.6)
        axes.plot(row["value"], y, "o", color=BLUE, markersize=6)
        text = numbers.difference(row["value"], row["lower"], row["upper"])
        axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5)
    axes.axvline(0.0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks(list(places), [short(row["label"], 44) for row in rows], fontsize=8.2)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("AUC of this score minus AUC of the other (95 % CI)")


def _same_ranking(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Tell whether a model ranks as one drawn before it does: the same, recalibrated."""
    keys = ("value", "lower", "upper", "n")
    return any(
        row["against"].startswith(other["against"] + ":")
        and all(row.get(key) == other.get(key) for key in keys)
        for other in rows
    )


def draw_models(summary: Summary) -> Iterator[Figure]:
    """
    Draw the difference of AUC between the score and every other model.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if a difference is known.
    """
    found = summary["validation"].get("models")
    if not found:
        return
    labels = {model["name"]: model["label"] for model in found["models"]}
    rows = [
        row | {"label": labels[row["against"]]}
        for row in found["rows"]
        if row["measure"] == "auc" and row["against"] and row["value"] is not None
    ]
    rows = [row for row in rows if not _same_ranking(row, rows)]
    if not rows:
        return
    parts = [f"{words.clean(row['label'])} {numbers.signed(row['value'])}" for row in rows]
    when = format_horizon(found["horizon"])
    alt = f"Difference of the AUC at {when}, this score minus the other: {'; '.join(parts)}."
    with drawing(7.6, 0.9 + 0.34 * len(rows)) as figure:
        _draw(figure, rows)
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = (
        "Right of the dashed line this score ranks better. Each pair is judged out of fold, on the"
        " patients whom both can judge."
    )
    yield Figure("models", svg, width, height, alt, caption)


FIGURES.register("models", draw_models)
