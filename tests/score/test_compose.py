"""The risk table of an artifact: no small count, and none that follows from a total."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, SMALLEST_CELL
from scorebuilder.score.artifact import seal
from scorebuilder.score.compose import _risk_table
from scorebuilder.score.risk_groups import RiskGroups
from scorebuilder.score.risk_table import ObservedRisk


def builder_with(counts: list[int], cuts: tuple[int, ...] = (3, 6)) -> Any:
    """A builder with so many patients at 0, 1, ... points, and two horizons."""
    risks = [
        ObservedRisk(band, horizon, n, 0.1 if n else None, 0.1, 0.05, 0.2, "" if n else "none")
        for band, n in enumerate(counts)
        for horizon in (365.25, 730.5)
    ]
    labels = ("low", "middle", "high")[: len(cuts) + 1]
    return SimpleNamespace(
        risk_table_=risks, groups_=RiskGroups(cuts, labels), points=len(counts) - 1
    )


def shown(builder: Any, horizon: float) -> list[Any]:
    return [row["n"] for row in _risk_table(builder) if row["horizon"] == horizon]


def test_a_small_band_is_hidden_with_another_of_its_group() -> None:
    builder = builder_with([3, 40, 30, 50, 60, 70, 20, 10, 8])
    for horizon in (365.25, 730.5):
        # Group low is 0 to 2 points; 8 patients at 8 points would leave it open.
        assert shown(builder, horizon) == [None, 40, None, 50, 60, 70, 20, 10, 8]
    small, second = (_risk_table(builder)[k] for k in (0, 4))
    assert {small["reason"], second["reason"]} == {HIDDEN_COMPLEMENT}
    assert small["predicted"] is None
    assert second["predicted"] == 0.1
    assert [second[key] for key in ("observed", "lower", "upper")] == [None, None, None]


def test_a_group_of_one_small_band_takes_another_group_along() -> None:
    builder = builder_with([3, 40, 30, 50, 60, 70, 20, 10, 8], cuts=(1, 6))
    assert shown(builder, 365.25) == [None, 40, 30, 50, 60, 70, 20, 10, None]


def test_large_and_empty_bands_stay() -> None:
    builder = builder_with([0, 40, 30, 50, 60, 5, 20])
    assert shown(builder, 365.25) == [0, 40, 30, 50, 60, 5, 20]
    assert _risk_table(builder)[0]["reason"] == "none"


@pytest.mark.parametrize("counts", [[1, 1, 90, 80, 7, 6], [4, 9, 9, 1, 1, 1], [2, 2, 2, 2, 2, 2]])
def test_no_small_sum_follows_from_a_group(counts: list[int]) -> None:
    builder = builder_with(counts, cuts=(3,))
    found = shown(builder, 365.25)
    for inside in (slice(0, 3), slice(3, 6)):
        assert all(n is None or n >= SMALLEST_CELL for n in found[inside])
        hidden = [n for n, kept in zip(counts[inside], found[inside], strict=True) if kept is None]
        assert not hidden or len(hidden) == 3 or (len(hidden) >= 2 and sum(hidden) >= SMALLEST_CELL)


def test_an_artifact_with_hidden_bands_keeps_its_schema(small_score: Any) -> None:
    content = copy.deepcopy(small_score.artifact.content)
    del content["artifact_sha256"], content["core_id"]
    content["scoring"]["risk_table"] = _risk_table(builder_with([3, 40, 30, 50, 60, 70, 20]))
    assert seal(content).scoring["risk_table"][0]["n"] is None
