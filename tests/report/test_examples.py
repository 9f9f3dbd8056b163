"""The committed example reports still open: whole, small, closed to the network, of their spec."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
import yaml

from scorebuilder.report.document import Picture, read_page
from scorebuilder.report.render import style_hash
from tests.report.make_examples import EXAMPLES, PICTURE, ROOT, SPECS, VIEW

LARGEST = 5_000_000


def test_every_example_has_its_spec() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.html")) == sorted(
        f"{name}.html" for name in SPECS
    )


@pytest.mark.parametrize("name", SPECS)
def test_an_example_is_small_closed_and_of_its_spec(name: str) -> None:
    content = (EXAMPLES / f"{name}.html").read_bytes()
    assert len(content) < LARGEST
    page = content.decode("utf-8")
    spec = yaml.safe_load((ROOT / SPECS[name]).read_text(encoding="utf-8"))
    assert spec["name"] == name
    assert f"<title>{spec['title']} {spec['version']}: report</title>" in page
    assert page.rstrip().endswith("</html>")
    assert "<script" not in page
    assert not re.search(r' (?:src|href)="(?!data:|#)', page)
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    policy = (
        "default-src 'none'; img-src data:;"
        f" style-src 'sha256-{style_hash(style.group(1))}'; base-uri 'none'; form-action 'none'"
    )
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page
    pictures = [block for block in read_page(page) if isinstance(block, Picture)]
    assert len(pictures) > 10
    assert all(picture.alt and picture.svg.lstrip().startswith("<") for picture in pictures)


def test_the_picture_of_the_readme_is_one_screen() -> None:
    header = Path(PICTURE).read_bytes()[:24]
    assert header[1:4] == b"PNG"
    assert struct.unpack(">II", header[16:24]) == (VIEW["width"], VIEW["height"])
