"""Rows of a stored risk table: for which points they speak, and whom they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RANGES = ("band", "pooled")
"""Keys of the points of a row's count and prediction, and of its observed risk."""


def extent(row: Mapping[str, Any], key: str) -> tuple[int, int]:
    """
    Return the points that a row stands for.

    Parameters
    ----------
    row : mapping
        Of a risk table.
    key : str
        ``band`` for count and prediction, ``pooled`` for the observed risk.

    Returns
    -------
    tuple of int
        Lowest and highest; its own points where the row does not say.

    Examples
    --------
    >>> extent({"points": 4, "band": [3, 5]}, "band"), extent({"points": 4}, "band")
    ((3, 5), (4, 4))
    """
    first, last = row.get(key) or (row["points"], row["points"])
    return int(first), int(last)


def one_row_per_band(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """
    Drop the rows that repeat what another says of the same joined points.

    Parameters
    ----------
    rows : sequence of mapping
        A risk table.

    Returns
    -------
    list of mapping
        The first row of each band and horizon, in the order of `rows`.
    """
    bands: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        bands.setdefault((row["horizon"], extent(row, "band")), row)
    return list(bands.values())


def observed_pools(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    List what was observed, once for all points that share it, with everybody it was observed in.

    Parameters
    ----------
    rows : sequence of mapping
        A risk table.

    Returns
    -------
    list of dict
        ``horizon``, ``first``, ``last`` (points, both inside), ``observed``, ``lower``, ``upper``
        and ``n``, the patients of all bands of the pool; None where one of their counts is hidden.
    """
    pools: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in one_row_per_band(rows):
        first, last = extent(row, "pooled")
        found = pools.get((row["horizon"], first, last))
        if found is None:
            pools[row["horizon"], first, last] = {
                "horizon": row["horizon"], "first": first, "last": last,
                **{key: row[key] for key in ("observed", "lower", "upper", "n")},
            }  # fmt: skip
        else:
            hidden = found["n"] is None or row["n"] is None
            found["n"] = None if hidden else found["n"] + row["n"]
    return list(pools.values())


def flat_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write a row for a table of plain cells.

    Parameters
    ----------
    row : mapping
        Of a risk table.

    Returns
    -------
    dict
        ``band_from``, ``band_to``, ``pooled_from`` and ``pooled_to`` in place of the ranges.

    Examples
    --------
    >>> flat_row({"points": 4, "band": [3, 5], "pooled": [3, 6], "n": 12})
    {'points': 4, 'band_from': 3, 'band_to': 5, 'pooled_from': 3, 'pooled_to': 6, 'n': 12}
    """
    ends = {
        f"{key}_{end}": value
        for key in RANGES
        for end, value in zip(("from", "to"), extent(row, key), strict=True)
    }
    rest = {key: value for key, value in row.items() if key not in ("points", *RANGES)}
    return {"points": row["points"], **ends, **rest}
