"""Flow chart: patients left after each exclusion, and what is known of them at the horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, MUTED, drawing, pixels, to_svg, wrap
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary
from scorebuilder.report.small_counts import counted

WIDTH = 3.5
"""Inches; a chart of this width needs no scaling on a telephone."""
LINE, PADDING, GAP = 0.175, 0.11, 0.16
STATES = (("event", "Event"), ("event_free", "No event yet"), ("censored", "Followed for less"))


@dataclass(frozen=True)
class Step:
    """
    A box of the chart, and who left before it.

    Attributes
    ----------
    out : str
        Who left; empty if nobody did.
    label : str
        What the patients are; empty if `out` says it.
    n_left : int
        Patients in the box.
    events : int or None
        Events among them.
    """

    out: str
    label: str
    n_left: int
    events: int | None


def flow_steps(attrition: list[dict[str, Any]]) -> list[Step]:
    """
    Turn attrition into boxes.

    Parameters
    ----------
    attrition : list of dict
        Rows of the summary's attrition.

    Returns
    -------
    list of Step
        Steps that exclude somebody, after the first one.

    Raises
    ------
    ValueError
        If who leaves and who stays do not add up.
    """
    steps: list[Step] = []
    before: int | None = None
    for row in attrition:
        if before is not None and before - row["n_excluded"] != row["n_left"]:
            message = (
                f"`attrition` must add up: step `{row['label']}` leaves {row['n_left']} of"
                f" {before} patients but excludes {row['n_excluded']}"
            )
            raise ValueError(message)
        first, before = before is None, row["n_left"]
        out = row["n_excluded"]
        if first or out:
            text = f"{numbers.count(out)} excluded: {row['label']}" if out else ""
            label = "" if out else f"{row['label'][:1].upper()}{row['label'][1:]}"
            steps.append(Step(text, label, row["n_left"], row["events_left"]))
    if len(steps) == 1 and not steps[0].out:
        only = steps[0]
        steps[0] = Step("", f"{only.label}; none excluded", only.n_left, only.events)
    return steps


def _left(step: Step) -> str:
    left = words.plural(step.n_left, "patient")
    return left if step.events is None else f"{left}, {words.plural(step.events, 'event')}"


def _state(summary: Summary) -> dict[str, Any] | None:
    horizon = summary["score"]["main_horizon"]
    rows = summary["cohort"].get("status", ())
    return next((row for row in rows if row["horizon"] == horizon), None)


def _height(steps: list[Step], state: dict[str, Any] | None) -> float:
    total = 0.1
    for step in steps:
        lines = 1 + len(wrap(step.label, 44).splitlines())
        total += LINE * lines + 2 * PADDING + GAP
        if step.out:
            total += LINE * len(wrap(step.out, 40).splitlines()) + 2 * GAP
    return total + (0.0 if state is None else 1.05)


class _Chart:
    """A page in inches, written from top to bottom."""

    def __init__(self, axes: Any, height: float) -> None:
        self.axes, self.y = axes, 0.05
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(height, 0)

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        self.axes.text(x, y, text, va="top", linespacing=1.35, **{"fontsize": 8.6} | style)

    def box(self, left: float, width: float, height: float, *, last: bool = False) -> None:
        from matplotlib.patches import FancyBboxPatch

        self.axes.add_patch(
            FancyBboxPatch(
                (left, self.y), width, height, boxstyle="round,pad=0,rounding_size=0.05",
                facecolor="#f5f8fa" if last else "white",
                edgecolor=BLUE if last else "#8a97a5", linewidth=1.6 if last else 0.9,
            )
        )  # fmt: skip

    def arrow(self, x: float, length: float) -> None:
        self.axes.annotate(
            "", (x, self.y + length), (x, self.y),
            arrowprops={"arrowstyle": "-|>", "color": MUTED, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip

    def step(self, step: Step, *, last: bool) -> None:
        if step.out:
            out = wrap(step.out, 40)
            length = LINE * len(out.splitlines()) + 2 * GAP
            self.arrow(0.3, length)
            self.text(0.5, self.y + 0.75 * GAP, out, color=MUTED)
            self.y += length
        label = wrap(step.label, 44)
        height = LINE * (1 + len(label.splitlines())) + 2 * PADDING
        self.box(0.03, WIDTH - 0.06, height, last=last)
        self.text(0.15, self.y + PADDING, _left(step), fontweight="bold", fontsize=9.4)
        self.text(0.15, self.y + PADDING + LINE + 0.02, label, color=MUTED)
        self.y += height

    def states(self, state: dict[str, Any]) -> None:
        self.text(0.45, self.y + 0.1, f"by {format_horizon(state['horizon'])}", color=MUTED)
        width = (WIDTH - 0.06 - 0.2) / 3
        for place in range(3):
            self.arrow(0.3 + place * (width + 0.1), 0.4)
        self.y += 0.4
        for place, (key, label) in enumerate(STATES):
            left = 0.03 + place * (width + 0.1)
            self.box(left, width, 0.55)
            self.text(left + 0.08, self.y + PADDING, counted(state[key]), fontweight="bold")
            self.text(left + 0.08, self.y + PADDING + LINE, label, color=MUTED, fontsize=7.6)


def _table(steps: list[Step], state: dict[str, Any] | None) -> DataTable:
    rows = [
        (
            step.out or step.label,
            numbers.count(step.n_left),
            "–" if step.events is None else numbers.count(step.events),
        )
        for step in steps
    ]
    if state is not None:
        when = format_horizon(state["horizon"])
        rows += [(f"{label} by {when}", counted(state[key]), "–") for key, label in STATES]
    return DataTable("Flow of patients", ("Step", "Patients", "Events"), tuple(rows))


def draw_flow(summary: Summary) -> Iterator[Figure]:
    """
    Draw the flow chart.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One.

    Raises
    ------
    ValueError
        If who leaves and who stays do not add up.
    """
    steps, state = flow_steps(summary["cohort"]["attrition"]), _state(summary)
    if not steps:
        return
    alt = f"Flow chart. {steps[0].label or steps[0].out}: {_left(steps[0])}. "
    alt += "".join(f"{step.out}; {_left(step)} left. " for step in steps[1:])
    if state is not None:
        known = ", ".join(f"{label.lower()} {counted(state[key])}" for key, label in STATES)
        alt += f"By {format_horizon(state['horizon'])}: {known}."
    height = _height(steps, state)
    with drawing(WIDTH, height, layout=None) as figure:
        chart = _Chart(figure.add_axes((0, 0, 1, 1)), height)
        for place, step in enumerate(steps):
            chart.step(step, last=place == len(steps) - 1)
        if state is not None:
            chart.states(state)
        width, tall = pixels(figure)
        svg = to_svg(figure, title=alt.strip())
    caption = "Flow of patients; events over the whole follow-up."
    yield Figure("flow", svg, width, tall, alt.strip(), caption, _table(steps, state))


FIGURES.register("flow", draw_flow)
