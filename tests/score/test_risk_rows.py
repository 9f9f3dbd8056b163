"""Joined points are named once, with everybody who was observed."""

from __future__ import annotations

from typing import Any

from scorebuilder.score.risk_rows import extent, flat_row, observed_pools, one_row_per_band


def row(points: int, band: list[int], pooled: list[int], n: int | None, observed: Any) -> Any:
    return {
        "points": points, "band": band, "pooled": pooled, "horizon": 5.0, "n": n,
        "observed": observed, "lower": observed, "upper": observed,
    }  # fmt: skip


# Points 0; 1 and 2 joined, 44 patients; 3, 30 patients, pooled with them; 4 hidden.
TABLE = [
    row(0, [0, 0], [0, 0], 12, 0.0),
    row(1, [1, 2], [1, 3], 44, 0.2),
    row(2, [1, 2], [1, 3], 44, 0.2),
    row(3, [3, 3], [1, 3], 30, 0.2),
    row(4, [4, 4], [4, 4], None, None),
]


def test_a_band_is_one_row() -> None:
    assert [row["points"] for row in one_row_per_band(TABLE)] == [0, 1, 3, 4]
    assert sum(row["n"] or 0 for row in one_row_per_band(TABLE)) == 12 + 44 + 30
    twice = [*TABLE, *({**row, "horizon": 9.0} for row in TABLE)]
    assert len(one_row_per_band(twice)) == 8


def test_a_pool_counts_the_patients_of_its_bands_once_by_hand() -> None:
    pools = observed_pools(TABLE)
    assert [(pool["first"], pool["last"], pool["n"]) for pool in pools] == [
        (0, 0, 12), (1, 3, 74), (4, 4, None),
    ]  # fmt: skip
    assert [pool["observed"] for pool in pools] == [0.0, 0.2, None]


def test_a_hidden_count_hides_that_of_its_pool() -> None:
    pools = observed_pools([row(0, [0, 0], [0, 1], 12, 0.1), row(1, [1, 1], [0, 1], None, 0.1)])
    assert [pool["n"] for pool in pools] == [None]


def test_rows_without_ranges_speak_of_their_own_points() -> None:
    old = [{k: v for k, v in row.items() if k not in ("band", "pooled")} for row in TABLE]
    assert [extent(row, "band") for row in old] == [(n, n) for n in range(5)]
    assert one_row_per_band(old) == old
    assert [pool["n"] for pool in observed_pools(old)] == [12, 44, 44, 30, None]
    assert flat_row(old[3])["pooled_to"] == 3
