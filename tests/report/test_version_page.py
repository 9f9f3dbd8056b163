"""The page of a comparison: curves over one another, no empty column, minus signs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from scorebuilder.report.tables_page import PageTable
from scorebuilder.report.version_comparison import comparison_tables
from scorebuilder.report.version_figures import draw_two_curves
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.difference import curve_difference


def test_curves_are_drawn_as_they_differ(small_score: Any) -> None:
    old = small_score.artifact
    content = copy.deepcopy(old.content)
    term = next(t for t in content["scoring"]["terms"] if t["kind"] != "indicator")
    term["coefficient"] *= 2.0
    rows = curve_difference(old, ScoreArtifact(content))
    row = next(row for row in rows if row["predictor"] == term["predictor"])
    apart = np.abs(np.array(row["old"]) - np.array(row["new"]))
    # The kept points leave out at most the worst one of the grid.
    assert 0.9 * row["largest"] <= apart.max() <= row["largest"] + 1e-12
    figures = list(draw_two_curves(rows))
    assert len(figures) == sum("x" in each for each in rows) > 0
    drawn = next(f for f in figures if f.name == f"curve-{term['predictor']}")
    assert row["label"] in drawn.alt
    assert drawn.numbers is not None
    assert drawn.numbers.rows[0][1] == f"{np.exp(row['old'][0]):.2f}"
    assert drawn.numbers.rows[0][2] == f"{np.exp(row['new'][0]):.2f}"


def test_equal_scores_have_equal_curves(small_score: Any) -> None:
    artifact = small_score.artifact
    for row in curve_difference(artifact, artifact):
        assert row["largest"] == 0.0
        assert row.get("old") == row.get("new")


def test_nothing_to_draw() -> None:
    assert list(draw_two_curves([{"predictor": "a", "label": "A", "largest": None}])) == []
    empty: dict[str, Any] = {"changes": [], "coefficients": [], "curves": [], "risk": []}
    assert all(not table.figures for table in comparison_tables(empty, drawn=True))


def test_a_table_leaves_empty_columns_out_and_sets_numbers_right() -> None:
    rows = (("Age", "-0.25", "-", "", "all"), ("Sex", "1", "2", "", "few"))
    table = PageTable("T", "S", ("Name", "Old", "New", "Note", "Who"), rows).table
    assert table.header == ("Name", "Old", "New", "Who")
    assert table.rows[0] == ("Age", "\N{MINUS SIGN}0.25", "–", "all")
    assert table.text == (3,)
