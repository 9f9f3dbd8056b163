"""The page itself."""

from __future__ import annotations

from scorebuilder.report.format import FORMATS, Rendering


def write_html(rendering: Rendering) -> dict[str, bytes]:
    """
    Write the page.

    Parameters
    ----------
    rendering : Rendering
        The page.

    Returns
    -------
    dict of str to bytes
        One file.
    """
    return {f"{rendering.name}.html": rendering.html.encode("utf-8")}


FORMATS.register("html", write_html)
