"""Influence of few patients on the functions in the summary: verdicts, no row of a patient."""

from __future__ import annotations

from typing import Any

import pandas as pd

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.modelling.influence import InfluenceCheck, influential_patients
from scorebuilder.report.study import Study
from scorebuilder.report.summary_shapes import powers_words


def summarise_influence(study: Study) -> dict[str, Any] | None:
    """
    Repeat stage 2 without extreme and without influential patients.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict or None
        ``n_refits``, and a row per continuous variable in the model: its function, in how many of
        the single deletions it changed, which extremes change it, and whether a straight line is
        enough once the extremes are pulled in. ``reason`` why there are no rows. None if the spec
        does not ask for it.
    """
    if not study.settings["explanation"].get("influence"):
        return None
    model, builder = study.builder.model_, study.builder
    special = {*model.spike_, *model.acd_}
    try:
        check = influential_patients(
            model,
            builder.design(study.X),
            study.cohort.y,
            variables=[name for name in model.selected_ if name not in special],
            n_jobs=builder.selector_.n_jobs or 1,
        )
    except UndefinedMetricError as error:
        return {"rows": [], "n_refits": 0, "reason": str(error)}
    return {"rows": _rows(study, check), "n_refits": check.n_refits, "reason": None}


def _rows(study: Study, check: InfluenceCheck) -> list[dict[str, Any]]:
    pulled = check.winsorised.set_index("variable")
    return [
        {
            "variable": row.variable,
            "label": study.label(row.variable),
            "function": powers_words(row.powers),
            "n_single": int(row.n_single),
            "n_single_changed": int(row.n_single_changed),
            "n_single_class_changed": int(row.n_single_class_changed),
            "extremes_changed": list(row.extremes_changed),
            "n_failed": int(row.n_failed),
            "linear_is_enough": _known(pulled.loc[row.variable, "linear_is_enough"]),
            "reason": pulled.loc[row.variable, "reason"] or None,
        }
        for row in check.verdicts.itertuples()
    ]


def _known(value: Any) -> bool | None:
    return None if pd.isna(value) else bool(value)
