"""Says the words and numbers of a drawing in the language of the page."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

Say: TypeAlias = Callable[[str], str | None]
"""Translates a text in single blanks; None if it has no translation."""

_SAY: ContextVar[tuple[Say, list[str]] | None] = ContextVar("say", default=None)


@contextmanager
def figures_say(say: Say | None) -> Iterator[list[str]]:
    """
    Translate every figure that is drawn inside the context.

    Parameters
    ----------
    say : callable or None
        Translates a text; None leaves all as drawn.

    Yields
    ------
    list of str
        Texts that stay as drawn for want of a translation; filled while figures are drawn.
    """
    left: list[str] = []
    token = _SAY.set(None if say is None else (say, left))
    try:
        yield left
    finally:
        _SAY.reset(token)


def said(text: str) -> str:
    """
    Translate a text of a drawing: line by line, or as one sentence that was broken.

    Parameters
    ----------
    text : str
        May hold line ends.

    Returns
    -------
    str
        The text in the language of the present `figures_say`; as it is outside of any.
    """
    found = _SAY.get()
    if found is None or not text.strip():
        return text
    say, left = found
    lines = [" ".join(line.split()) for line in text.split("\n")]
    parts = [say(line) if line else line for line in lines]
    known = [part for part in parts if part is not None]
    if len(known) == len(lines):
        return "\n".join(known)
    whole = " ".join(text.split())
    sentence = say(whole)
    if sentence is None:
        left.append(whole)
        return text
    width = max(12, *(len(line) + 4 for line in lines))
    return text if sentence == whole else "\n".join(textwrap.wrap(sentence, width))


def say_words(figure: Any) -> None:
    """
    Translate all that stands in a drawing, the numbers of its axes among it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Complete, not yet written.
    """
    if _SAY.get() is None:
        return
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not hasattr(axis.get_major_formatter(), "spoken"):
                axis.set_major_formatter(_speaking(axis.get_major_formatter()))
    for text in figure.findobj(Text):
        text.set_text(said(text.get_text()))


def _speaking(written: Any) -> Any:
    """Return a formatter that says what another one writes; shared axes share it."""
    from matplotlib.ticker import Formatter

    class Speaking(Formatter):
        spoken = True

        def __call__(self, x: float, pos: int | None = None) -> str:
            return said(written(x, pos))

        def format_ticks(self, values: Any) -> list[str]:
            return [said(text) for text in written.format_ticks(values)]

        def set_axis(self, axis: Any) -> None:
            super().set_axis(axis)
            written.set_axis(axis)

        def set_locs(self, locs: Any) -> None:
            written.set_locs(locs)

        def get_offset(self) -> str:
            return said(written.get_offset())

    return Speaking()
