"""The drawing board: one look for all figures, and SVG that is small and always the same."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeAlias

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import MissingPartError
from scorebuilder.report.drawing_words import said, say_words
from scorebuilder.report.words import clean

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""Colours of Okabe and Ito that reach a contrast of 3 on white."""
INK, MUTED, GRID, TINT = "#1d2733", "#5b6673", "#e4e9ee", "#c9dcea"

LINES: tuple[tuple[str, Any], ...] = (
    (VERMILION, (0, (5, 2))),
    (GREEN, (0, (6, 2, 1, 2))),
    (PURPLE, (0, (1.5, 1.5))),
    (INK, (0, (3, 1, 1, 1, 1, 1))),
    (VERMILION, (0, (1, 2))),
    (GREEN, (0, (8, 3))),
    (PURPLE, (0, (5, 1, 1, 1))),
)
"""Colour and dashes of each line after the first, so that no line is told by colour alone."""

MAX_VERTICES = 400

Layout: TypeAlias = Literal["constrained"] | None

PNG_DPI = 300
_COPIES: ContextVar[dict[str, bytes] | None] = ContextVar("png_copies", default=None)

_LADDERS: tuple[tuple[float, ...], ...] = (
    (1.0, 1.1, 1.25, 1.5, 2.0),
    (1.0, 1.5, 2.0, 3.0),
    (1.0, 2.0, 4.0, 8.0, 16.0),
    (1.0, 3.0, 10.0, 30.0, 100.0),
    (1.0, 10.0, 100.0, 1e3, 1e4),
    (1.0, 1e2, 1e4, 1e6, 1e8),
)

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9aa5b1",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "butt",
    "path.simplify": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "scorebuilder",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": "#9aa5b1",
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": "#9aa5b1",
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


@contextmanager
def drawing(width: float, height: float, *, layout: Layout = "constrained") -> Iterator[Any]:
    """
    Open a blank figure; `to_svg` must be called inside the context.

    Parameters
    ----------
    width, height : float
        Inches.
    layout : {"constrained", None}
        Layout engine; None when the axes are placed by hand.

    Yields
    ------
    matplotlib.figure.Figure
        Without any state shared between figures.

    Raises
    ------
    MissingPartError
        If matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "figures need matplotlib; install it with `pip install 'scorebuilder[report]'`"
        raise MissingPartError(message) from error
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield Figure(figsize=(width, height), layout=layout)


@contextmanager
def png_copies() -> Iterator[dict[str, bytes]]:
    """
    Keep a PNG copy of every figure that is drawn inside the context.

    Yields
    ------
    dict
        PNG file of 300 dots per inch for each SVG text; filled while figures are drawn.
    """
    copies: dict[str, bytes] = {}
    token = _COPIES.set(copies)
    try:
        yield copies
    finally:
        _COPIES.reset(token)


def to_svg(figure: Any, *, title: str) -> str:
    """
    Write a figure as SVG text, with neither date nor program name.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, inside its `drawing` context.
    title : str
        Becomes the SVG title, read aloud when the file is opened by itself.

    Returns
    -------
    str
        The same text for the same drawing.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    title = said(clean(title))
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type")) | {"Title": title}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        say_words(figure)
        figure.savefig(buffer, format="svg", metadata=metadata, facecolor="white")
        svg = _shrink(buffer.getvalue())
        copies = _COPIES.get()
        if copies is not None:
            copies[svg] = _to_png(figure)
    return svg


def _to_png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Software": None}
    figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata=metadata, facecolor="white")
    return buffer.getvalue()


def _shrink(svg: str) -> str:
    """Drop comments and metadata, and round coordinates to a hundredth of a point."""
    svg = re.sub(r"<!--.*?-->|<!DOCTYPE.*?>|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' d="([^"]*)"', lambda match: f' d="{_round(match.group(1))}"', svg)
    svg = re.sub(r"(translate\()([^)]*)\)", lambda m: f"{m.group(1)}{_round(m.group(2))})", svg)
    svg = re.sub(r' (x|y)="([^"]*)"', lambda m: f' {m.group(1)}="{_round(m.group(2))}"', svg)
    return re.sub(r">\s+<", ">\n<", svg)


def _round(text: str) -> str:
    text = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m.group()):.2f}".rstrip("0").rstrip("."), text)
    return re.sub(r"\s+", " ", text).strip()


def pixels(figure: Any) -> tuple[int, int]:
    """
    Size of a figure in CSS pixels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    width, height : int
        At 96 pixels per inch.
    """
    width, height = figure.get_size_inches()
    return round(96 * float(width)), round(96 * float(height))


def thin(*columns: Sequence[float | None]) -> tuple[FloatArray, ...]:
    """
    Keep at most `MAX_VERTICES` points of a curve, its ends always among them.

    Parameters
    ----------
    *columns : sequence of float
        Columns of equal length; None becomes NaN, which is not drawn.

    Returns
    -------
    tuple of ndarray
        The columns at the same kept points.
    """
    arrays = [np.array([np.nan if v is None else v for v in column]) for column in columns]
    size = arrays[0].size
    if size <= MAX_VERTICES:
        return tuple(arrays)
    keep = np.unique(np.linspace(0, size - 1, MAX_VERTICES).round().astype(int))
    return tuple(array[keep] for array in arrays)


def short(text: Any, width: int = 34) -> str:
    """
    Shorten a label that would push the drawing aside.

    Parameters
    ----------
    text : object
        The label.
    width : int
        Most characters.

    Returns
    -------
    str
        The label on one line, with an ellipsis where it was cut.
    """
    words = " ".join(clean(text).split())
    return words if len(words) <= width else words[: width - 1].rstrip() + "…"


def wrap(text: Any, width: int = 30) -> str:
    """
    Break a label into at most three lines.

    Parameters
    ----------
    text : object
        The label.
    width : int
        Most characters in a line.

    Returns
    -------
    str
        The label with line ends.
    """
    words = " ".join(clean(text).split())
    lines = textwrap.wrap(words, width, max_lines=3, placeholder="…")
    return "\n".join(lines)


def percent_axis(axis: Any) -> None:
    """
    Label an axis of fractions in per cent.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        The axis.
    """
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))


def ratio_axis(axis: Any, lower: float, upper: float) -> None:
    """
    Make an axis of logarithms of ratios read as ratios.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        The axis.
    lower, upper : float
        Its limits, natural logarithms.
    """
    reach = max(upper, -lower)
    values = next(
        (ladder for ladder in _LADDERS if 1.3 * np.log(ladder[-1]) >= reach), _LADDERS[-1]
    )
    ratios = sorted({*values, *(1 / value for value in values)})
    shown = [ratio for ratio in ratios if lower <= np.log(ratio) <= upper]
    axis.set_ticks([float(np.log(ratio)) for ratio in shown])
    axis.set_ticklabels([f"{ratio:.2g}" if ratio < 1 else f"{ratio:g}" for ratio in shown])
