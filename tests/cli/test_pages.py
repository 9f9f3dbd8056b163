"""The pages of compare and validate in a browser: silent, closed, accessible, in the window."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scorebuilder.cli.main import build_app
from scorebuilder.score.artifact import seal
from scorebuilder.score.store import save_artifact

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("compare", "validate")
INJECTED = """() => {
  const script = document.createElement('script');
  script.textContent = 'window.ran = true';
  document.body.append(script);
  const image = document.createElement('img');
  image.src = 'https://example.org/pixel.png';
  document.body.append(image);
  return window.ran === true;
}"""


def run(*arguments: Any) -> Any:
    done = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def files(small_score: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages as the commands write them."""
    folder = tmp_path_factory.mktemp("pages")
    content = copy.deepcopy(small_score.artifact.content)
    content["version"] = "2.0.0"
    for term in content["scoring"]["terms"]:
        term["coefficient"] *= 1.2
    save_artifact(small_score.artifact, folder / "old")
    save_artifact(seal(content), folder / "new")
    run("compare", folder / "old", folder / "new", "builtin:whas500",
        "--html", folder / "compare.html")  # fmt: skip
    run("validate", folder / "old", "builtin:whas500", "--threshold", "0.2",
        "--out", folder / "validation")  # fmt: skip
    return {
        "compare": folder / "compare.html",
        "validate": folder / "validation" / "validation.html",
    }


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_silent_closed_accessible_and_in_the_window(
    browser: Any, files: dict[str, Path], name: str, width: int
) -> None:
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(files[name].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert requests == [files[name].as_uri()]
    assert complaints == []
    # One pixel is left for rounding.
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    assert len(found["passes"]) > 10
    # The page's policy lets nothing in that was not written into it.
    assert page.evaluate(INJECTED) is False
    page.wait_for_timeout(100)
    refused = [text for text in complaints if "Content Security Policy" in text]
    assert len(refused) == 2, refused  # the script and the image
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_the_style_alone(files: dict[str, Path], name: str) -> None:
    text = files[name].read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', text)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";") if rule.strip())
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy[1]
    assert "script-src" not in rules
    assert rules["style-src"].startswith("'sha256-")
