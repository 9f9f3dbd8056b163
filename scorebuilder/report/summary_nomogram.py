"""The nomogram of the formula in the summary: scales and marks, nothing of any patient."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scorebuilder.explanation.nomogram import make_nomogram
from scorebuilder.report.study import Study


def summarise_nomogram(study: Study) -> dict[str, Any]:
    """
    Lay out the nomogram.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        A `Nomogram` as plain values; its ranges are those of the artifact.
    """
    return asdict(make_nomogram(study.sealed))
