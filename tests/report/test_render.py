"""The page: self-contained, accessible, the same bytes, nothing undefined hidden."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.core.errors import MissingPartError
from scorebuilder.report.render import render_html
from scorebuilder.report.section import CHAPTERS, SECTIONS

EXAMPLE = Path(__file__).with_name("summary_example.json")
VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Elements in order, and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def html(summary: dict[str, Any]) -> str:
    return render_html(summary)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_second_rendering_has_the_same_bytes(summary: dict[str, Any], html: str) -> None:
    before = copy.deepcopy(summary)
    assert render_html(summary).encode() == html.encode()
    assert summary == before


def test_the_page_is_well_formed_and_small(html: str, page: Page) -> None:
    assert page.open == []
    assert len(html.encode()) < 5_000_000  # with every section; figures are most of it


def test_policy_comes_first_and_its_hash_fits_the_one_style(html: str, page: Page) -> None:
    first = page.all("meta")[0]
    assert first["http-equiv"] == "Content-Security-Policy"
    styles = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert first["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_is_fetched_scripted_or_styled_inline(page: Page) -> None:
    assert not page.all("script", "link", "iframe", "object", "embed", "form", "base", "svg")
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "srcset"):
            target = attributes.get(name)
            if target is not None:
                start = "data:image/svg+xml;base64," if tag == "img" else "#"
                assert target.startswith(start)
    assert "url(" not in "".join(page.text)


def test_every_figure_has_text_beside_it(page: Page) -> None:
    images = page.all("img")
    assert len(images) >= 20
    assert all(len(image["alt"] or "") > 20 for image in images)
    assert all(image["width"] and image["height"] for image in images)
    assert len(page.all("figure")) == len(page.all("figcaption")) == len(images)


def test_structure_for_readers_of_all_kinds(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("main")) == len(page.all("h1")) == 1
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(cell.get("scope") for cell in page.all("th"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(link["href"]).removeprefix("#") for link in page.all("a")}
    assert targets <= set(ids)
    scrolling = [part for part in page.all("div") if part.get("class") == "scroll"]
    assert all(part["tabindex"] == "0" and part["aria-label"] for part in scrolling)


def test_the_main_statements_are_on_the_page(summary: dict[str, Any], page: Page) -> None:
    text = " ".join("".join(page.text).replace("\N{NO-BREAK SPACE}", " ").split())
    for part in (
        summary["score"]["title"],
        summary["score"]["status"],
        "4,180",
        "AUC, 5-year 0.708 95 % CI 0.686 to 0.730",
        "233 excluded: No visit after inclusion",
        "undefined: fewer than 5 events",
        "61.2 (10.6) 61.2 [50.6, 71.8]",
        "undefined: no patient can be scored",
        "SCORE2, low-risk regionfirst cardiovascular event10 yearspublished development",
        "No comparison was possible with GRACE 2.0.",
        "Patients whom SCORE2, low-risk region can score: 2,877, ",
        "As published, 10-year risk11.2 %undefined: ten-year risk, and nobody is followed for 10",
        "Recalibrated: slope and baseline hazard7.3 %1.00 (0.89 to 1.11)0.98 (0.86 to 1.10)",
        "1 − exp(−0.412 × (−ln(1 − published risk)))",
        "undefined: the predictions separate the events",
        "Recalibration changes no ranking",
        *summary["model"]["equation"],
        *summary["warnings"],
        summary["reproduce"]["command"],
    ):
        assert " ".join(part.split()) in text, part


def test_coefficients_are_whole_only_in_the_equation(page: Page) -> None:
    text = "".join(page.text)
    assert text.count("0.004081726354917264") == 1


def test_labels_are_escaped(summary: dict[str, Any]) -> None:
    bad = "<script>alert('x')</script>\"><img src=http://evil.example>"
    text = json.dumps(summary)
    for label in ("Age", "Vascular event score", "SMART risk score (2013)", "High", "age = yes"):
        text = text.replace(json.dumps(label), json.dumps(bad))
    page = Page(render_html(json.loads(text)))
    assert not page.all("script")
    assert all(str(image["src"]).startswith("data:") for image in page.all("img"))
    assert bad in "".join(page.text)


INPUTS = (("items",), ("bins",), ("steps",))
"""Where a value is what a patient has, and no estimate."""


def _without_numbers(value: Any, path: tuple[str, ...] = ()) -> Any:
    """Make every estimate undefined; counts, settings and labels stay."""
    undefined = {
        "auc", "auc_lower", "auc_upper", "median", "q1", "q3", "max", "person_years", "smd", "vimp",
        "lower", "upper", "minimal_depth", "oob_c_index", "minimal_depth_threshold",
        "selected_share", "model_share", "log_likelihood", "null_log_likelihood",
        "events_per_parameter", "standard_error", "p", "chisq", "df", "hazard_ratio", "predicted",
        "observed", "value", "apparent", "in_the_large", "in_the_large_lower", "in_the_large_upper",
        "slope", "slope_lower", "slope_upper", "ici", "e50", "e90", "smooth", "auc_score",
        "auc_score_lower", "auc_score_upper", "auc_baseline", "auc_baseline_lower",
        "auc_baseline_upper", "difference", "risk", "events_left", "n_total_unknown",
        "error", "chi2", "patient_years",
    }  # fmt: skip
    if isinstance(value, dict):
        kept = {key: _without_numbers(item, (*path, key)) for key, item in value.items()}
        for key in undefined & kept.keys():
            if not (isinstance(kept[key], list | dict) or path[-1:] in INPUTS):
                kept[key] = None
        if "reason" in kept:
            kept["reason"] = "told in words"
        return kept
    if isinstance(value, list):
        return [_without_numbers(item, path) for item in value]
    return value


def test_every_number_may_be_undefined(summary: dict[str, Any]) -> None:
    page = Page(render_html(_without_numbers(summary)))
    text = "".join(page.text)
    assert text.count("undefined: told in words") > 50
    assert "None" not in text
    assert "nan" not in re.findall(r"\bnan\b", text)


def test_a_summary_of_an_earlier_version_is_shown(summary: dict[str, Any]) -> None:
    """Runs of before have no recalibration, and say less of who was compared."""
    old = copy.deepcopy(summary)
    for row in old["validation"]["comparison"]:
        for key in ("forms", "equations", "derived", "members", "observed", "quantity"):
            del row[key]
    text = "".join(Page(render_html(old)).text)
    assert "What each score was made for" in text
    assert "Recalibrated" not in text


def test_a_changed_ranking_is_named(summary: dict[str, Any]) -> None:
    other = copy.deepcopy(summary)
    for row in other["validation"]["comparison"]:
        for form in row["forms"]:
            if (row["baseline"], form["form"]) == ("score2", "slope_and_baseline"):
                form["measures"][0]["value"] = 0.4
    text = "".join(Page(render_html(other)).text)
    assert "Recalibration changed the ranking of SCORE2, low-risk region:" in text


def test_lists_may_be_empty(summary: dict[str, Any]) -> None:
    bare = copy.deepcopy(summary)
    bare["selection"] |= {"ranking": [], "stability": []}
    bare["model"] |= {
        "terms": [], "steps": [], "shapes": [], "hazard_ratios": [], "ph_test": [],
        "worked_patients": [],
    }  # fmt: skip
    bare["points"] |= {"risk_table": [], "price": []}
    bare["risk_groups"] |= {"groups": [], "observed": [], "logrank": None}
    bare["validation"] |= {
        "performance": [], "roc": [], "calibration": [], "comparison": [], "decision_curve": [],
    }  # fmt: skip
    bare |= {"baselines": [], "warnings": [], "external": []}
    bare |= dict.fromkeys(
        ("stage_agreement", "subgroups", "incremental", "rules", "card", "importance", "nomogram")
    )
    bare["validation"]["models"] = None
    bare["instability"] |= {"classes": [], "thresholds": []}
    bare["instability"]["risk"]["bins"] = bare["instability"]["calibration"]["curves"] = []
    bare["sample_size"]["scenarios"] = [
        scenario | {"criteria": []} for scenario in bare["sample_size"]["scenarios"]
    ]
    bare["cohort"] |= {"table_one": [], "attrition": [], "missing": None}
    page = Page(render_html(bare))
    text = "".join(page.text)
    assert not page.all("img")
    assert "Comparison with established scores" not in text
    assert "The computation raised no warning." in text


def test_small_cells_and_open_curves(summary: dict[str, Any]) -> None:
    """A suppressed count, a reference level with limits, a curve with gaps, and no density."""
    other = copy.deepcopy(summary)
    shapes = other["model"]["shapes"]
    levels = next(shape for shape in shapes if shape["kind"] == "levels")["levels"]
    levels[0] |= {"lower": 1.0, "upper": 1.0}
    levels[1]["n"] = None
    shapes[0]["lower"][3] = None
    shapes[1]["density"] = {"edges": [], "counts": []}
    other["risk_groups"]["groups"][0]["at_risk"][2] = None
    other["risk_groups"]["rule"] = [2.5, 5.5]
    text = "".join(Page(render_html(other)).text)
    assert re.search(r"yes1\.46 \(1\.22 to 1\.76\)hidden", text)
    assert "cut points 2.5, 5.5" in text


def test_hidden_cells_say_so_and_give_no_number(summary: dict[str, Any]) -> None:
    """A hidden band of points, and a predictor all of whose centiles are equal."""
    other = copy.deepcopy(summary)
    why = "hidden, so that small counts cannot be worked out"
    none = dict.fromkeys(("n", "predicted", "observed", "lower", "upper"))
    for row in other["points"]["risk_table"]:
        if row["points"] == 0:
            row |= {**none, "reason": why}
    other["model"]["hazard_ratios"][1] |= {
        **dict.fromkeys(("hazard_ratio", "lower", "upper")),
        "reason": "the centiles are equal",
    }
    text = "".join(Page(render_html(other)).text)
    assert f"undefined: {why}" in text
    assert "undefined: the centiles are equal" in text
    assert "undefined: not shown beside hidden cells" in text
    assert "whether another forest would agree, not whether another cohort would" in text
    assert "< 5" not in text


def test_attrition_that_does_not_add_up_is_refused(summary: dict[str, Any]) -> None:
    wrong = copy.deepcopy(summary)
    wrong["cohort"]["attrition"][1]["n_excluded"] += 1
    with pytest.raises(ValueError, match="`attrition` must add up: step `No visit"):
        render_html(wrong)


def test_missing_jinja_names_the_remedy(
    summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingPartError, match=r"pip install 'scorebuilder\[report\]'"):
        render_html(summary)


def test_sections_have_a_chapter_and_their_own_place() -> None:
    assert {section.chapter for section in SECTIONS.values()} <= set(CHAPTERS)
    orders = [section.order for section in SECTIONS.values()]
    assert len(set(orders)) == len(orders)


def test_text_colours_reach_contrast(html: str) -> None:
    """WCAG AA: 4.5 for text on every background it stands on."""
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", html))
    heat = re.findall(r"\.h\d \{ background: (#[0-9a-f]{6})", html)
    pairs = [(found[text], back) for text in ("ink", "muted", "accent")
             for back in ("#ffffff", found["wash"])]  # fmt: skip
    pairs += [(found["ink"], tint) for tint in heat] + [(found["amber-ink"], found["amber"])]
    assert len(heat) == 7
    for text, back in pairs:
        light, dark = sorted((_luminance(text), _luminance(back)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, back)


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
