"""The page of one patient: complete, escaped, the same again, quiet in a browser, accessible."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.explanation.patient_account import account_for
from scorebuilder.report.icon_array import icon_array, natural_frequency
from scorebuilder.report.patient_page import patient_page
from scorebuilder.report.patient_words import WORDS, Tongue
from scorebuilder.report.render import style_hash
from scorebuilder.score.artifact import seal

PATIENT = {"age": 96.0, "bmi": None, "hr": 110.0, "diasbp": 62.5, "sho": "0", "chf": "1"}


@pytest.fixture(scope="module")
def artifact(small_score: Any) -> Any:
    scoring = small_score.artifact.scoring
    predictors = [
        {**item, **({"modifiable": True} if item["id"] in ("hr", "chf") else {})}
        for item in scoring["predictors"]
    ]
    content = small_score.artifact.content
    return seal({**content, "scoring": {**scoring, "predictors": predictors}})


@pytest.fixture(scope="module")
def account(artifact: Any) -> dict[str, Any]:
    return account_for(artifact, PATIENT)


def test_the_page_answers_what_a_clinician_asks(account: dict[str, Any]) -> None:
    page = patient_page(account)
    assert f"<b>{account['points']}</b> points of 10" in page
    risk = account["risks"][0]["risk"]
    assert f"{100 * risk:.1f}\N{NO-BREAK SPACE}%" in page
    assert f"about {round(100 * risk)} are expected" in page
    assert "was not given; counted as" in page
    assert "lies outside the range" in page
    assert "Not causal" in page
    assert "62.5\N{NO-BREAK SPACE}mmHg" in page
    assert account["score"]["artifact_sha256"][:16] in page
    directions = re.findall(r"(raises|lowers): [+\N{MINUS SIGN}]", page)
    assert len(directions) == len(account["items"])
    assert patient_page(account) == page


def test_a_refusal_shows_reasons_and_no_points(artifact: Any) -> None:
    account = account_for(artifact, {**PATIENT, "age": 654.25, "sho": "perhaps"})
    page = patient_page(account)
    assert "must lie in the possible range 18 – 115" in page
    assert "must be one of: no, yes" in page
    assert "What makes this score" not in page
    assert "654.25" not in page
    assert "perhaps" not in page


def test_french_says_the_same_in_its_own_numbers(account: dict[str, Any]) -> None:
    page = patient_page(account, lang="fr")
    assert '<html lang="fr">' in page
    assert "62,5\N{NO-BREAK SPACE}mmHg" in page
    assert "Risque à 3 ans" in page
    assert "Non causal" in page
    visible = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert not re.search(r"\d\.\d", visible.replace(account["score"]["version"], ""))


def test_languages_have_the_same_phrases_with_the_same_parts() -> None:
    def parts(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert WORDS["en"].keys() == WORDS["fr"].keys()
    for key, text in WORDS["en"].items():
        assert parts(text) == parts(WORDS["fr"][key]), key


def test_numbers_and_horizons_of_each_language() -> None:
    french, english = Tongue("fr"), Tongue("en")
    assert french.quantity(-1234.5, "mmHg") == "\N{MINUS SIGN}1234,5\N{NO-BREAK SPACE}mmHg"
    assert english.quantity(71.0, "years") == "71\N{NO-BREAK SPACE}years"
    assert french.quantity(71.0, "years") == "71\N{NO-BREAK SPACE}ans"
    assert french.horizon(365.25 / 2) == "6 mois"
    assert (french.horizon(365.25), french.horizon(90.0)) == ("1 an", "90 jours")


def test_labels_are_escaped(artifact: Any) -> None:
    bad = "<script>alert(1)</script>"
    scoring = artifact.scoring
    predictors = [{**item, "label": f"{bad}{item['id']}"} for item in scoring["predictors"]]
    groups = [{**row, "label": bad} for row in scoring["risk_groups"]]
    hostile = seal(
        {
            **artifact.content,
            "title": bad,
            "meaning": dict.fromkeys(artifact.content["meaning"], bad),
            "scoring": {**scoring, "predictors": predictors, "risk_groups": groups},
        }
    )
    page = patient_page(account_for(hostile, PATIENT))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 10


def test_the_policy_names_the_one_style_and_nothing_is_styled_inline(
    account: dict[str, Any],
) -> None:
    page = patient_page(account)
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert f"style-src 'sha256-{style_hash(style)}'" in page
    assert " style=" not in page
    assert len(page) < 200_000


def test_frequencies_and_their_drawing() -> None:
    assert natural_frequency(0.0004) == (0, 1000)
    assert natural_frequency(0.01) == (1, 100)
    svg, width, height = icon_array(18, 100)
    assert svg.count("#b34700") == 18
    assert svg.count("<circle") == 100
    assert (width, height) == (160, 160)
    assert icon_array(4, 1000)[0].count("<circle") == 1000


def test_a_rare_event_is_not_drawn_as_none(account: dict[str, Any]) -> None:
    rare = {**account, "risks": [{"horizon": 365.25, "risk": 0.0002}]}
    assert "Fewer than 1 of 1,000 patients" in patient_page({**rare, "references": []})


def test_joined_points_are_named(account: dict[str, Any]) -> None:
    points = account["points"]
    own = next(row for row in account["neighbours"] if row["points"] == points)
    told = {"n": 147, "observed": 0.3, "lower": 0.2, "upper": 0.4, "reason": ""}
    joined = {**own, **told, "band": [points, points + 1], "pooled": [points - 1, points + 1]}
    page = patient_page({**account, "neighbours": [joined]})
    band, pooled = (f"({first} to {points + 1} points together)" for first in (points, points - 1))
    # Once in the sentence about this patient and once in the table.
    assert page.count(f"147 {band}") == 2
    assert page.count(pooled) == 2
    alone = {**own, **told, "band": [points, points], "pooled": [points, points]}
    assert "points together" not in patient_page({**account, "neighbours": [alone]})


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_quiet_inside_the_window_and_accessible(
    browser: Any, account: dict[str, Any], tmp_path: Path, checkout: Path, width: int
) -> None:
    file = tmp_path / "patient.html"
    file.write_text(patient_page(account), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    bars = page.evaluate(
        "[...document.querySelectorAll('.halves .bar')].map(e => e.getBoundingClientRect().width)"
    )
    assert len(bars) == len(account["items"])
    assert bars[0] == max(bars) > 50
    axe = checkout / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
    page.evaluate(axe.read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.help))")
    assert violations == []
    context.close()
