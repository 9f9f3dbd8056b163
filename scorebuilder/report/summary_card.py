"""The points card in the summary, with the labels of its predictors and levels."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.study import Study


def summarise_card(study: Study) -> dict[str, Any] | None:
    """
    Summarise the additive points card.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict or None
        The artifact's ``card``, with ``label`` and ``unit`` of each predictor and the labels of the
        levels in place of their codes; None if the score has no card.
    """
    card = study.sealed.content.get("card")
    if card is None:
        return None
    about = {row["id"]: row for row in study.sealed.scoring["predictors"]}
    return {**card, "predictors": [_entry(row, about) for row in card["predictors"]]}


def _entry(entry: dict[str, Any], about: dict[str, dict[str, Any]]) -> dict[str, Any]:
    predictor = about[entry["predictor"]]
    levels = {level["code"]: level["label"] for level in predictor["levels"]}
    return {
        "predictor": entry["predictor"],
        "label": predictor["label"],
        "unit": predictor["unit"],
        "rows": [
            {
                "from": row.get("from"),
                "to": row.get("to"),
                "levels": [levels[code] for code in row.get("codes", ())],
                "points": row["points"],
            }
            for row in entry["rows"]
        ],
    }
