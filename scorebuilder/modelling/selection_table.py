"""The record of every comparison that MFP made, as one long table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from scorebuilder.modelling.mfp_cycles import Visit

COLUMNS = (
    "cycle",
    "variable",
    "test",
    "simple_deviance",
    "complex_deviance",
    "chisq",
    "df",
    "p",
    "criterion",
    "decision",
    "simple_powers",
    "complex_powers",
    "chosen_powers",
)


def selection_table(visits: Sequence[Visit]) -> pd.DataFrame:
    """
    Tabulate the comparisons of all visits.

    Parameters
    ----------
    visits : sequence of Visit
        In order.

    Returns
    -------
    DataFrame
        One row per comparison, columns `COLUMNS`. `p` is None for information criteria, and
        `criterion` (AIC or BIC of the more complex model) is None for the closed test.
    """
    rows = []
    for visit in visits:
        powers = visit.selection.best_powers
        for test in visit.selection.tests:
            full, simple = test.test.split(" vs ")
            rows.append(
                (
                    visit.cycle,
                    visit.variable,
                    test.test,
                    test.simple_deviance,
                    test.complex_deviance,
                    test.chisq,
                    test.df,
                    test.p,
                    test.criterion,
                    test.decision,
                    powers[simple],
                    powers[full],
                    visit.selection.powers,
                )
            )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    optional = {"p": object, "criterion": object}
    return table.astype(optional).where(table.notna(), None)
