"""Risk by points: what the score predicts, what was observed, and how many patients there are."""

from __future__ import annotations

from collections.abc import Iterator

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, INK, TINT, drawing, percent_axis, pixels, to_svg
from scorebuilder.report.figure import FIGURES, Figure, Summary
from scorebuilder.report.risk_bands import extent


def draw_points(summary: Summary) -> Iterator[Figure]:
    """
    Draw predicted and observed risk at the main horizon for each points value.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if the risk table has rows at the main horizon.
    """
    horizon = summary["score"]["main_horizon"]
    rows = [row for row in summary["points"]["risk_table"] if row["horizon"] == horizon]
    known = [row for row in rows if row["predicted"] is not None]
    if not known:
        return
    when = words.adjective(horizon)
    first, last = (
        f"{numbers.percent(row['predicted'])} at {words.plural(row['points'], 'point')}"
        for row in (known[0], known[-1])
    )
    alt = f"Mean predicted {when} risk goes from {first} to {last}."
    with drawing(7.6, 3.7) as figure:
        axes, support = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.bar(
            [r["points"] for r in known],
            [r["predicted"] for r in known],
            0.72,
            color=TINT,
            edgecolor=BLUE,
            linewidth=0.8,
        )
        for row in rows:
            x = row["points"]
            if row["observed"] is None:
                axes.text(x, row["predicted"] or 0, "n/a\n", ha="center", va="bottom", fontsize=7.5)
                continue
            if row["lower"] is not None and row["upper"] is not None:
                axes.plot([x, x], [row["lower"], row["upper"]], color=INK, linewidth=1.2)
            axes.plot(x, row["observed"], "o", color=INK, markersize=5)
        axes.set_ylim(0, None)
        percent_axis(axes.yaxis)
        axes.set_ylabel(f"{when.capitalize()} risk")
        axes.grid(visible=False, axis="x")
        counts = [row["n"] or 0 for row in rows]
        for (start, end), row in {extent(row, "band"): row for row in rows}.items():
            middle = (start + end) / 2
            width = end - start + 0.72
            support.bar(middle, row["n"] or 0, width, color="#9aa5b1", linewidth=0)
            support.text(
                middle,
                row["n"] or 0,
                "hidden" if row["n"] is None else numbers.count(row["n"]),
                ha="center",
                va="bottom",
                fontsize=7.5,
            )
        support.set_ylim(0, 1.35 * max(*counts, 1))
        support.set_yticks([])
        support.spines["left"].set_visible(False)
        support.grid(visible=False)
        support.set_xticks([row["points"] for row in rows])
        support.set_xlabel("Points")
        support.set_ylabel("Patients")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = (
        "Bars: mean predicted risk. Dots with 95 % interval: risk observed by Kaplan-Meier; n/a"
        " where it is undefined (reason in the table). Neighbouring points with few"
        " patients share a count, and those where it would fall share an observed risk. Below:"
        " patients with that many points; hidden where small counts could be worked out."
    )
    yield Figure("points", svg, width, height, alt, caption)


FIGURES.register("points", draw_points)
