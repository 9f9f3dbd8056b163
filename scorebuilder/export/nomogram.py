"""Draws the nomogram of a score without any library."""

from __future__ import annotations

from html import escape
from textwrap import wrap

from scorebuilder.explanation.nomogram import LONGEST, nice_values
from scorebuilder.explanation.nomogram_marks import Mark, Ruler, place_marks
from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    Band,
    Nomogram,
    Scale,
    Tick,
)

LEFT, RIGHT, WIDTH, ROW = 250.0, 960.0, 1000.0, 58.0
LINE = 14.0
"""Height of a line of text that stands further from a scale."""
LETTER, APART = 7.5, 30.0
NARROWEST = 12.0
"""Bands of the score with less width have no number."""


def draw_nomogram(nomogram: Nomogram) -> str:
    """
    Draw the scales.

    Parameters
    ----------
    nomogram : Nomogram
        The scales.

    Returns
    -------
    str
        An ``svg`` element without styles, the same for the same score.
    """
    ticks = tuple(Tick(f"{value:g}", value) for value in nice_values(0, LONGEST, most=10))
    top = Scale("Points", 0.0, LONGEST, ticks)
    whole = nomogram.totals.last or 1.0
    parts, y = [], 30.0
    for scale, span in (
        *((scale, LONGEST) for scale in (top, *nomogram.inputs)),
        (nomogram.totals, whole),
    ):
        part, y = _draw_scale(scale, _ruler(span), y)
        parts.append(part)
    parts.append(_draw_bands(nomogram.bands, _ruler(whole), y))
    y += ROW
    for scale in nomogram.risks:
        part, y = _draw_scale(scale, _ruler(whole), y)
        parts.append(part)
    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {WIDTH:g} {y - 10:g}" role="img" '
        'aria-label="Nomogram: read the points of each input off the first scale, add them, and '
        'find the total below" font-family="sans-serif" font-size="14" fill="#16202b">'
    )
    return "\n".join([opening, *parts, "</svg>"])


def _ruler(span: float) -> Ruler:
    return Ruler(LEFT, RIGHT, span, LETTER, APART)


def _draw_scale(scale: Scale, ruler: Ruler, y: float) -> tuple[str, float]:
    """Draw a scale at y, or lower if its texts need room; return the place of the next."""
    marks = place_marks(scale, ruler)
    y += LINE * max((mark.row for mark in marks if mark.side < 0), default=0)
    parts = _title(scale.title, y)
    parts.append(_line(ruler.place(scale.first), ruler.place(scale.last), y))
    for mark in marks:
        parts += _draw_mark(mark, y)
    below = max((mark.row for mark in marks if mark.side > 0), default=0)
    return "\n".join(parts), y + ROW + LINE * below


def _line(first: float, last: float, y: float) -> str:
    ends = f'x1="{first:.1f}" y1="{y:.1f}" x2="{last:.1f}" y2="{y:.1f}"'
    return f'<line {ends} stroke="#16202b" stroke-width="1.5"/>'


def _draw_mark(mark: Mark, y: float) -> list[str]:
    parts = [_tick(mark.at, y, (3 if mark.tick.rank == BETWEEN else 6) * mark.side)]
    if mark.text:
        text_y = (y - 10 if mark.side < 0 else y + 20) + LINE * mark.side * mark.row
        parts.append(_text(mark.text, mark.middle, text_y))
    return parts


def _tick(x: float, y: float, length: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{y + length:.1f}" stroke="#16202b"/>'


def _text(text: str, x: float, y: float) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="12">{escape(text)}</text>'
    )


def _draw_bands(bands: tuple[Band, ...], ruler: Ruler, y: float) -> str:
    """Draw where the points of the score change, and each number in the middle of its band."""
    parts = _title("Score", y)
    for band in bands:
        first, last = ruler.place(band.first), ruler.place(band.last)
        parts += [_line(first, last, y), _tick(first, y, -6), _tick(last, y, -6)]
        if last - first >= NARROWEST:
            parts.append(_text(f"{band.score}", 0.5 * (first + last), y - 10))
    return "\n".join(parts)


def _title(title: str, y: float) -> list[str]:
    """Write a title on one line, or on two."""
    lines = [line if len(line) <= 30 else f"{line[:29]}…" for line in wrap(title, 28)[:2]]
    first = y + 5 - 8 * (len(lines) - 1)
    return [
        f'<text x="10" y="{first + 16 * number:.1f}" font-weight="bold">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
