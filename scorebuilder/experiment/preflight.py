"""The cohort that a spec names, and whether both fit, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.eligibility import Criterion, restrict
from scorebuilder.cohort.load import load_cohort, load_dataset, load_schema
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import CohortError, MissingPartError, SpecError, Violation
from scorebuilder.core.units import horizon_code, unit_text
from scorebuilder.experiment.find_baseline import find_baseline
from scorebuilder.experiment.questions import wrong_questions
from scorebuilder.experiment.rule_baseline import rule_baseline
from scorebuilder.experiment.spec import BaselineSpec, ExperimentSpec
from scorebuilder.experiment.spec_cohort import CohortSpec
from scorebuilder.export.target import choose_targets
from scorebuilder.report.study import EVERYBODY, BaselineResult
from scorebuilder.validation.baseline import Baseline
from scorebuilder.validation.derived_inputs import derive_inputs, find_formula
from scorebuilder.validation.prepare_inputs import prepare_inputs
from scorebuilder.validation.recalibration import METHODS, POINTS_HAVE_NO_BASELINE, Method

MINIMUM_FOLLOWED = 20
"""Fewest patients followed beyond the last horizon."""
MINIMUM_AT_SPIKE = 20
"""Fewest patients on each side of a spike at zero."""


def read_cohort(spec: ExperimentSpec) -> Cohort:
    """
    Read the cohort that a spec names.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.

    Returns
    -------
    Cohort
        Checked against its schema; the eligible patients.
    """
    return read_eligible(spec.cohort)


def read_eligible(part: CohortSpec) -> Cohort:
    """
    Read a cohort and keep its eligible patients.

    Parameters
    ----------
    part : CohortSpec
        Table, schema and eligibility.

    Returns
    -------
    Cohort
        Checked against its schema.
    """
    if part.schema_path is None:
        _, schema = load_dataset(part.data.removeprefix("builtin:"))
    else:
        schema = load_schema(part.schema_path)
    criteria = [Criterion(**item.model_dump()) for item in part.eligibility]
    return restrict(load_cohort(part.data, schema), criteria)


def check_parts() -> None:
    """
    Check that everything a report needs is installed, before hours are spent on its numbers.

    Raises
    ------
    MissingPartError
        If Jinja2 or matplotlib is not installed.
    """
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        message = (
            f"reports need {' and '.join(missing)}; install with "
            "`pip install 'scorebuilder[report]'`"
        )
        raise MissingPartError(message)


def check_fit(spec: ExperimentSpec, cohort: Cohort) -> tuple[str, ...]:
    """
    Check that spec and cohort fit, before anything is computed.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.

    Returns
    -------
    tuple of str
        The candidates.

    Raises
    ------
    SpecError
        If a name, horizon or baseline of the spec does not exist, or a variable has no spike at
        zero; lists all of them.
    MissingPartError
        If an export target needs a module that is not installed.
    CohortError
        If fewer than two candidates are usable, or values are missing and must not be.
    """
    candidates = spec.candidates.choose([field.name for field in cohort.schema.predictors])
    problems = []
    longest = float(cohort.y["time"].max())
    late = [horizon_code(h) for h in spec.outcome.horizons if h > longest]
    if late:
        problems.append(
            f"`outcome.horizons`: {', '.join(late)} past the longest follow-up "
            f"({longest:g} days); choose earlier horizons"
        )
    for item in spec.baselines:
        try:
            if item.rule is None:  # rules are among the questions
                find_baseline(item)
        except SpecError as error:
            problems.append(f"`baselines`: {error}")
    try:
        choose_targets(spec.export.targets)
    except SpecError as error:
        problems.append(f"`export.targets`: {error}")
    last = max(spec.outcome.horizons)
    followed = int((cohort.y["time"] > last).sum())
    if not late and followed < max(MINIMUM_FOLLOWED, spec.validation.folds):
        problems.append(
            f"`outcome.horizons`: {followed} patients are followed beyond {horizon_code(last)}; at "
            f"least {max(MINIMUM_FOLLOWED, spec.validation.folds)} are needed; choose an earlier "
            "horizon"
        )
    outside = sorted(set(spec.model.max_df_by) - set(candidates))
    if outside:
        problems.append(f"`model.max_df_by`: not among the candidates: {', '.join(outside)}")
    problems += _wrong_groups(spec, [field.name for field in cohort.schema.predictors])
    problems += _too_many_inner_folds(spec, cohort)
    problems += _wrong_functions(spec, cohort, candidates)
    problems += wrong_questions(spec, cohort, candidates)
    if problems:
        raise SpecError("\n".join(problems))
    _check_candidates(spec, cohort, candidates)
    return candidates


def _wrong_groups(spec: ExperimentSpec, predictors: Sequence[str]) -> Iterator[str]:
    """Find groups of stage 1 that name no predictor, or are named like one."""
    for group, members in spec.selection.groups.items():
        if group in predictors:
            yield f"`selection.groups`: `{group}` is also a predictor; rename the group"
        unknown = [name for name in members if name not in predictors]
        if unknown:
            yield (
                f"`selection.groups.{group}`: no predictor of the schema: {', '.join(unknown)}; "
                f"the schema has: {', '.join(predictors)}"
            )


def _too_many_inner_folds(spec: ExperimentSpec, cohort: Cohort) -> Iterator[str]:
    """Find that the rule `parsimony` could not judge its folds within those of the validation."""
    if spec.selection.rule != "parsimony":
        return
    main, folds, inner = spec.outcome.main, spec.validation.folds, spec.selection.inner_folds
    time = cohort.y["time"]
    counts = (int((cohort.y["event"] & (time <= main)).sum()), int((time > main).sum()))
    fewest = min(counts) * (folds - 1) // folds
    if fewest < inner:
        yield (
            f"`selection.inner_folds`: {inner} folds within each fold of the validation, and only "
            f"about {fewest} patients there with the event by {horizon_code(main)}, or followed "
            "beyond it; choose fewer, or another main horizon"
        )


def _wrong_functions(
    spec: ExperimentSpec, cohort: Cohort, candidates: Sequence[str]
) -> Iterator[str]:
    """Find variables that cannot be modelled as the spec says."""
    winsorise = spec.model.winsorise
    named = {
        "spike": spec.model.spike,
        "winsorise": winsorise if isinstance(winsorise, dict) else (),
    }
    for setting, names in named.items():
        outside = [name for name in names if name not in candidates]
        if outside:
            yield f"`model.{setting}`: not among the candidates: {', '.join(outside)}"
        inside = [name for name in names if name in candidates]
        factors = [name for name in inside if cohort.schema.field(name).kind != "numeric"]
        if factors:
            yield f"`model.{setting}`: factors have no curve: {', '.join(factors)}; leave them out"
        if setting == "spike":
            numeric = [name for name in inside if name not in factors]
            yield from (problem for name in numeric for problem in _wrong_spike(cohort, name))


def _wrong_spike(cohort: Cohort, name: str) -> Iterator[str]:
    values = cohort.X[name].dropna().to_numpy()
    for n, where in ((int((values <= 0).sum()), "at 0"), (int((values > 0).sum()), "above 0")):
        if n < MINIMUM_AT_SPIKE:
            yield (
                f"`model.spike`: {n} patients have `{name}` {where}; at least {MINIMUM_AT_SPIKE} "
                "are needed, so that every fold has some; leave it out"
            )
    if np.unique(values[values > 0]).size < 2:
        yield f"`model.spike`: `{name}` has fewer than two distinct values above 0; leave it out"


def _check_candidates(spec: ExperimentSpec, cohort: Cohort, candidates: Sequence[str]) -> None:
    violations = []
    usable = [name for name in candidates if len(cohort.X[name].dropna().unique()) > 1]
    if len(usable) < 2:
        rule = f"at least two candidates must vary; {len(usable)} of {len(candidates)} do"
        violations.append(Violation("", rule, 0, "Allow more candidates"))
    if spec.missing.policy == "refuse":
        missing = cohort.X[list(candidates)].isna().sum()
        violations += [
            Violation(
                str(name),
                "values are missing and `missing.policy` is refuse",
                int(count),
                "Set `missing: {policy: impute}`, or ban the column",
            )
            for name, count in missing.items()
            if count
        ]
    if violations:
        raise CohortError(violations, source=spec.cohort.data)


def compute_baselines(spec: ExperimentSpec, cohort: Cohort) -> tuple[BaselineResult, ...]:
    """
    Compute the established scores of a spec for all patients of its cohort.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.

    Returns
    -------
    tuple of BaselineResult
        In the order of the spec.

    Raises
    ------
    SpecError
        If a variant, setting, assumption or unit does not fit a score.
    """
    return tuple(
        _baseline(item, cohort)
        if item.rule is None
        else rule_baseline(item, cohort, horizon=spec.outcome.main)
        for item in spec.baselines
    )


def _baseline(item: BaselineSpec, cohort: Cohort) -> BaselineResult:
    baseline = find_baseline(item)
    columns = {concept: column.entry() for concept, column in item.inputs.items()}
    units = {field.name: field.unit for field in cohort.schema.predictors}
    try:
        _check_inputs(baseline, item, cohort)
        _check_derived(baseline, item)
        X, mapping, units = derive_inputs(
            cohort.X, {**cohort.schema.baseline_inputs, **columns}, units, item.derive
        )
        inputs = prepare_inputs(
            baseline, X, mapping, units, settings=item.settings, assume=item.assume
        )
        baseline, table = _computed(baseline, item, inputs)
    except ValueError as error:
        message = f"`baselines`: {item.source}: {error}"
        raise SpecError(message) from None
    return BaselineResult(
        baseline,
        table.reset_index(drop=True),
        _assumed(baseline, item),
        item.variant,
        _recalibrations(baseline, item),
        len(item.assume),
        tuple(_derived(baseline, item, cohort.schema)),
        item.note,
    )


def _computed(
    baseline: Baseline, item: BaselineSpec, inputs: pd.DataFrame
) -> tuple[Baseline, pd.DataFrame]:
    """Compute what the spec asks for: the score, a variant of it, or another of its outputs."""
    if item.output is None:
        return baseline, baseline.compute(inputs, variant=item.variant)
    if item.output not in baseline.outputs or item.variant is not None:
        known = ", ".join(sorted(baseline.outputs)) or "none"
        message = f"`output` may be, without a `variant`: {known}; got `{item.output}`"
        raise ValueError(message)
    output = baseline.outputs[item.output]
    found = baseline.compute(inputs, all_outputs=True)
    quantity: Literal["risk", "points"] = "risk" if "risk" in item.output else "points"
    named = output.label.startswith(baseline.label)
    other = replace(
        baseline,
        name=f"{baseline.name}_{item.output}",
        label=output.label if named else f"{baseline.label}: {output.label}",
        outcome=output.outcome,
        horizon=output.horizon,
        quantity=quantity,
    )
    columns = {item.output: quantity, f"reason_{item.output}": "reason"}
    return other, found[list(columns)].rename(columns=columns)


def _check_inputs(baseline: Baseline, item: BaselineSpec, cohort: Cohort) -> None:
    """Check the columns that the spec names for a score."""
    asked = sorted(part.concept for part in baseline.inputs)
    foreign = sorted(set(item.inputs) - set(asked))
    if foreign:
        message = (
            f"`inputs` names what the score does not ask for: {', '.join(foreign)}; it asks for: "
            f"{', '.join(asked)}"
        )
        raise ValueError(message)
    absent = sorted({entry.column for entry in item.inputs.values()} - set(cohort.X.columns))
    if absent:
        message = f"`inputs`: no predictor of the cohort: {', '.join(absent)}"
        raise ValueError(message)


def _check_derived(baseline: Baseline, item: BaselineSpec) -> None:
    asked = sorted(part.concept for part in baseline.inputs)
    foreign = sorted(set(item.derive) - set(asked))
    if foreign:
        message = (
            f"`derive` names what the score does not ask for: {', '.join(foreign)}; it asks for: "
            f"{', '.join(asked)}"
        )
        raise ValueError(message)


def _recalibrations(baseline: Baseline, item: BaselineSpec) -> tuple[Method, ...]:
    """Read what the spec wants fitted; points have no risk whose baseline could be shifted."""
    if item.recalibrate == "none":
        return ()
    if item.recalibrate == "both":
        return METHODS if baseline.quantity == "risk" else ("slope_and_baseline",)
    if baseline.quantity == "points" and item.recalibrate == "baseline":
        message = f"`baselines`: {item.source}: `recalibrate`: {POINTS_HAVE_NO_BASELINE}"
        raise SpecError(message)
    return (item.recalibrate,)


def _assumed(baseline: Baseline, item: BaselineSpec) -> tuple[str, ...]:
    """Say what the spec took for every patient, in the order of the score's inputs, and where."""
    inputs = {part.concept: part for part in baseline.inputs}

    def said(concept: str, value: object) -> str:
        if concept not in inputs:
            return f"{concept} = {value}"
        part = inputs[concept]
        shown = str(value).replace("_", " ")
        if part.kind == "binary":
            shown = {"0": "no", "1": "yes"}.get(shown.removesuffix(".0"), shown)
        return f"{part.label}: {shown} {unit_text(part.unit)}".rstrip()

    order = dict.fromkeys([*inputs, *sorted({*item.assume, *item.settings})])
    assumed = [f"{said(n, item.assume[n])}{EVERYBODY}" for n in order if n in item.assume]
    if item.file is not None:
        content = sha256(Path(item.file).read_bytes())
        assumed.insert(0, f"read from {Path(item.file).name}, SHA-256 {content[:12]}")
    return (*assumed, *(said(n, item.settings[n]) for n in order if n in item.settings))


def _derived(baseline: Baseline, item: BaselineSpec, schema: CohortSchema) -> Iterator[str]:
    """Say which inputs come by a formula, or from a second column where the first is empty."""
    for part in baseline.inputs:
        second = schema.baseline_inputs.get(part.concept, {}).get("otherwise")
        if part.concept in item.derive:
            yield f"{part.label}: {find_formula(part.concept, item.derive[part.concept]).label}"
        elif second is not None:
            first = schema.baseline_inputs[part.concept]["column"]
            names = [schema.field(name).label or name for name in (first, second)]
            yield f"{part.label}: {names[0]}; where it is missing, {names[1]}"
