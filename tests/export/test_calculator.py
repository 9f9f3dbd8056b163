"""The calculator in a real browser without network: what is typed gives what the score gives."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.export.target import export_score
from scorebuilder.score.artifact import seal
from scorebuilder.score.verdict import judge_patients

from .shapes import run  # isort: skip

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
SHOWN = """() => ({
  points: document.querySelector('#gauge text[font-size="22"]')?.textContent,
  group: document.querySelector('#gauge text[font-size="14"]')?.textContent,
  risks: [...document.querySelectorAll('#risks .number')].map((node) => node.textContent),
})"""


def write(artifact: Any, folder: Path, target: str = "html") -> Path:
    """Write a page."""
    paths = [folder / name for name in export_score(artifact, target)]
    for path, content in zip(paths, export_score(artifact, target).values(), strict=True):
        path.write_text(str(content), "utf-8")
    return next(path for path in paths if path.suffix == ".html")


@pytest.fixture(scope="module")
def with_units(small_score: Any) -> Any:
    """The small score, whose first number is now cholesterol in mmol/L."""
    content = copy.deepcopy(dict(small_score.artifact.content))
    predictor = next(p for p in content["scoring"]["predictors"] if p["type"] == "numeric")
    predictor |= {"unit": "mmol/L", "analyte": "cholesterol"}
    return seal(content), predictor


@pytest.fixture(scope="module")
def page_file(small_score: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(small_score.artifact, tmp_path_factory.mktemp("calculator"))


class Visit:
    """An open page, what it asked for and what it complained about."""

    def __init__(self, browser: Any, file: Path, width: int = 1280, **options: Any) -> None:
        size = {"width": width, "height": 900}
        self.context = browser.new_context(offline=True, viewport=size, locale="en-GB", **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())
        self.file = file

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()

    def quiet(self) -> bool:
        """Only the file was asked for, and nothing was refused."""
        return self.requests == [self.file.as_uri()] and self.complaints == []

    def type(self, artifact: Any, inputs: dict[str, Any], *, comma: bool = False) -> None:
        """Enter a patient; what is missing stays empty."""
        self.page.click("#clear")
        for place, predictor in enumerate(artifact.scoring["predictors"]):
            value = inputs[predictor["id"]]
            if predictor["type"] == "numeric":
                text = "" if value is None else repr(value)
                self.page.fill(f"#input-{place}", text.replace(".", ",") if comma else text)
                continue
            codes = [level["code"] for level in predictor["levels"]]
            number = len(codes) if value is None else codes.index(value)
            self.page.check(f"#input-{place}-{number}")


def percent(risk: float, mark: str) -> str:
    """As people read it; the same rounding as in the page."""
    shown = 100 * risk
    text = "< 0.1" if 0 < shown < 0.1 else "> 99.9" if 99.9 < shown < 100 else f"{shown:.1f}"
    return f"{text} %".replace(".", mark)


def axe(page: Any) -> list[str]:
    """Violations of the rules of accessibility."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run().then((r) => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_typed_gives_what_the_score_gives(
    small_score: Any, browser: Any, page_file: Path, language: str
) -> None:
    artifact = small_score.artifact
    vectors = artifact.content["evidence"]["test_vectors"]
    scored = [vector for vector in vectors if vector["status"] == "ok"][::2]
    assert len(scored) >= 30
    mark, words = (".", "{} of 10 points") if language == "en" else (",", "{} points sur 10")
    with Visit(browser, page_file) as visit:
        visit.page.click(f"[data-language={language}]")
        for vector in scored:
            visit.type(artifact, vector["inputs"], comma=language == "fr")
            shown = visit.page.evaluate(SHOWN)
            assert shown["points"] == words.format(vector["points"])
            assert shown["group"].endswith(f": {vector['group']}")
            assert shown["risks"] == [percent(risk, mark) for risk in vector["risk"]]
        assert visit.quiet()


def test_a_refused_patient_gets_no_number(small_score: Any, browser: Any, page_file: Path) -> None:
    artifact = small_score.artifact
    place, predictor = next(
        (n, p) for n, p in enumerate(artifact.scoring["predictors"]) if p["type"] == "numeric"
    )
    vector = artifact.content["evidence"]["test_vectors"][5]
    with Visit(browser, page_file) as visit:
        visit.type(artifact, vector["inputs"])
        assert visit.page.is_visible("#answer")
        for text in ("abc", "1 000", "1.5.2", "1e99", "-5"):
            visit.page.fill(f"#input-{place}", text)
            assert not visit.page.is_visible("#answer"), (predictor["id"], text)
            assert visit.page.inner_text(f"#error-{place}")
            assert visit.page.get_attribute(f"#input-{place}", "aria-invalid") == "true"


