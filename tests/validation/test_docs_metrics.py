"""The page of the metrics names what there is."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from scorebuilder.validation.metric import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ONE, REST = PAGE.split("## 2 ")[1].split("## 3 ")
TWO, OTHERS = REST.split("## 4 ")[0], REST.split("## 4 ")[1].split("## 5 ")[0]


def names(table: str, column: int) -> set[str]:
    cells = [line.split("|")[column] for line in table.splitlines() if line.startswith("| ")]
    return {name for cell in cells for name in re.findall(r"`([a-z_.]+)", cell)}


def test_every_metric_stands_in_the_table():
    ours = {name for name in METRICS if f"`{name}`" in PAGE}
    assert {"auc", "brier", "c_index", "scaled_brier", "uno_c", "wolbers_c"} <= ours
    for name in names(ONE, 2) - {"competing"}:
        module, dot, function = name.rpartition(".")
        if dot:
            assert hasattr(import_module(f"scorebuilder.validation.{module}"), function)
        else:
            functions = {"harrell_c", "uno_c", "auc_estimate"}
            assert name in METRICS or name in functions


def test_every_contrast_of_a_metric_stands_in_the_table():
    from scorebuilder.validation.contrast import CONTRASTS

    keys = names(TWO.split("`difference.pairwise_differences`")[0], 2)
    assert keys <= set(CONTRASTS)
    assert {name for name in CONTRASTS if name in METRICS} <= keys


def test_every_function_of_the_other_measures_is_there() -> None:
    for line in OTHERS.splitlines():
        if not line.startswith("| ") or line.startswith(("| measure", "| ---")):
            continue
        module, named = "", re.findall(r"`([a-zA-Z0-9_.]+)", line.split("|")[2])
        assert named, line
        for name in named:
            place, dot, function = name.rpartition(".")
            if dot and place:
                module = place if place.startswith("survival.") else f"validation.{place}"
            assert hasattr(import_module(f"scorebuilder.{module}"), function), name
