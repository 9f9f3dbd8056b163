"""A guideline rule as a score of one's own: 1 point where it holds, 0 where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.expression import compile_expression
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.spec import BaselineSpec
from scorebuilder.report.study import BaselineResult
from scorebuilder.validation.baseline import Baseline

_MISUSE = "A rule of yes or no gives no risk; it is judged as it would be followed."


def rule_baseline(item: BaselineSpec, cohort: Cohort, *, horizon: float) -> BaselineResult:
    """
    Apply a rule of the spec to all patients of its cohort.

    Parameters
    ----------
    item : BaselineSpec
        With a `rule`.
    cohort : Cohort
        Its patients.
    horizon : float
        Days, by which it is judged.

    Returns
    -------
    BaselineResult
        Points 1 and 0; undefined, with the missing inputs as reason, where missing values leave the
        rule open.

    Raises
    ------
    SpecError
        If the rule does not fit the cohort.
    """
    expression = compile_expression(item.rule or "", cohort.schema)
    frame = cohort.X.join(cohort.strata)
    held = expression.evaluate(frame)
    table = pd.DataFrame({"points": held, "reason": expression.why_unknown(frame)})
    known = held[np.isfinite(held)]
    if np.unique(known).size < 2:
        message = (
            f"`baselines`: the rule `{item.rule}` must hold in some patients and not in others"
        )
        raise SpecError(message)
    baseline = Baseline(
        name=f"rule_{sha256((item.rule or '').encode())[:8]}",
        label=item.label or item.rule or "",
        outcome="",
        horizon=horizon,
        population="",
        inputs=(),
        equation=_not_computed,
        publication="",
        doi="",
        licence_notice="",
        misuse=_MISUSE,
        quantity="points",
    )
    return BaselineResult(baseline, table, (), note=item.note, rule=item.rule)


def _not_computed(_: pd.DataFrame) -> FloatArray:
    message = "a rule of a spec is applied to its cohort only"
    raise NotImplementedError(message)
