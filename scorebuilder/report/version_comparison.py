"""A comparison of two scores as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scorebuilder.core.units import horizon_code
from scorebuilder.report.tables_page import PageTable, render_tables
from scorebuilder.report.version_figures import draw_two_curves

MEASURES = {
    "auc": "AUC",
    "brier": "Brier score",
    "c_index": "C-index",
    "observed_expected": "Observed / expected",
    "calibration_slope": "Calibration slope",
}


def number(value: Any, digits: int = 3) -> str:
    """
    Show a number.

    Parameters
    ----------
    value : float or None
        The number.
    digits : int
        After the point.

    Returns
    -------
    str
        ``-`` for None.
    """
    return "-" if value is None else f"{value:.{digits}f}"


def comparison_tables(found: Mapping[str, Any], *, drawn: bool = False) -> list[PageTable]:
    """
    Lay a comparison out in tables.

    Parameters
    ----------
    found : mapping
        ``changes``, ``coefficients``, ``curves``, ``risk`` and, with a cohort, ``cohort``.
    drawn : bool
        With the curves as figures.

    Returns
    -------
    list of PageTable
        The same for text and page.
    """
    changes = tuple((row["level"], row["place"], row["text"]) for row in found["changes"])
    coefficients = tuple(
        (row["term"], number(row["old"], 6), number(row["new"], 6),
         "" if row["scaled_alike"] else "not comparable: other term, shift or scale")
        for row in found["coefficients"]
    )  # fmt: skip
    curves = tuple(
        (row["label"], number(row["largest"], 4), str(row["at"] or "-"), row["reason"] or "")
        for row in found["curves"]
    )
    risk = tuple(
        (horizon_code(row["horizon"]), str(row["n"]), number(row["mean"], 4),
         number(row["lowest"], 4), number(row["highest"], 4), row["reason"] or "")
        for row in found["risk"]
    )  # fmt: skip
    tables = [
        PageTable(
            "What changed",
            "What each change demands of the number of the version."
            if changes
            else "Nothing that is computed or said.",
            ("Demands", "Place", "Change"),
            changes,
        ),
        PageTable(
            "Coefficients",
            "Log hazard for each unit of the term.",
            ("Term", "Old", "New", "Note"),
            coefficients,
        ),
        PageTable(
            "Curves",
            "Largest difference of the log hazard over the usual range, both curves at mean 0.",
            ("Predictor", "Largest difference", "At", "Note"),
            curves,
            figures=tuple(draw_two_curves(found["curves"])) if drawn else (),
        ),
        PageTable(
            "Risk of made-up patients",
            "New minus old risk over the test vectors of both scores.",
            ("Horizon", "Patients", "Mean", "Lowest", "Highest", "Note"),
            risk,
        ),
    ]
    return tables + (list(_cohort_tables(found["cohort"])) if found.get("cohort") else [])


def _cohort_tables(cohort: Mapping[str, Any]) -> Iterator[PageTable]:
    counts = f"{cohort['n']:,} patients, {cohort['events']:,} events; {cohort['refused']:,} without"
    yield PageTable(
        "Risk in the cohort",
        f"New minus old risk; {counts} a score.",
        ("Horizon", "Mean", "Mean absolute", "5th centile", "Median", "95th centile"),
        tuple(
            (horizon_code(row["horizon"]), *(number(row[key], 4) for key in
             ("mean", "mean_absolute", "q05", "median", "q95")))
            for row in cohort["risk"]
        ),
    )  # fmt: skip
    yield PageTable(
        "Performance",
        "Both scores on the same patients; the difference is new minus old, with 95 % limits.",
        ("Measure", "Horizon", "Old", "New", "Difference", "Lower", "Upper", "Note"),
        tuple(
            (
                MEASURES[row["measure"]],
                horizon_code(row["horizon"]) if row["horizon"] else "-",
                *(number(row[key], 4) for key in ("old", "new", "difference", "lower", "upper")),
                row["reason"] or "",
            )
            for row in cohort["performance"]
        ),
    )
    yield PageTable(
        "Reclassification",
        "Patients by their group in both scores.",
        ("Old group", "New group", "Patients", "Note"),
        tuple(
            (row["old"], row["new"], "-" if row["n"] is None else f"{row['n']:,}",
             row["reason"] or "")
            for row in cohort["reclassification"]
        ),
    )  # fmt: skip


def comparison_text(found: Mapping[str, Any]) -> list[str]:
    """
    Write a comparison for a terminal.

    Parameters
    ----------
    found : mapping
        As for `comparison_tables`.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [f"{found['old']} -> {found['new']}", found["verdict"]]
    for table in comparison_tables(found):
        lines += ["", table.title, table.sentence]
        if not table.rows:
            continue
        cells = (table.columns, *table.rows)
        widths = [max(len(row[k]) for row in cells) for k in range(len(table.columns))]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
    return lines


def comparison_page(found: Mapping[str, Any]) -> str:
    """
    Render a comparison as one HTML file.

    Parameters
    ----------
    found : mapping
        As for `comparison_tables`.

    Returns
    -------
    str
        The page.
    """
    return render_tables(
        title=f"{found['old']} and {found['new']}",
        kind="Comparison of two scores",
        lead=found["verdict"],
        parts=comparison_tables(found, drawn=True),
    )
