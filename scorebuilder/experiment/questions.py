"""Whether a spec's questions about added value and subgroups fit its cohort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.expression import compile_expression
from scorebuilder.cohort.schema_file import nearest
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.spec import BaselineSpec, ExperimentSpec
from scorebuilder.experiment.spec_incremental import MarkerSpec


def wrong_questions(
    spec: ExperimentSpec, cohort: Cohort, candidates: Sequence[str]
) -> Iterator[str]:
    """
    Find rules and questions that cannot be asked of a cohort.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.
    candidates : sequence of str
        Variables that may enter.

    Yields
    ------
    str
        What is wrong, with the place in the spec.
    """
    for item in spec.baselines:
        if item.rule is not None:
            try:
                compile_expression(item.rule, cohort.schema)
            except SpecError as error:
                yield f"`baselines`: {error}"
    groups = ladder_groups(spec, cohort, candidates)
    for name in spec.incremental.ladder:
        if not groups.get(name):
            yield (
                f"`incremental.ladder`: no candidate is in the group `{name}`"
                f"{nearest(name, groups)}; groups: {', '.join(groups) or 'none'}"
            )
    for number, marker in enumerate(spec.incremental.markers, start=1):
        for problem in _wrong_marker(spec, cohort, marker):
            yield f"`incremental.markers`, number {number}: {problem}"
    yield from _wrong_subgroups(spec, cohort)


def _wrong_subgroups(spec: ExperimentSpec, cohort: Cohort) -> Iterator[str]:
    for number, item in enumerate(spec.subgroups, start=1):
        try:
            if item.where is not None:
                compile_expression(item.where, cohort.schema)
                continue
            numeric = cohort.column(item.by or "").dtype.kind == "f"
        except (SpecError, KeyError) as error:
            yield f"`subgroups`, number {number}: {error.args[0]!s}"
            continue
        if numeric != bool(item.cuts):
            needs = "is numeric and needs `cuts`" if numeric else "is no number and takes no `cuts`"
            yield f"`subgroups`, number {number}: `{item.by}` {needs}"


def ladder_groups(
    spec: ExperimentSpec, cohort: Cohort, candidates: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """
    Return the candidates of each group: as the spec lists them, or else as the schema does.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.
    candidates : sequence of str
        Variables that may enter.

    Returns
    -------
    dict of str to tuple of str
        Names of groups and candidates.
    """
    groups = cohort.schema.groups if spec.candidates.groups is None else spec.candidates.groups
    return {
        group: tuple(name for name in members if name in candidates)
        for group, members in groups.items()
    }


def named_baseline(spec: ExperimentSpec, name: str) -> int | None:
    """
    Find the baseline that a marker question means.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    name : str
        Label of a rule, name, file or callable.

    Returns
    -------
    int or None
        Its place among `baselines`; None if no baseline is called so.
    """

    def _called(item: BaselineSpec) -> bool:
        return name in (item.label, item.source)

    return next((place for place, item in enumerate(spec.baselines) if _called(item)), None)


def _wrong_marker(spec: ExperimentSpec, cohort: Cohort, item: MarkerSpec) -> Iterator[str]:
    known = list(cohort.X.columns)
    listed = item.on_top_of if isinstance(item.on_top_of, tuple) else ()
    for name in (item.marker, *listed):
        if name not in known:
            yield f"no predictor `{name}`{nearest(name, known)}"
    conditions = [item.subgroup] if item.subgroup is not None else []
    if isinstance(item.on_top_of, str) and named_baseline(spec, item.on_top_of) is None:
        conditions += [] if item.on_top_of in known else [item.on_top_of]
    for text in conditions:
        try:
            compile_expression(text, cohort.schema)
        except SpecError as error:
            yield str(error)