def test_units(with_units: Any, browser: Any, tmp_path: Path) -> None:
    artifact, predictor = with_units
    place = artifact.predictors.index(predictor["id"])
    vector = next(
        v for v in artifact.content["evidence"]["test_vectors"]
        if v["status"] == "ok" and not v["missing"] and not v["warnings"]
    )  # fmt: skip
    amount = vector["inputs"][predictor["id"]]
    with Visit(browser, write(artifact, tmp_path)) as visit:
        visit.type(artifact, vector["inputs"])
        before = visit.page.evaluate(SHOWN)
        visit.page.select_option(f"#unit-{place}", label="mg/dL")
        # 1 mmol/L of cholesterol is 38.67 mg/dL.
        visit.page.fill(f"#input-{place}", f"{amount * 38.67:.4f}")
        assert visit.page.evaluate(SHOWN) == before
        visit.page.select_option(f"#unit-{place}", label="mmol/L")
        assert not visit.page.is_visible("#answer")
        assert "mg/dL" in visit.page.inner_text(f"#error-{place}")


def test_a_missing_required_value_is_asked_for(
    small_score: Any, browser: Any, tmp_path: Path
) -> None:
    content = copy.deepcopy(dict(small_score.artifact.content))
    for predictor in content["scoring"]["predictors"]:
        predictor["missing"] = {"policy": "refuse"}
    vectors = content["evidence"]["test_vectors"]
    past = [vector["inputs"] for vector in vectors]
    content["evidence"]["test_vectors"] = judge_patients(seal(content), past)
    artifact = seal(content)
    whole = next(v["inputs"] for v in vectors if v["status"] == "ok" and not v["missing"])
    with Visit(browser, write(artifact, tmp_path)) as visit:
        visit.type(artifact, whole)
        assert visit.page.is_visible("#answer")
        place = next(
            n for n, p in enumerate(artifact.scoring["predictors"]) if p["type"] == "numeric"
        )
        visit.page.fill(f"#input-{place}", "")
        assert not visit.page.is_visible("#answer")
        label = artifact.scoring["predictors"][place]["label"]
        assert label in visit.page.inner_text("#waiting")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_accessible_and_inside_the_window(
    small_score: Any, browser: Any, page_file: Path, width: int, language: str
) -> None:
    artifact = small_score.artifact
    vector = artifact.content["evidence"]["test_vectors"][5]
    place = next(n for n, p in enumerate(artifact.scoring["predictors"]) if p["type"] == "numeric")
    with Visit(browser, page_file, width, bypass_csp=True) as visit:
        visit.page.click(f"[data-language={language}]")
        assert axe(visit.page) == []
        visit.type(artifact, vector["inputs"])
        assert axe(visit.page) == []
        # One pixel is left for rounding.
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width + 1
        visit.page.fill(f"#input-{place}", "999999")
        assert axe(visit.page) == []


@pytest.fixture(scope="module")
def joined(small_score: Any) -> Any:
    """The small score, whose patients with 4 and 5 points are counted together."""
    content = copy.deepcopy(dict(small_score.artifact.content))
    same = {"band": [4, 5], "pooled": [4, 5], "n": 147, "observed": 0.3, "lower": 0.2, "upper": 0.4}
    table = content["scoring"]["risk_table"]
    content["scoring"]["risk_table"] = [
        {**row, **same} if row["points"] in (4, 5) else row for row in table
    ]
    return seal(content)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_joined_points_are_named(joined: Any, browser: Any, tmp_path: Path, language: str) -> None:
    words = {
        "en": "Development patients with {} to {} points: ",
        "fr": "Patients de développement avec {} à {} points : ",
    }[language]
    vectors = [v for v in joined.content["evidence"]["test_vectors"] if v["status"] == "ok"]
    table = joined.scoring["risk_table"]
    # Points 2 have their own count, and share observed risk by 3 years with 1 and 3 points.
    last = joined.horizons[-1]
    own = next(r for r in table if (r["points"], r["horizon"]) == (2, last))
    assert (own["band"], own["pooled"]) == ([2, 2], [1, 3])
    counts = {r["points"]: r["n"] for r in table if r["horizon"] == last}
    several = counts[1] + counts[2] + counts[3]
    cases = ((4, (4, 5), (4, 5), 147), (5, (4, 5), (4, 5), 147), (2, (2, 2), (1, 3), several))
    with Visit(browser, write(joined, tmp_path)) as visit:
        visit.page.click(f"[data-language={language}]")
        for points, band, pooled, n in cases:
            visit.type(joined, next(v["inputs"] for v in vectors if v["points"] == points))
            said = visit.page.locator("#risks .hint").all()[-1].inner_text()
            assert said.startswith(words.format(*pooled))
            assert f"; {n} patients)" in said
            marked = visit.page.locator("tr.now").all()
            assert len(marked) == len(joined.horizons)
            ends = [[row.get_attribute(f"data-{end}") for end in ("from", "to")] for row in marked]
            assert ends == [[str(end) for end in band]] * len(marked)
        assert visit.quiet()


