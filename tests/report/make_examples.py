"""
Renders the example reports and the picture of the README again.

From the root of the repository, with Chromium on the PATH; takes some minutes of computing:

    python tests/report/make_examples.py

With finished runs of both specs at hand, ``--runs FOLDER`` renders these: FOLDER/NAME/VERSION.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPECS = {
    "smart-vascular-events": "experiments/smart.yaml",
    "node-positive-recurrence": "experiments/rotterdam_to_gbsg.yaml",
}
EXAMPLES = ROOT / "reports" / "examples"
PICTURE = ROOT / "docs" / "images" / "report.png"
PICTURED = "smart-vascular-events"
VIEW = {"width": 1280, "height": 1120}


def run(name: str, runs: Path) -> None:
    """Run a spec as a reader would, less what leaves the folder."""
    from scorebuilder.cli.main import main

    arguments = ["run", SPECS[name], "--out", str(runs), "--set", "tracking=none", "--quiet"]
    try:
        main(arguments)
    except SystemExit as end:
        if end.code:
            raise


def render(name: str, runs: Path) -> Path:
    """Render the page of the one version of a run."""
    from scorebuilder.report.render import render_html

    (source,) = (runs / name).glob("*/summary.json")
    page = render_html(json.loads(source.read_text(encoding="utf-8")))
    EXAMPLES.mkdir(exist_ok=True)
    place = EXAMPLES / f"{name}.html"
    place.write_text(page, encoding="utf-8")
    return place


def take_picture(page: Path) -> None:
    """Photograph the first screen; hinting and colours do not depend on the screen at hand."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
    flags += ["--force-color-profile=srgb", "--force-device-scale-factor=1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=flags,
        )
        tab = browser.new_context(offline=True, viewport=VIEW).new_page()  # type: ignore[arg-type]
        tab.goto(page.as_uri())
        tab.screenshot(path=str(PICTURE))
        browser.close()


def main() -> None:
    """Render both examples and the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--runs", type=Path, help="folder of finished runs of both specs")
    given = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        runs = given or Path(folder)
        for name in SPECS:
            if given is None:
                run(name, runs)
            place = render(name, runs)
            if name == PICTURED:
                take_picture(place)


if __name__ == "__main__":
    main()
