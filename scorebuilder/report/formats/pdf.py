"""PDF, printed by Chromium without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from scorebuilder.core.errors import MissingPartError
from scorebuilder.report.format import FORMATS, Rendering

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 180
_FIXED = b"20000101000000"
_REMEDY = (
    "PDF needs Chromium or Chrome on the PATH (for example `apt-get install chromium`); "
    "or take --format html and print it from a browser"
)


def write_pdf(rendering: Rendering) -> dict[str, bytes]:
    """
    Print the page as PDF.

    Parameters
    ----------
    rendering : Rendering
        The page.

    Returns
    -------
    dict of str to bytes
        One file; its dates are fixed, and its bytes the same for the same page and browser.

    Raises
    ------
    MissingPartError
        If no browser is found, or it prints nothing.
    """
    program = next((path for path in map(shutil.which, PROGRAMS) if path), None)
    if program is None:
        raise MissingPartError(_REMEDY)
    with tempfile.TemporaryDirectory() as folder:
        page, printed = Path(folder) / "report.html", Path(folder) / "report.pdf"
        page.write_text(rendering.html, encoding="utf-8")
        command = [
            program,
            "--headless=new",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-extensions",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={printed}",
            page.as_uri(),
        ]
        if os.geteuid() == 0:  # Chromium refuses its sandbox to root
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            message = f"{program} printed nothing within {SECONDS} s; {_REMEDY}"
            raise MissingPartError(message) from None
        if done.returncode or not printed.is_file():
            message = f"{program} printed nothing (exit code {done.returncode}); {_REMEDY}"
            raise MissingPartError(message)
        return {f"{rendering.name}.pdf": _settled(printed.read_bytes())}


def _settled(content: bytes) -> bytes:
    """Fix the dates and number the nodes afresh, in as many digits: no offset of the file moves."""
    numbers: dict[bytes, bytes] = {}

    def number(found: re.Match[bytes]) -> bytes:
        return numbers.setdefault(found.group(), b"node%08d" % (len(numbers) + 1))

    content = re.sub(rb"(?<=\(D:)\d{14}", _FIXED, content)
    return re.sub(rb"(?<=\()node\d{8}(?=\))", number, content)


FORMATS.register("pdf", write_pdf)
