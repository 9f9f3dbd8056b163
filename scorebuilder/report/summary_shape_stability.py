"""How often each variable has which function, and which variables stand in for each other."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np

from scorebuilder.report.study import Study

LINEAR = (1.0,)
MOST_PAIRS = 8
OFTEN = 0.05
"""Variables kept in fewer refits, or left out in fewer, have no partner to speak of."""


def summarise_shape_stability(study: Study) -> dict[str, Any]:
    """
    Count the functions of the refits.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        ``shapes`` (one row per variable that any refit kept: shares out, linear, FP1 and FP2, the
        most frequent function and its share), ``pairs`` (variables kept together more or less
        often than by chance), ``same_variables`` and ``same_functions`` (share of refits with the
        variables, and with the functions as well, of the score), ``n_refits``.
    """
    records = study.validation.records
    own = study.builder.fold_record()
    shapes = _shapes(study)
    return {
        "n_refits": len(records),
        "same_variables": float(np.mean([set(r["kept"]) == set(own["kept"]) for r in records])),
        "same_functions": float(np.mean([r["powers"] == own["powers"] for r in records])),
        "shapes": shapes,
        "pairs": _pairs(study),
    }


def _shapes(study: Study) -> list[dict[str, Any]]:
    records = study.validation.records
    numeric = [name for name in study.candidates if _is_numeric(study, name)]
    rows = []
    for name in numeric:
        found = Counter(
            tuple(record["powers"][name]) for record in records if name in record["powers"]
        )
        if not found:
            continue
        n = len(records)
        # Most frequent first; of equally frequent ones the simpler, then the smaller powers.
        powers, most = min(found.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
        curved = {
            k: sum(c for p, c in found.items() if len(p) == k and p != LINEAR) for k in (1, 2)
        }
        rows.append(
            {
                "variable": name,
                "label": study.label(name),
                "kept": name in study.builder.kept_,
                "out": 1.0 - sum(found.values()) / n,
                "linear": found[LINEAR] / n,
                "fp1": curved[1] / n,
                "fp2": curved[2] / n,
                "powers": list(powers),
                "powers_share": most / n,
                "n_functions": len(found),
            }
        )
    return sorted(rows, key=lambda row: row["out"])


def _is_numeric(study: Study, name: str) -> bool:
    return study.cohort.schema.field(name).kind == "numeric"


def _pairs(study: Study) -> list[dict[str, Any]]:
    """Correlate the presence of variables over the refits."""
    records = study.validation.records
    kept = {
        name: np.array([name in record["kept"] for record in records], dtype=np.float64)
        for name in study.candidates
    }
    free = [name for name, there in kept.items() if OFTEN <= there.mean() <= 1.0 - OFTEN]
    rows: list[dict[str, Any]] = []
    for first, second in combinations(free, 2):
        one, two = kept[first], kept[second]
        phi = float(np.corrcoef(one, two)[0, 1])
        rows.append(
            {
                "first": study.label(first),
                "second": study.label(second),
                "first_share": float(one.mean()),
                "second_share": float(two.mean()),
                "both": float(np.mean(one * two)),
                "correlation": phi,
            }
        )
    return sorted(rows, key=lambda row: -abs(row["correlation"]))[:MOST_PAIRS]
