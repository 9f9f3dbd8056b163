"""The part of an experiment spec that concerns stage 1."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from scorebuilder.experiment.choices import Engine, Measure, Rule
from scorebuilder.experiment.spec_parts import Name, Names, SpecPart, refuse_repeats


def _is_number_or_share(value: float) -> bool:
    return value >= 1 if isinstance(value, int) else 0 < value <= 1


class SelectionSpec(SpecPart):
    """
    Stage 1, the survival forest; the names are those of `RSFSelector`.

    Attributes
    ----------
    engine : str
        Who grows the forest: ``native`` or ``scikit-survival``.
    n_estimators, min_samples_leaf : int
        Trees, and patients in the smallest terminal node.
    max_depth : int or None
        Most splits from the root to a terminal node.
    max_features : str, int or float
        Candidates per node: ``sqrt``, ``log2``, a number, or a share in (0, 1].
    max_samples : int, float or None
        Patients drawn for a tree, or their share; None draws as many as there are.
    n_times, n_bins : int
        Points of the time grid, and codes of a predictor.
    split_rule : {"logrank", "logrank_score", "extra"}
        What a split maximises.
    rule : str
        Which predictors pass: a name in ``scorebuilder.selection.rule.RULES``.
    top_k : int
        How many pass under the rule ``top_k``.
    groups : dict
        Predictors that pass or go together, by the name of their group. `candidates.keep` and
        `candidates.ban` may name groups.
    n_repeats : int
        Permutations of each predictor.
    confidence : float
        Of the interval of VIMP.
    vimp_error : {"trees", "total", "subsample"}
        What that interval covers.
    vimp_kind : {"ensemble", "blocks"}
        Loss of the whole forest, or of blocks of ten trees averaged.
    vimp_measure : str
        What falls when a predictor is permuted: ``harrell``, or ``uno``, ``auc``, ``brier`` at the
        main horizon.
    p_values : {"none", "permutation"}
        Whether the ranking has P values.
    rule_n_estimators : int
        Trees of each forest that the rules ``boruta`` and ``parsimony`` grow.
    inner_folds : int
        Folds within the patients of a fit, for the rule ``parsimony``.
    boruta_rounds, boruta_alpha : int, float
        Most forests and level of the rule ``boruta``.
    """

    engine: Engine = "native"
    n_estimators: int = Field(default=1000, ge=1)
    max_features: str | int | float = "sqrt"
    min_samples_leaf: int = Field(default=15, ge=1)
    max_depth: Annotated[int, Field(ge=1)] | None = None
    max_samples: int | float | None = None
    n_times: int = Field(default=150, ge=2)
    n_bins: int = Field(default=256, ge=3, le=256)
    split_rule: Literal["logrank", "logrank_score", "extra"] = "logrank"
    rule: Rule = "vimp_ci"
    top_k: int = Field(default=10, ge=1)
    groups: dict[Name, Names] = Field(default_factory=dict)
    n_repeats: int = Field(default=1, ge=1)
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    vimp_error: Literal["trees", "total", "subsample"] = "total"
    vimp_kind: Literal["ensemble", "blocks"] = "ensemble"
    vimp_measure: Measure = "harrell"
    p_values: Literal["none", "permutation"] = "none"
    rule_n_estimators: int = Field(default=300, ge=1)
    inner_folds: int = Field(default=5, ge=2, le=20)
    boruta_rounds: int = Field(default=100, ge=1)
    boruta_alpha: Annotated[float, Field(gt=0, lt=1)] = 0.01

    @field_validator("max_features")
    @classmethod
    def _known_share(cls, value: str | float) -> str | int | float:
        known = value in ("sqrt", "log2") if isinstance(value, str) else _is_number_or_share(value)
        if not known:
            message = "must be `sqrt`, `log2`, a whole number >= 1 or a share in (0, 1]"
            raise ValueError(message)
        return value

    @field_validator("max_samples")
    @classmethod
    def _some_patients(cls, value: float | None) -> int | float | None:
        if value is not None and not _is_number_or_share(value):
            message = "must be a whole number >= 1 or a share in (0, 1]"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _each_member_once(self) -> Self:
        empty = [name for name, members in self.groups.items() if not members]
        if empty:
            message = f"`groups` names no predictor for {', '.join(empty)}"
            raise ValueError(message)
        refuse_repeats(
            "names in `groups`", [name for members in self.groups.values() for name in members]
        )
        return self


def without_groups(values: Any) -> Any:
    """
    Replace groups that `candidates.keep` and `candidates.ban` name by their predictors.

    Parameters
    ----------
    values : object
        A spec as it was read.

    Returns
    -------
    object
        The same; untouched where it is not what a spec should be.
    """
    parts = values if isinstance(values, dict) else {}
    candidates, selection = parts.get("candidates"), parts.get("selection")
    groups = selection.get("groups") if isinstance(selection, dict) else None
    if not isinstance(candidates, dict) or not isinstance(groups, dict):
        return values
    found = dict(candidates)
    for setting in ("keep", "ban"):
        named = candidates.get(setting)
        if isinstance(named, list | tuple):
            found[setting] = _members(named, groups)
    return {**values, "candidates": found}


def _members(named: list[Any] | tuple[Any, ...], groups: dict[Any, Any]) -> list[Any]:
    members: list[Any] = []
    for name in named:
        group = groups.get(name) if isinstance(name, str) else None
        members += group if isinstance(group, list | tuple) else [name]
    return members