@pytest.mark.parametrize("target", ["html", "card"])
def test_the_risk_table_counts_every_patient_once(joined: Any, tmp_path: Path, target: str) -> None:
    text = write(joined, tmp_path, target).read_text("utf-8")
    names = re.findall(r'<tr data-from="\d+" data-to="\d+"><th scope="row">([^<]+)</th>', text)
    each = ["0", "1", "2", "3", "4 to 5", "6", "7", "8", "9", "10"]
    assert names == [name for name in each for _ in joined.horizons]
    assert "6.7 (in 1 to 3)" in text


def test_a_damaged_page_gives_no_result(browser: Any, page_file: Path, tmp_path: Path) -> None:
    text = page_file.read_text("utf-8")
    at = text.index("0.", text.index("function contributions(v)"))
    damaged = tmp_path / "damaged.html"
    damaged.write_text(f"{text[:at]}7{text[at:]}", "utf-8")
    # Without its hash the script is not even started; with the policy off, the self-check fails.
    with Visit(browser, damaged) as visit:
        assert not visit.page.is_visible("#answer")
        assert visit.page.query_selector("#inputs input") is None
    with Visit(browser, damaged, bypass_csp=True) as visit:
        assert "self-check failed" in visit.page.inner_text("#failed")
        assert visit.page.query_selector("#inputs") is None
        assert axe(visit.page) == []


def test_the_keyboard_reaches_everything(small_score: Any, browser: Any, page_file: Path) -> None:
    artifact = small_score.artifact
    vector = artifact.content["evidence"]["test_vectors"][5]
    with Visit(browser, page_file) as visit:
        visit.page.focus("[data-language=fr]")
        for predictor in artifact.scoring["predictors"]:
            visit.page.keyboard.press("Tab")
            if visit.page.evaluate("document.activeElement.id").startswith("unit-"):
                visit.page.keyboard.press("Tab")  # past the choice of a unit
            if predictor["type"] == "numeric":
                visit.page.keyboard.type(repr(vector["inputs"][predictor["id"]]))
            else:
                visit.page.keyboard.press("Space")
                codes = [level["code"] for level in predictor["levels"]]
                for _ in range(codes.index(vector["inputs"][predictor["id"]])):
                    visit.page.keyboard.press("ArrowDown")
        assert visit.page.evaluate(SHOWN)["points"] == f"{vector['points']} of 10 points"


def test_without_javascript_and_on_paper(browser: Any, page_file: Path) -> None:
    with Visit(browser, page_file, java_script_enabled=False) as visit:
        assert "needs JavaScript" in visit.page.inner_text("noscript")
    with Visit(browser, page_file) as visit:
        assert visit.page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("status", ["withdrawn", "superseded"])
def test_banners(small_score: Any, browser: Any, tmp_path: Path, status: str) -> None:
    content = {**small_score.artifact.content, "status": status, "review_by": "2020-01-01"}
    with Visit(browser, write(seal(content), tmp_path)) as visit:
        told = visit.page.inner_text("#notices")
        assert f"This score was {status}" in told
        assert "due for review by 2020-01-01" in told


@pytest.mark.parametrize("width", [360, 1280])
def test_the_card(small_score: Any, browser: Any, tmp_path: Path, width: int) -> None:
    file = write(small_score.artifact, tmp_path, "card")
    with Visit(browser, file, width) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width + 1
        assert visit.quiet()
        (tmp_path / "card.pdf").write_bytes(visit.page.pdf(format="A4"))
    found = run(["pdfinfo", tmp_path / "card.pdf"])
    pages = next(line for line in found.splitlines() if line.startswith("Pages"))
    assert int(pages.split()[1]) <= 2
    with Visit(browser, file, width, bypass_csp=True) as visit:
        assert axe(visit.page) == []
