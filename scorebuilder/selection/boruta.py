"""Shadow variables: which variables are worth more to the forest than the best permuted copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import binom

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.seeds import generator, seed_of
from scorebuilder.selection.groups import Units
from scorebuilder.selection.refits import Refits

FEWEST_SHADOWS = 5

Importance: TypeAlias = Callable[[list[str], int], tuple[FloatArray, FloatArray]]
"""Takes the variables still in play and the round; returns their VIMP and that of the shadows."""


@dataclass(frozen=True)
class ShadowTest:
    """
    What the rounds against shadow variables decided.

    Attributes
    ----------
    table : DataFrame
        One row per variable in the order given: variable, hits (rounds in which its VIMP was
        above every shadow's), rounds (in which it took part), median_vimp (over those), decision
        (``confirmed``, ``rejected``, or ``tentative`` where the rounds ended before the test did),
        selected.
    shadow_median : float
        Median over the rounds of the largest shadow VIMP.
    n_rounds : int
        Forests grown.
    """

    table: pd.DataFrame
    shadow_median: float
    n_rounds: int


def shadow_test(
    names: Sequence[str],
    importance: Importance,
    *,
    alpha: float = 0.01,
    max_rounds: int = 100,
) -> ShadowTest:
    r"""
    Play rounds against the largest shadow until every variable is decided.

    Parameters
    ----------
    names : sequence of str
        The variables.
    importance : callable
        VIMP of the variables still in play and of their shadows in a round, numbered from 1.
    alpha : float
        Level of each of the two tests, in (0, 1); divided by the number of variables.
    max_rounds : int
        Rounds after which what is undecided is decided by its median.

    Returns
    -------
    ShadowTest
        The decisions and what they rest on.

    Raises
    ------
    ValueError
        If `alpha` or `max_rounds` is outside its range.

    Notes
    -----
    A variable that is worth as much as the largest shadow has a hit in half of the rounds. After
    each round r with h hits a variable is confirmed if

    .. math:: p\,P(B \ge h) < \alpha, \quad B \sim \mathrm{Bin}(r, 1/2)

    with p variables, and rejected, and left out of later rounds, if :math:`p\,P(B \le h) < \alpha`
    [1]_. Looking after every round is not corrected for, as in the original. A variable that is
    undecided at the end stays if its median VIMP lies above the median of the largest shadow VIMP.

    Rounds draw new shadows and trees, not new patients: the level says whether more rounds would
    agree. What chance gave these patients returns in every round, so that among variables without
    effect the luckiest beats the largest of as many shadows in about half of all cohorts. In 20
    simulated cohorts without any effect (300 patients, 11 variables; ``selection_rules.py``) 60 %
    kept some variable.

    References
    ----------
    .. [1] Kursa MB, Rudnicki WR. Feature selection with the Boruta package. J Stat Softw
       2010;36(11):1-13.
    """
    if not 0.0 < alpha < 1.0:
        message = f"`boruta_alpha` must lie between 0 and 1; got {alpha}"
        raise ValueError(message)
    if max_rounds < 1:
        message = f"`boruta_rounds` must be at least 1; got {max_rounds}"
        raise ValueError(message)
    n_names = len(names)
    hits, rounds = np.zeros(n_names, dtype=np.int64), np.zeros(n_names, dtype=np.int64)
    decision = np.full(n_names, "tentative", dtype=object)
    history: list[FloatArray] = []
    largest: list[float] = []
    while (decision == "tentative").any() and len(largest) < max_rounds:
        active = np.flatnonzero(decision != "rejected")
        own, shadows = importance([names[int(place)] for place in active], len(largest) + 1)
        history.append(np.full(n_names, np.nan))
        history[-1][active] = own
        largest.append(float(shadows.max()))
        rounds[active] += 1
        hits[active] += own > largest[-1]
        _decide(decision, hits, len(largest), alpha)
    median = np.nanmedian(np.stack(history), axis=0)
    shadow_median = float(np.median(largest))
    undecided = decision == "tentative"
    table = pd.DataFrame(
        {
            "variable": list(names),
            "hits": hits,
            "rounds": rounds,
            "median_vimp": median,
            "decision": decision,
            "selected": (decision == "confirmed") | (undecided & (median > shadow_median)),
        }
    )
    return ShadowTest(table, shadow_median, len(largest))


def _decide(decision: np.ndarray, hits: IntArray, n_rounds: int, alpha: float) -> None:
    """Move what the binomial tests settle from tentative to confirmed or rejected, in place."""
    tentative = decision == "tentative"
    level = alpha / decision.size
    decision[tentative & (binom.sf(hits - 1, n_rounds, 0.5) < level)] = "confirmed"
    decision[tentative & (binom.cdf(hits, n_rounds, 0.5) < level)] = "rejected"


def shadow_importance(refits: Refits) -> Importance:
    """
    Grow, in each round, a forest on the variables in play and permuted copies of them.

    Parameters
    ----------
    refits : Refits
        Patients, variables, forest and VIMP.

    Returns
    -------
    callable
        As `shadow_test` takes it.

    Notes
    -----
    Each variable is permuted by itself, anew in every round; the columns of a group are permuted
    together. There are at least 5 shadows: when fewer variables are in play, they are copied
    again.
    """

    def _importance(active: list[str], number: int) -> tuple[FloatArray, FloatArray]:
        units: Units = {name: refits.units[name] for name in active}
        original = {column: column for members in units.values() for column in members}
        tables = [refits.X[list(original)]]
        for copy in range(-(-FEWEST_SHADOWS // len(active))):
            for name in active:
                key = ("boruta", "shadow", number, copy, name)
                order = generator(refits.random_state, *key).permutation(len(refits.X))
                columns = {f"shadow {copy} of {column}": column for column in refits.units[name]}
                values = refits.X[list(columns.values())].iloc[order]
                tables.append(values.set_axis(refits.X.index).set_axis(list(columns), axis=1))
                units[f"shadow {copy} of {name}"] = tuple(columns)
                original |= columns
        table = pd.concat(tables, axis=1)
        unordered = set(refits.forest.categorical_features)
        categorical = [column for column, source in original.items() if source in unordered]
        forest = refits.grow(
            table,
            refits.y,
            "boruta",
            "forest",
            number,
            n_jobs=refits.n_jobs,
            categorical=categorical,
        )
        seed = seed_of(refits.random_state, "boruta", "vimp", number)
        vimp = refits.vimp(forest, table, refits.y, units, seed, refits.n_jobs)
        return vimp[: len(active)], vimp[len(active) :]

    return _importance
