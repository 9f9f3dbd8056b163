"""The spec's settings as one unfitted pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.seeds import seed_of
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.experiment.spec_score import RiskLimits
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.selection.selector import RSFSelector


def make_builder(
    spec: ExperimentSpec,
    candidates: Sequence[str],
    *,
    n_jobs: int = 1,
    for_folds: bool = False,
) -> ScoreBuilder:
    """
    Assemble imputation, selection, model and points as the spec says.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    candidates : sequence of str
        Variables that may enter.
    n_jobs : int
        Workers of the forest; the result is the same for any number.
    for_folds : bool
        Leave out what is only shown and decides nothing: the P values of the ranking.

    Returns
    -------
    ScoreBuilder
        Unfitted.
    """
    selection, model = spec.selection, spec.model
    settings = selection.model_dump(exclude={"groups"})
    if for_folds:
        settings["p_values"] = "none"
    selector = RSFSelector(
        **settings,
        groups=_groups_of(selection.groups, candidates),
        horizon=spec.outcome.main,
        random_state=seed_of(spec.seed, "forest"),
        n_jobs=n_jobs,
    )
    mfp = MFPCox(
        max_df=model.max_df,
        select_alpha=model.select_alpha,
        fp_alpha=model.fp_alpha,
        criterion=model.criterion,
        max_df_by={name: df for name, df in model.max_df_by.items() if name in candidates},
        spike=[name for name in model.spike if name in candidates],
        winsorise=_shares_of(model.winsorise, candidates),
        ties=model.ties,
        max_cycles=model.max_cycles,
    )
    return ScoreBuilder(
        make_imputer(spec),
        selector,
        mfp,
        horizons=spec.outcome.horizons,
        keep=spec.candidates.keep,
        points=spec.score.points,
        anchors=spec.score.anchors,
        risk_groups=_groups_by(spec.score.risk_groups),
        factors=model.factors,
    )


def make_imputer(spec: ExperimentSpec) -> CohortImputer | None:
    """
    Return what fills missing values.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.

    Returns
    -------
    CohortImputer or None
        Unfitted; None where missing values are refused.
    """
    if spec.missing.policy == "impute":
        return CohortImputer(strategy=spec.missing.strategy)
    return None


def _groups_by(rule: str | tuple[int, ...] | RiskLimits) -> Any:
    if isinstance(rule, RiskLimits):
        return {"risk": rule.risk, "horizon": rule.horizon}
    return rule


def _shares_of(
    winsorise: float | dict[str, float], candidates: Sequence[str]
) -> float | dict[str, float]:
    if not isinstance(winsorise, dict):
        return winsorise
    return {name: share for name, share in winsorise.items() if name in candidates}


def _groups_of(
    groups: dict[str, tuple[str, ...]], candidates: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Leave out of the groups what is no candidate."""
    left = {
        group: tuple(name for name in members if name in candidates)
        for group, members in groups.items()
    }
    return {group: members for group, members in left.items() if members}
