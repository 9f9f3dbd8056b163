"""The list of all runs and versions in a folder of reports, as one page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import tidy
from scorebuilder.report.render import _environment, _trusted, style_hash
from scorebuilder.score.store import write_text

INDEX = "index.html"
_SUMS, _SUMMARY, _PAGE = "SHA256SUMS", "summary.json", "report.html"


@dataclass(frozen=True)
class IndexRow:
    """
    One version of a score.

    Attributes
    ----------
    name, version : str
        Folders of the run.
    title, status, n_patients, n_events, auc : str
        As they are shown; empty where the run is damaged.
    link : str
        Relative address of the report.
    damage : str
        What is wrong with the folder; empty if nothing is.
    """

    name: str
    version: str
    title: str = ""
    status: str = ""
    n_patients: str = ""
    n_events: str = ""
    auc: str = ""
    link: str = ""
    damage: str = ""


def list_runs(root: Path) -> list[IndexRow]:
    """
    Read the runs below a folder.

    Parameters
    ----------
    root : Path
        Holds ``<name>/<version>``; what is hidden, and so every unfinished run, is passed over.

    Returns
    -------
    list of IndexRow
        By name, the newest version first.
    """
    rows = []
    for name in sorted(path for path in root.iterdir() if _is_shown(path)):
        versions = [path for path in name.iterdir() if _is_version(path)]
        rows += [_row(path) for path in sorted(versions, key=_order, reverse=True)]
    return rows


def render_index(rows: list[IndexRow]) -> str:
    """
    Render the list of runs.

    Parameters
    ----------
    rows : list of IndexRow
        From `list_runs`.

    Returns
    -------
    str
        One HTML file in the style of the report; no date is on it.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    environment = _environment()
    style = environment.get_template("style.css.j2").render()
    page: str = environment.get_template("index_page.html.j2").render(
        rows=rows, style=_trusted(style), style_hash=_trusted(style_hash(style))
    )
    return page


def write_index(root: Path) -> Path:
    """
    Write the list of runs into their folder.

    Parameters
    ----------
    root : Path
        The folder of reports.

    Returns
    -------
    Path
        ``index.html`` in it.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    SpecError
        If there is no such folder.
    """
    if not root.is_dir():
        message = f"{root} is no folder of reports; give the folder that holds NAME/VERSION"
        raise SpecError(message)
    place = root / INDEX
    write_text(place, render_index(list_runs(root)))
    return place


def _is_shown(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _is_version(path: Path) -> bool:
    parts = path.name.split(".")
    return _is_shown(path) and len(parts) == 3 and all(part.isdecimal() for part in parts)


def _order(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.name.split("."))


def _row(folder: Path) -> IndexRow:
    name, version = folder.parent.name, folder.name
    damage = _damage(folder)
    if damage:
        return IndexRow(name, version, damage=damage)
    try:
        summary = tidy(json.loads((folder / _SUMMARY).read_text(encoding="utf-8")))
        return _sound_row(summary, name, version)
    except (OSError, ValueError, KeyError, TypeError):
        return IndexRow(name, version, damage="its summary cannot be read")


def _damage(folder: Path) -> str:
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return "its list of checksums is missing or cannot be read"
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in (_SUMMARY, _PAGE):
        if not (folder / name).is_file():
            return f"{name} is missing"
        if sha256((folder / name).read_bytes()) != expected.get(name):
            return f"{name} is not as the run wrote it"
    return ""


def _sound_row(summary: Any, name: str, version: str) -> IndexRow:
    head, score = summary["headline"], summary["score"]
    auc = numbers.estimate(head["auc"], head["auc_lower"], head["auc_upper"], head.get("reason"))
    return IndexRow(
        name,
        version,
        title=str(score["title"]),
        status=str(score["status"]),
        n_patients=numbers.count(head["n_patients"]),
        n_events=numbers.count(head["n_events"]),
        auc=f"{auc} at {format_horizon(head['horizon'])}",
        link=quote(f"{name}/{version}/{_PAGE}"),
    )
