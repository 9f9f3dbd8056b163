"""The cycles of multivariable fractional polynomials: visiting order, visits, convergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.modelling.candidate_search import CandidateModels
from scorebuilder.modelling.fractional_polynomial import Powers
from scorebuilder.modelling.function_selection import choose_function
from scorebuilder.modelling.newton import CoxMaximum, maximise
from scorebuilder.modelling.risk_sets import RiskSets
from scorebuilder.modelling.selection_rule import FPSelection, SelectionRule, likelihood_ratio_p
from scorebuilder.modelling.variable_columns import LINEAR, VariableColumns

ORDERS = ("ascending", "descending", "original")


@dataclass(frozen=True)
class CandidateVariable:
    """
    One candidate with its rule and its columns.

    Attributes
    ----------
    name : str
        Column of the data frame.
    rule : SelectionRule
        How its function is chosen.
    columns : VariableColumns
        Every column its functions need.
    shift, scale : float
        Applied before the powers.
    """

    name: str
    rule: SelectionRule
    columns: VariableColumns
    shift: float
    scale: float


@dataclass(frozen=True)
class Visit:
    """
    What one visit of one variable found.

    Attributes
    ----------
    cycle : int
        Counted from 1.
    variable : str
        The variable visited.
    selection : FPSelection
        The chosen function and the tests.
    """

    cycle: int
    variable: str
    selection: FPSelection


@dataclass
class CycleState:
    """
    Current function and coefficients of every variable.

    Attributes
    ----------
    powers : dict of str to tuple of float
        Empty tuple for variables left out.
    coef : dict of str to ndarray
        Coefficients on the standardised columns, the first guess of the next fit.
    """

    powers: dict[str, Powers]
    coef: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class CycleResult:
    """
    The end of the cycles.

    Attributes
    ----------
    powers : dict of str to tuple of float
        In visiting order; empty tuple for variables left out.
    visits : tuple of Visit
        All visits, in order.
    n_cycles : int
        Cycles begun.
    converged : bool
        Whether the last complete cycle changed nothing.
    """

    powers: dict[str, Powers]
    visits: tuple[Visit, ...]
    n_cycles: int
    converged: bool


def linear_order(
    variables: Sequence[CandidateVariable], risk_sets: RiskSets, xorder: str
) -> tuple[list[str], dict[str, float], CycleState]:
    """
    Order variables by their P value in the full linear model.

    Parameters
    ----------
    variables : sequence of CandidateVariable
        All candidates.
    risk_sets : RiskSets
        The sorted outcome.
    xorder : {"ascending", "descending", "original"}
        Smallest P value first, largest first, or as given; equal P values keep their order.

    Returns
    -------
    order : list of str
        Visiting order of all cycles.
    p_values : dict of str to float
        Likelihood-ratio P value of each variable.
    state : CycleState
        Everything linear.
    """
    columns = [variable.columns.columns[:, variable.columns.of(LINEAR)] for variable in variables]
    no_columns = np.empty((risk_sets.rows.size, 0))
    design = np.ascontiguousarray(np.hstack([no_columns, *columns]))
    full = maximise(design, risk_sets)
    p_values = {}
    for position, variable in enumerate(variables):
        without = maximise(
            np.ascontiguousarray(np.delete(design, position, axis=1)),
            risk_sets,
            begin=_one_step_without(full, position),
        )
        p_values[variable.name] = likelihood_ratio_p(
            without.deviance - full.deviance, full.rank - without.rank
        )
    names = [variable.name for variable in variables]
    if xorder != "original":
        names.sort(key=lambda name: p_values[name], reverse=xorder == "descending")
    state = CycleState(
        dict.fromkeys(names, LINEAR),
        {v.name: full.coef[[position]] for position, v in enumerate(variables)},
    )
    return names, p_values, state


def _one_step_without(full: CoxMaximum, position: int) -> FloatArray:
    """Maximise the quadratic approximation at the full model with one coefficient at 0."""
    others = np.delete(np.arange(full.coef.size), position)
    estimable = others[~full.aliased[others]]
    begin = np.zeros(full.coef.size)
    if estimable.size and not full.aliased[position]:
        block = full.information[np.ix_(estimable, estimable)]
        effect = full.information[estimable, position] * full.coef[position]
        begin[estimable] = np.linalg.lstsq(block, effect, rcond=None)[0]
    begin += full.coef
    return np.asarray(begin[others], dtype=np.float64)


class MFPCycles:
    """
    Visits every variable in turn until no function changes.

    Parameters
    ----------
    variables : sequence of CandidateVariable
        In visiting order.
    risk_sets : RiskSets
        The sorted outcome.
    state : CycleState
        Everything linear.
    """

    def __init__(
        self, variables: Sequence[CandidateVariable], risk_sets: RiskSets, state: CycleState
    ) -> None:
        self.variables = variables
        self.risk_sets = risk_sets
        self.state = state
        self._known: dict[tuple[str, tuple[Powers, ...]], FPSelection] = {}

    def run(self, *, max_cycles: int, convention: str) -> CycleResult:
        """
        Run the cycles.

        Parameters
        ----------
        max_cycles : int
            Most cycles; the last state is used when they did not suffice.
        convention : {"mfp2", "mfp"}
            ``"mfp2"`` stops after a complete cycle without change, ``"mfp"`` before a visit whose
            other functions are those of the previous visit.

        Returns
        -------
        CycleResult
            Functions in visiting order.
        """
        visits: list[Visit] = []
        context: dict[str, dict[str, Powers]] = {}
        for cycle in range(1, max_cycles + 1):
            before = dict(self.state.powers)
            for variable in self.variables:
                others = {n: p for n, p in self.state.powers.items() if n != variable.name}
                if convention == "mfp" and context.get(variable.name) == others:
                    n_cycles = cycle - 1 if variable is self.variables[0] else cycle
                    return CycleResult(dict(self.state.powers), tuple(visits), n_cycles, True)
                context[variable.name] = others
                visits.append(Visit(cycle, variable.name, self._visit(variable)))
            if convention == "mfp2" and cycle > 1 and before == self.state.powers:
                return CycleResult(dict(self.state.powers), tuple(visits), cycle, True)
        return CycleResult(dict(self.state.powers), tuple(visits), max_cycles, False)

    def _visit(self, visited: CandidateVariable) -> FPSelection:
        state = self.state
        others = [v for v in self.variables if v is not visited and state.powers[v.name]]
        # With the same functions of all others the choice is the same: it is made only once.
        context = tuple(() if v is visited else state.powers[v.name] for v in self.variables)
        if (visited.name, context) not in self._known:
            self._known[visited.name, context] = self._choose(visited, others)
        selection = self._known[visited.name, context]
        state.powers[visited.name] = selection.powers
        position = 0
        for variable in [*others, visited]:
            size = len(state.powers[variable.name])
            state.coef[variable.name] = selection.chosen.maximum.coef[position : position + size]
            position += size
        return selection

    def _choose(
        self, visited: CandidateVariable, others: Sequence[CandidateVariable]
    ) -> FPSelection:
        state = self.state
        blocks = [v.columns.columns[:, v.columns.of(state.powers[v.name])] for v in others]
        empty = np.empty((self.risk_sets.rows.size, 0))
        models = CandidateModels(
            self.risk_sets,
            np.ascontiguousarray(np.hstack([empty, *blocks])),
            visited.columns,
            powers=visited.rule.powers,
            current=state.powers[visited.name],
            begin=np.concatenate([state.coef[v.name] for v in [*others, visited]]),
        )
        return choose_function(models, visited.rule, shift=visited.shift, scale=visited.scale)
