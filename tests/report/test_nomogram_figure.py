"""The nomogram and the bars of the ten leading variables on the page."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from scorebuilder.report.figure import collect_figures, draw_figures, png_figures
from scorebuilder.report.figures.nomogram import read_nomogram, reading_table


def test_alt_text_and_table_come_from_the_data(example_summary: dict[str, Any]) -> None:
    (figure,) = collect_figures(example_summary, kinds=("nomogram",))["nomogram"]
    nomogram = read_nomogram(example_summary["nomogram"])
    total = sum(round(step.points) for step in nomogram.reading.steps)
    assert f"Example: total {total}, score {nomogram.reading.score}, risk" in figure.alt
    assert "Longest scale: Age (years)" in figure.alt
    assert figure.numbers is not None
    assert ("Albuminuria", "macro-albuminuria", "24.0") in figure.numbers.rows
    assert reading_table(nomogram).rows[len(nomogram.inputs)] == ("Total points", "sum", f"{total}")


def test_a_longer_reading_moves_the_words(example_summary: dict[str, Any]) -> None:
    other = copy.deepcopy(example_summary)
    other["nomogram"]["reading"] |= {"total": 120.0, "score": 7}
    (figure,) = collect_figures(other, kinds=("nomogram",))["nomogram"]
    assert "total 120, score 7" in figure.alt
    assert "Marks below a line" in figure.caption
    for tick in (t for scale in other["nomogram"]["inputs"] for t in scale["ticks"]):
        tick["below"] = False
    (straight,) = collect_figures(other, kinds=("nomogram",))["nomogram"]
    assert "Marks below a line" not in straight.caption


@pytest.mark.parametrize("found", [None, {"inputs": []}])
def test_without_scales_there_is_no_figure(example_summary: dict[str, Any], found: Any) -> None:
    other = {**example_summary, "nomogram": found}
    assert collect_figures(other, kinds=("nomogram",))["nomogram"] == []


def test_ten_bars_in_order_of_vimp(example_summary: dict[str, Any]) -> None:
    other = copy.deepcopy(example_summary)
    ranking = other["selection"]["ranking"]
    ranking[0]["vimp"] = None
    (figure,) = collect_figures(other, kinds=("leading_variables",))["leading_variables"]
    known = sorted((row for row in ranking if row["vimp"] is not None), key=lambda r: -r["vimp"])
    places = [figure.alt.index(f"{row['label']} ") for row in known[:10]]
    assert places == sorted(places)
    assert ranking[0]["label"] not in figure.alt
    assert known[10]["label"] not in figure.alt


@pytest.mark.slow
def test_every_figure_has_a_png_of_300_dots_per_inch(example_summary: dict[str, Any]) -> None:
    import io

    from PIL import Image

    pngs = png_figures(example_summary)
    assert {name.removesuffix(".png") for name in pngs} == {
        name.removesuffix(".svg") for name in draw_figures(json.loads(json.dumps(example_summary)))
    }
    for content in pngs.values():
        dots = Image.open(io.BytesIO(content)).info["dpi"]
        assert dots == pytest.approx((300, 300), abs=0.1)
