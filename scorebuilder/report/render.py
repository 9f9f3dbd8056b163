"""Renders a summary as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scorebuilder.core.errors import MissingPartError
from scorebuilder.report.brief import brief
from scorebuilder.report.figure import FIGURES, Summary, collect_figures, slug, tidy
from scorebuilder.report.section import CHAPTERS, SECTIONS, Figures, Section

NO_DEVICE = "Not a medical device."
STATUS_TEXT = {
    "draft": "Unfinished: do not use it for anything but its own development.",
    "research": "For research only. Not a medical device; not for decisions about a patient.",
    "active": "Use only as its makers state under intended use.",
    "superseded": "A newer version exists; use that one.",
    "withdrawn": "Withdrawn: do not use it.",
}


@dataclass(frozen=True)
class _Part:
    id: str
    title: str
    body: str


@dataclass(frozen=True)
class _Chapter:
    id: str
    title: str
    sections: tuple[_Part, ...]


def render_html(summary: Summary, *, drawn: Figures | None = None) -> str:
    """
    Render a summary as one self-contained HTML page.

    Parameters
    ----------
    summary : mapping
        The summary of a run: plain JSON values, aggregates only.
    drawn : mapping, optional
        Its figures, if `collect_figures` has drawn them already.

    Returns
    -------
    str
        The page; the same text for the same summary.

    Raises
    ------
    MissingPartError
        If Jinja2 or matplotlib is not installed.
    """
    return _render(summary, tuple(SECTIONS.values()), drawn)


def render_section(summary: Summary, name: str) -> str:
    """
    Render a page of one section.

    Parameters
    ----------
    summary : mapping
        ``score`` and ``headline`` of a summary, and what the section needs.
    name : str
        Of the section, a key of `SECTIONS`.

    Returns
    -------
    str
        The page.

    Raises
    ------
    MissingPartError
        If Jinja2 or matplotlib is not installed.
    """
    drawn = collect_figures(tidy(summary), kinds=(name,))
    return _render(summary, (SECTIONS[name],), drawn)


def _render(summary: Summary, sections: tuple[Section, ...], drawn: Figures | None) -> str:
    environment = _environment()
    summary = tidy(summary)
    drawn = collect_figures(summary) if drawn is None else drawn
    style = environment.get_template("style.css.j2").render()
    chapters = [_chapter(title, environment, summary, drawn, sections) for title in CHAPTERS]
    page: str = environment.get_template("page.html.j2").render(
        summary=summary,
        brief=brief(summary),
        status_text=STATUS_TEXT.get(summary["score"]["status"], NO_DEVICE),
        style=_trusted(style),
        style_hash=_trusted(style_hash(style)),
        chapters=[chapter for chapter in chapters if chapter.sections],
    )
    return page


def section_bodies(summary: Summary) -> list[tuple[str, str]]:
    """
    Render every section that applies, without its figures.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    list of (str, str)
        Key in `SECTIONS` and HTML, in reading order.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    environment, summary = _environment(), tidy(summary)
    figures: Figures = {kind: [] for kind in FIGURES}
    places = {name: place for place, name in enumerate(CHAPTERS)}
    return [
        (
            key,
            environment.get_template(f"sections/{section.template}").render(
                section.context(summary, figures)
            ),
        )
        for key, section in sorted(
            SECTIONS.items(), key=lambda item: (places[item[1].chapter], item[1].order)
        )
        if section.applies is None or section.applies(summary)
    ]


def render_page(template: str, context: dict[str, Any], *, styles: tuple[str, ...]) -> str:
    """
    Render a page that is no report, with its style sheets in one.

    Parameters
    ----------
    template : str
        File in ``templates``.
    context : dict
        What it names; texts are escaped.
    styles : tuple of str
        Style sheets in ``templates``, in this order.

    Returns
    -------
    str
        The page; the same text for the same context.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    environment = _environment()
    style = "\n".join(environment.get_template(name).render() for name in styles)
    page: str = environment.get_template(template).render(
        **context, style=_trusted(style), style_hash=_trusted(style_hash(style))
    )
    return page


def style_hash(style: str) -> str:
    """
    Hash a style sheet as a content security policy wants it.

    Parameters
    ----------
    style : str
        The text between the style tags.

    Returns
    -------
    str
        Base64 of its SHA-256.
    """
    return _base64(hashlib.sha256(style.encode()).digest())


def _environment() -> Any:
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        message = "reports need Jinja2; install it with `pip install 'scorebuilder[report]'`"
        raise MissingPartError(message) from error
    return _templates()


@lru_cache(maxsize=1)
def _templates() -> Any:
    """Templates, each compiled once."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("scorebuilder.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda text: _base64(text.encode())
    return environment


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _chapter(
    title: str,
    environment: Any,
    summary: Summary,
    figures: Figures,
    sections: tuple[Section, ...],
) -> _Chapter:
    found = [section for section in sections if section.chapter == title]
    parts = []
    for section in sorted(found, key=lambda section: section.order):
        if section.applies is not None and not section.applies(summary):
            continue
        template = environment.get_template(f"sections/{section.template}")
        body = _trusted(template.render(section.context(summary, figures)))
        parts.append(_Part(slug(section.title), section.title, body))
    return _Chapter(f"chapter-{slug(title)}", title, tuple(parts))
