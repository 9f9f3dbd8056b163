"""Pieces that the exported pages share: escaped tables, and the hashes that their policy allows."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.export.plan import Plan


def content_hash(text: str) -> str:
    """
    Write the hash by which a content security policy allows a style or a script.

    Parameters
    ----------
    text : str
        What stands between the tags.

    Returns
    -------
    str
        ``sha256-`` and the digest in Base64.
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def percent(value: float | None) -> str:
    """
    Write a probability in per cent.

    Parameters
    ----------
    value : float or None
        In [0, 1].

    Returns
    -------
    str
        With one decimal; empty for None.
    """
    return "" if value is None else f"{100 * value:.1f}"


def html_table(caption: str, heads: list[str], rows: list[tuple[str, list[str]]]) -> str:
    """
    Write a table that scrolls sideways where the page is narrow.

    Parameters
    ----------
    caption : str
        Above the table.
    heads : list of str
        Of the columns.
    rows : list of (str, list of str)
        Attributes of the row as markup, and its cells as text; the first one names the row.

    Returns
    -------
    str
        Markup; all text is escaped.
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f"<tr{attributes}>"
        f'<th scope="row">{escape(cells[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
        + "</tr>"
        for attributes, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def risk_rows(plan: Plan) -> str:
    """
    Write the risk table of a score; rows carry their points as ``data-points``.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    str
        Markup.
    """
    rows = []
    for row in plan.artifact.scoring["risk_table"]:
        interval = ""
        if row["lower"] is not None and row["upper"] is not None:
            interval = f"{percent(row['lower'])} to {percent(row['upper'])}"
        cells = [
            str(row["points"]),
            format_horizon(row["horizon"]),
            percent(row["predicted"]),
            percent(row["observed"]),
            interval,
            "" if row["n"] is None else f"{row['n']:,}",
        ]
        rows.append((f' data-points="{row["points"]}"', cells))
    heads = ["Points", "By", "Mean risk, %", "Observed, %", "95 % interval", "Patients"]
    return html_table("Development patients by points; observed risk by Kaplan-Meier", heads, rows)


def description_rows(pairs: list[tuple[str, Any]]) -> str:
    """
    Write terms and their descriptions.

    Parameters
    ----------
    pairs : list of (str, object)
        What is None is left out.

    Returns
    -------
    str
        Markup for inside a ``dl``.
    """
    return "\n".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in pairs
        if value is not None
    )
