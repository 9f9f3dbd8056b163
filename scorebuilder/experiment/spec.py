"""The experiment spec: every setting of a study, named, checked and frozen."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from scorebuilder.core.canonical import sha256
from scorebuilder.experiment.spec_cohort import CandidatesSpec, CohortSpec, MissingSpec, OutcomeSpec
from scorebuilder.experiment.spec_comparison import (
    COMPARATORS,
    Comparators,
    Externals,
    InputColumn,
    Thresholds,
)
from scorebuilder.experiment.spec_explanation import ExplanationSpec
from scorebuilder.experiment.spec_incremental import IncrementalSpec
from scorebuilder.experiment.spec_model import ModelSpec
from scorebuilder.experiment.spec_parts import (
    Name,
    Names,
    SpecPart,
    as_date,
    as_tuple,
    refuse_repeats,
)
from scorebuilder.experiment.spec_resampling import ExecutorSpec, InternalExternalSpec
from scorebuilder.experiment.spec_score import ScoreSpec
from scorebuilder.experiment.spec_selection import SelectionSpec, without_groups
from scorebuilder.experiment.spec_study import StudySpec
from scorebuilder.experiment.spec_subgroups import SubgroupSpec
from scorebuilder.tracking.address import check_address


def _as_settings(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class ValidationSpec(SpecPart):
    """
    How the whole pipeline is resampled.

    Attributes
    ----------
    folds, repeats : int
        Cross-validation, stratified on the event, repeated with other folds.
    bootstrap : int
        Replicates of the bootstrap; 0 for none, 200 are usual.
    internal_external : InternalExternalSpec or None
        Centres or periods that are left out in turn.
    """

    folds: int = Field(default=10, ge=2)
    repeats: int = Field(default=5, ge=1)
    bootstrap: int = Field(default=0, ge=0)
    internal_external: InternalExternalSpec | None = None

    @field_validator("bootstrap")
    @classmethod
    def _enough_replicates(cls, value: int) -> int:
        if value == 1:
            message = "must be 0, or at least 2"
            raise ValueError(message)
        return value


class BaselineSpec(SpecPart):
    """
    An established score to compare with, or one of the user's own.

    Exactly one of `name`, `file`, `callable` and `rule` is given.

    Attributes
    ----------
    name : str or None
        Its name in the registry; a bare name in the spec means no variant, settings or assumptions.
    file : str or None
        YAML file that describes a score of one's own.
    callable : str or None
        ``module:object``, a `Baseline` or a function that returns one; the module is imported.
    rule : str or None
        A condition on the patients, such as ``lvef < 35 & nyha >= 2``: 1 point where it holds.
    label : str or None
        Name of the rule for tables.
    inputs : dict
        Column of the cohort for each concept that its schema does not name.
    variant : str or None
        For example a recalibrated form.
    output : str or None
        Something else that it predicts: ``risk_death_3y`` of ``maggic``, say.
    settings : dict
        Constants of the score itself, such as the risk region.
    assume : dict
        Inputs that the cohort lacks, with the value taken for every patient; the report says so.
    derive : dict
        Inputs that follow from others of the cohort, with the formula: ``egfr: ckd_epi_2009``.
    recalibrate : {"both", "baseline", "slope_and_baseline", "none"}
        What is fitted to the cohort, in the training part of each fold, beside the score as
        published: the baseline hazard, slope and baseline hazard, or each of them; points have no
        risk to keep, so that for them slope and baseline are what is fitted under ``both``.
    note : str or None
        What readers must know of this comparison; the report says it.
    """

    name: Name | None = None
    file: Name | None = None
    callable: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    rule: Name | None = None
    label: Name | None = None
    inputs: dict[Name, InputColumn] = Field(default_factory=dict)
    variant: Name | None = None
    output: Name | None = None
    settings: dict[Name, str | int | float] = Field(default_factory=dict)
    assume: dict[Name, str | int | float] = Field(default_factory=dict)
    derive: dict[Name, Name] = Field(default_factory=dict)
    recalibrate: Literal["both", "baseline", "slope_and_baseline", "none"] = "both"
    note: Name | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = (self.name, self.file, self.callable, self.rule)
        if sum(value is not None for value in sources) != 1:
            message = "must give one of `name`, `file`, `callable` and `rule`"
            raise ValueError(message)
        if self.rule is None and self.label is not None:
            message = "`label` belongs to a `rule`; other scores have their own"
            raise ValueError(message)
        foreign = sorted(self.model_fields_set - {"rule", "label", "note"})
        if self.rule is not None and foreign:
            message = f"a `rule` takes `label` and `note` only; remove {', '.join(foreign)}"
            raise ValueError(message)
        return self

    @property
    def source(self) -> str:
        """Name, file, callable or rule, whichever is given."""
        return self.name or self.file or self.callable or self.rule or ""


class ExportSpec(SpecPart):
    """
    In which other languages the score is written.

    Attributes
    ----------
    targets : tuple of str
        Names of export targets, or ``all``.
    """

    targets: Names = ()


class TrackingSpec(SpecPart):
    """
    Where the run is indexed.

    Attributes
    ----------
    mlflow : str
        MLflow tracking URI: ``sqlite:///FILE``, ``postgresql+psycopg://[USER@]HOST/DATABASE``, or
        the address of a tracking server; never a password.
    artifacts : str
        Folder of the logged files; PostgreSQL needs one. Empty: beside a SQLite file, or where the
        tracking server keeps them.
    """

    mlflow: Name
    artifacts: str = ""

    @field_validator("mlflow")
    @classmethod
    def _known_address(cls, value: str) -> str:
        check_address(value)
        return value


class ExperimentSpec(SpecPart):
    """
    A whole study as one frozen object.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; names the score and the run folder.
    title, intended_use, not_for, population : str
        What the score is, for whom, and what it must not be used for.
    version : str
        Semantic version of the score.
    status : str
        Where the score is in its life.
    citation, contact : str or None
        How to cite the score, and whom to ask; written into the artifact.
    review_by : date or None
        Day by which the score has to be looked at again.
    study : StudySpec
        What only people can say of the study: objectives, ethics, funding and the like.
    cohort, outcome, candidates, missing, selection, model, score, explanation, validation : object
        The parts of the study.
    baselines : tuple of BaselineSpec
        Established scores judged on the same patients.
    incremental : IncrementalSpec
        What groups of variables and single markers add.
    subgroups : tuple of SubgroupSpec
        In whom the score is judged apart.
    comparators : tuple of {"linear_cox", "elastic_net_cox", "forest"}
        Models of other kinds on the same candidates, refitted on the same folds.
    thresholds : tuple of float
        Threshold probabilities at which the net benefit of all models is compared.
    external : tuple of ExternalSpec
        Other cohorts in which the frozen score is judged.
    export : ExportSpec
        Other languages.
    executor : "local" or DaskSpec
        Where refits run.
    tracking : "none" or TrackingSpec
        Where the run is indexed.
    seed : int
        Seed of every random number.
    """

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    title: Name
    version: str = Field(default="0.1.0", pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
    status: Literal["draft", "research", "active", "superseded", "withdrawn"] = "research"
    intended_use: Name = "Research on prognosis; no clinical use."
    not_for: Name = "Decisions about the care of a patient."
    population: Name = "Patients like those of the development cohort."
    citation: Name | None = None
    contact: Name | None = None
    review_by: Annotated[
        date | None,
        BeforeValidator(as_date, json_schema_input_type=date | None),
    ] = None
    study: StudySpec = StudySpec()
    cohort: CohortSpec
    outcome: OutcomeSpec
    candidates: CandidatesSpec = CandidatesSpec()
    missing: MissingSpec = MissingSpec()
    selection: SelectionSpec = SelectionSpec()
    model: ModelSpec = ModelSpec()
    score: ScoreSpec = ScoreSpec()
    explanation: ExplanationSpec = ExplanationSpec()
    validation: ValidationSpec = ValidationSpec()
    baselines: Annotated[
        tuple[
            Annotated[
                BaselineSpec,
                BeforeValidator(_as_settings, json_schema_input_type=Name | BaselineSpec),
            ],
            ...,
        ],
        BeforeValidator(as_tuple, json_schema_input_type=list[Name | BaselineSpec]),
    ] = ()
    incremental: IncrementalSpec = IncrementalSpec()
    subgroups: Annotated[
        tuple[SubgroupSpec, ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[SubgroupSpec]),
    ] = ()
    comparators: Comparators = COMPARATORS
    thresholds: Thresholds = (0.05, 0.1, 0.2)
    external: Externals = ()
    export: ExportSpec = ExportSpec()
    executor: ExecutorSpec = "local"
    tracking: Literal["none"] | TrackingSpec = "none"
    seed: int = Field(default=20260101, ge=0, le=2**32 - 1)

    @model_validator(mode="before")
    @classmethod
    def _groups_stand_for_their_predictors(cls, values: Any) -> Any:
        return without_groups(values)

    @model_validator(mode="after")
    def _each_baseline_once(self) -> Self:
        refuse_repeats(
            "`baselines`",
            [
                " ".join(part for part in (item.source, item.variant, item.output) if part)
                for item in self.baselines
            ],
        )
        refuse_repeats("names in `external`", [item.name for item in self.external])
        return self


def spec_content(spec: ExperimentSpec) -> dict[str, Any]:
    """
    Return the spec as plain data that `load_spec` would read again.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.

    Returns
    -------
    dict
        Every setting, defaults included; horizons with their unit.
    """
    return spec.model_dump(mode="json", by_alias=True)


def spec_sha256(spec: ExperimentSpec) -> str:
    """
    Hash everything that can change the result.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.

    Returns
    -------
    str
        SHA-256 of the RFC 8785 canonical JSON without ``tracking`` and ``executor``: where a run
        is indexed, and where it is computed, do not change it.
    """
    import rfc8785

    content = spec_content(spec)
    del content["tracking"], content["executor"]
    return sha256(rfc8785.dumps(content))


def spec_json_schema() -> dict[str, Any]:
    """
    Describe the spec for editors.

    Returns
    -------
    dict
        JSON Schema in the dialect that YAML language servers read.
    """
    schema = ExperimentSpec.model_json_schema(by_alias=True)
    outcome = schema["$defs"]["OutcomeSpec"]
    outcome["required"] = [name for name in outcome["required"] if name != "main"]
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
