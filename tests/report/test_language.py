"""The report in French: nothing of its own stays in English, and no number changes its value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.report.document import Code, Grid, read_page
from scorebuilder.report.drawing_words import figures_say, said
from scorebuilder.report.figure import collect_figures
from scorebuilder.report.format import Rendering
from scorebuilder.report.language import (
    Catalogue,
    figure_words,
    languages,
    load_catalogue,
    localise,
    translate_page,
    untranslated,
)
from scorebuilder.report.render import render_html

NNBSP = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.712", "0,712"),
        ("3,873", f"3{NNBSP}873"),
        ("1,234,567.8", f"1{NNBSP}234{NNBSP}567,8"),
        ("0.1.0", "0.1.0"),
        ("−0.002 (−0.010 to 0.006)", "−0,002 (−0,010 to 0,006)"),
        ("<0.001", "<0,001"),
        ("10.1093/eurheartj", "10.1093/eurheartj"),
        ("12.5 %", "12,5\N{NO-BREAK SPACE}%"),
        ("5, 10", "5, 10"),
    ],
)
def test_numbers_are_written_with_a_comma_and_versions_are_not(text: str, shown: str) -> None:
    assert localise(text) == shown


def test_a_phrase_with_holes_is_filled_from_within() -> None:
    phrases = {"{} of {}": "{} sur {}", "{} years": "{} ans", "Age": "ÂGE", "{}: {*}": "{} : {}"}
    catalogue = Catalogue("fr", "", "{}", phrases)
    own = frozenset({"Mine"})
    assert catalogue.find("2.5 of 5 years", own) == "2,5 sur 5 ans"
    assert catalogue.find("Age", own) == "ÂGE"
    assert catalogue.find("Mine", own) == "Mine"
    assert catalogue.find("Mine: any words 1.5", own) == "Mine : any words 1,5"
    assert catalogue.find("theirs of 5", own) is None


def test_a_text_of_the_study_changes_only_if_the_catalogue_says_it_whole() -> None:
    phrases = {"kept in {} refits": "gardé dans {} réajustements", "no {*} at all": "aucun {}"}
    catalogue = Catalogue("fr", "", "{}", phrases)
    texts = ("kept in 2.5 refits", "kept in some refits", "no pain at all", "Stage 1.5", "2.5")
    own = frozenset(texts)
    assert [catalogue.find(text, own) for text in texts] == [
        "gardé dans 2,5 réajustements",
        *texts[1:],
    ]
    assert catalogue.find("no pain at all", frozenset()) == "aucun pain"


def test_the_catalogue_keeps_every_hole() -> None:
    for phrase, text in load_catalogue("fr").phrases.items():
        assert phrase.count("{}") + phrase.count("{*}") == text.count("{}"), phrase
        assert text.strip()


def test_an_unknown_language_names_the_known_ones() -> None:
    assert languages() == ("en", "fr")
    with pytest.raises(SpecError, match="no report in `xx`; choose one of en, fr"):
        load_catalogue("xx")


def test_nothing_of_the_page_stays_in_english(example_summary: dict[str, Any]) -> None:
    page = render_html(example_summary)
    assert untranslated(page, "fr", example_summary) == []
    french = translate_page(page, "fr", example_summary)
    assert '<html lang="fr">' in french
    assert "Résultats principaux" in french
    assert "encore en anglais" not in french
    _same_skeleton(page, french)
    _same_numbers(page, french)
    assert translate_page(page, "en", example_summary) == page


def test_nothing_in_a_figure_stays_in_english(example_summary: dict[str, Any]) -> None:
    with figures_say(figure_words("fr", example_summary)) as left:
        french = collect_figures(example_summary)
    assert left == []
    english = collect_figures(example_summary)
    assert french.keys() == english.keys()
    for kind, figures in french.items():
        assert [figure.svg for figure in figures] != [f.svg for f in english[kind]] or not figures
        for figure in figures:
            title = re.search("<title>(.*?)</title>", figure.svg, re.DOTALL)
            assert title is not None
            assert "hazard ratio" not in title.group(1).lower()


def test_a_figure_says_lines_and_broken_sentences() -> None:
    words = {"Mean size of it": "Taille moyenne", "Sex": "Sexe", "male": "homme", "Mine": "Mine"}
    assert said("Sex\nmale") == "Sex\nmale"
    with figures_say(words.get) as left:
        assert said("Sex\nmale") == "Sexe\nhomme"
        assert said("Mean size\nof it") == "Taille\nmoyenne"
        assert said("Mine") == "Mine"
        assert said("") == ""
        assert said("Two\nunknown") == "Two\nunknown"
    assert left == ["Two unknown"]


def test_labels_in_a_row_and_numbers_with_their_unit_stay(example_summary: dict[str, Any]) -> None:
    summary = {"labels": ["Pressure, by hand", "Lipids"], "unit": "fmol/mg"}
    say = figure_words("fr", summary)
    assert say is not None
    assert say("Lipids, Pressure, by hand") == "Lipids, Pressure, by hand"
    assert say("Lipids, Pressure, by foot") is None
    assert say("1,206.5 fmol/mg") == f"1{NNBSP}206,5{NNBSP}fmol/mg"
    assert say("Pressure, b…") == "Pressure, b…"
    assert figure_words("en", example_summary) is None


def test_counts_titles_and_contrasts_are_french() -> None:
    summary = {"cell": "2,897 (74.8\N{NO-BREAK SPACE}%)", "label": "SMART 2013", "level": "2.5"}
    summary |= {"contrast": "68 vs 52 years (75th vs 25th centile)"}
    say = figure_words("fr", summary)
    assert say is not None
    assert say(summary["cell"]) == f"2{NNBSP}897 (74,8\N{NO-BREAK SPACE}%)"
    assert say("SMART 2013, 5-year") == "SMART 2013, à 5 ans"
    assert say("This score, 5-year") == "Ce score, à 5 ans"
    assert say(summary["contrast"]) == "68 contre 52 ans (75e contre 25e centile)"
    assert say("2.5") == "2.5"


def _same_skeleton(page: str, french: str) -> None:
    """Tags, classes, anchors, images and policy are the same."""

    def tags(text: str) -> list[str]:
        text = text.replace('<p class="note">Les libellés', "").replace("leurs auteurs.</p>", "")
        text = re.sub(r' (alt|aria-label|data-label|lang)="[^"]*"', "", text)
        return re.findall(r"<[^>]*>", text)

    assert tags(page) == tags(french)
    assert re.findall("<style>(.*?)</style>", page, re.DOTALL) == re.findall(
        "<style>(.*?)</style>", french, re.DOTALL
    )


def _same_numbers(page: str, french: str) -> None:
    """Every number of every table is the same once its marks are put back."""
    translated = read_page(french)
    note = next(block for block in translated if getattr(block, "kind", "") == "note")
    translated.remove(note)
    for ours, theirs in zip(read_page(page), translated, strict=True):
        if isinstance(ours, Code):
            assert theirs == ours
        if isinstance(ours, Grid) and isinstance(theirs, Grid):
            for row, other in zip(ours.body, theirs.body, strict=True):
                for cell, said in zip(row, other, strict=True):
                    assert _digits(cell.text) == _digits(said.text), (cell.text, said.text)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def test_what_is_missing_is_counted_on_the_page(
    example_rendering: Rendering, example_summary: dict[str, Any]
) -> None:
    page = example_rendering.html.replace("<h3", "<p>An English sentence of tomorrow.</p><h3", 1)
    before = len(untranslated(example_rendering.html, "fr", example_summary))
    left = untranslated(page, "fr", example_summary)
    assert len(left) == before + 1
    assert "An English sentence of tomorrow." in left
    assert "encore en anglais" in translate_page(page, "fr", example_summary)
    assert "<script>" not in translate_page(page, "fr", example_summary)
