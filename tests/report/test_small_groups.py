"""Groups of few patients in another cohort: no count of theirs is told or follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT
from scorebuilder.report.figures.risk_groups import draw_risk_groups
from scorebuilder.report.small_groups import without_small_groups
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_score import group_curves
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.external import group_hazard_ratios

LABELS = ("low", "middle", "high", "empty")


def found(sizes: tuple[int, ...]) -> dict[str, Any]:
    n = sum(sizes)
    random = np.random.default_rng(1)
    y = make_outcome(random.random(n) < 0.7, random.exponential(500.0, n))
    group = np.repeat(np.arange(len(sizes)), sizes)
    bands = [(label, place, place) for place, label in enumerate(LABELS)]
    return {
        **group_curves(y, group, bands, horizons=[365.25]),
        "observed": [
            {
                "label": label, "horizon": 365.25, "n": size, "predicted": 0.2, "observed": 0.3,
                "lower": 0.1, "upper": 0.5, "reason": None,
            }
            for label, size in zip(LABELS, sizes, strict=True)
        ],
        "hazard_ratios": group_hazard_ratios(y, group, LABELS),
    }  # fmt: skip


def hidden(result: dict[str, Any]) -> dict[str, set[str]]:
    return {
        part: {row["label"] for row in result[part] if row["reason"] == HIDDEN_COMPLEMENT}
        for part in ("observed", "hazard_ratios")
    } | {"groups": {row["label"] for row in result["groups"] if row["n"] is None}}


def test_a_small_group_and_its_complement_tell_nothing() -> None:
    # 3 of 100: with the total known 3 would follow, so the next smallest group, 27, is hidden too.
    result = without_small_groups(found((70, 27, 3, 0)))
    assert all(labels == {"middle", "high"} for labels in hidden(result).values())
    for label in ("middle", "high"):
        group = next(row for row in result["groups"] if row["label"] == label)
        assert group["n"] is group["events"] is None
        assert set(group["at_risk"]) == {None}
        assert [len(group[key]) for key in ("times", "survival", "lower", "upper")] == [0] * 4
        ratio = next(row for row in result["hazard_ratios"] if row["label"] == label)
        assert ratio["hazard_ratio"] is ratio["standard_error"] is ratio["lower"] is None
        seen = next(row for row in result["observed"] if row["label"] == label)
        assert seen["n"] is seen["predicted"] is seen["observed"] is seen["upper"] is None


def test_large_and_empty_groups_stay_as_they_are() -> None:
    before = found((70, 25, 10, 0))
    assert without_small_groups(before) == before
    assert hidden(without_small_groups(found((70, 25, 5, 0))))["groups"] == set()
    assert hidden(without_small_groups(found((97, 0, 3, 0))))["groups"] == {"low", "high"}


def test_the_figure_leaves_a_hidden_group_out() -> None:
    result = without_small_groups(found((70, 27, 3, 0)))
    summary = {"risk_groups": as_plain(result), "score": {"main_horizon": 365.25}}
    (figure,) = draw_risk_groups(summary)
    assert figure.numbers is not None
    assert set(figure.numbers.rows[2][1:]) == {"–"}


def test_few_events_in_a_large_group_are_not_counted() -> None:
    before = found((70, 60, 50, 0))
    for group, events in zip(before["groups"], (3, 9, 30, 0), strict=True):
        group["events"] = events
    result = without_small_groups(before)
    # 3 events of 42: with the total known 3 would follow, so the next smallest count, 9, goes too.
    assert [group["events"] for group in result["groups"]] == [None, None, 30, 0]
    assert [group["n"] for group in result["groups"]] == [70, 60, 50, 0]
    assert result["observed"] == before["observed"]
    assert hidden(result)["groups"] == set()
