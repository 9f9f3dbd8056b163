"""What a cohort's columns mean: fields, levels, units, and the text form of the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal[
    "id", "time", "event", "predictor", "exclude", "time_zero_date", "end_date", "cluster",
    "subgroup",
]  # fmt: skip
Kind = Literal["numeric", "binary", "nominal", "ordinal"]
Range = tuple[float | None, float | None]

ROLES: tuple[Role, ...] = (
    "id", "time", "event", "predictor", "exclude", "time_zero_date", "end_date", "cluster",
    "subgroup",
)  # fmt: skip
STRATA: tuple[Role, ...] = ("cluster", "subgroup", "time_zero_date")
"""Roles of columns that divide the patients and are no predictors."""
KINDS: tuple[Kind, ...] = ("numeric", "binary", "nominal", "ordinal")
TYPES = ("string", "integer", "number", "date")
CONCEPTS = (
    # person and habits
    "sex", "age", "race", "ethnicity", "townsend_score", "current_smoker", "smoking_category",
    "family_history_chd_before_60",
    # measured
    "bmi", "sbp", "sbp_sd", "dbp", "heart_rate", "total_cholesterol", "hdl_cholesterol",
    "non_hdl_cholesterol", "total_to_hdl_cholesterol_ratio", "creatinine", "egfr", "hba1c", "hscrp",
    "lvef", "ischemic_segments",
    # diseases
    "diabetes", "diabetes_type1", "diabetes_type2", "age_at_diabetes_diagnosis", "history_cad",
    "history_cerebrovascular_disease", "history_aaa", "history_pad",
    "time_since_first_vascular_diagnosis", "atrial_fibrillation", "ckd_stage_3_to_5", "copd",
    "erectile_dysfunction", "hf_duration_ge_18_months", "nyha_class", "migraine",
    "rheumatoid_arthritis", "severe_mental_illness", "systemic_lupus_erythematosus",
    # treatment
    "bp_treated", "statin", "antithrombotic_treatment", "beta_blocker", "acei_or_arb",
    "corticosteroids", "atypical_antipsychotics",
    # at admission
    "killip_class", "cardiac_arrest", "elevated_cardiac_enzymes", "st_deviation",
)  # fmt: skip
"""What established scores ask for; a schema may say which of its columns holds each."""


@dataclass(frozen=True)
class Level:
    """
    One level of a factor.

    Attributes
    ----------
    code : str
        As it stands in the data.
    label : str
        As it is printed.
    """

    code: str
    label: str


@dataclass(frozen=True)
class Field:
    """
    One column: its role, kind, unit, allowed values and words.

    Attributes
    ----------
    name : str
        Name of the column.
    kind : {"numeric", "binary", "nominal", "ordinal"}
        Scale of measurement.
    label, description : str
        Short name for tables; what was measured, and how.
    role : str
        One of `ROLES`.
        Excluded columns may be absent, and are never read. Clusters (such as centres) and subgroups
        divide the patients and never become predictors.
    type : {"string", "integer", "number", "date"}
        Type of the cells, as in Frictionless Table Schema.
    unit, source_unit : str
        UCUM unit of the values once loaded, and of the values in the table.
    analyte : str
        The quantity, where conversion needs its molar mass.
    hard_range : tuple of (float or None, float or None)
        Values outside, in `unit`, are impossible: a violation. Both ends are allowed values.
    soft_range : tuple of (float or None, float or None)
        Values outside are implausible, and allowed.
    levels : tuple of Level
        Levels of a factor; ordinal levels ascend. A nominal cluster or subgroup without
        levels takes any code.
    reference : str
        Code of the reference level; empty for the first.
    group : str
        Set of candidates the column belongs to, such as ``clinical`` or ``imaging``.
    format : str
        Of a date, such as ``%d/%m/%Y``.
    required, unique : bool
        No cell may be missing; no value may occur twice.
    test_retest_sd : float or None
        Standard deviation of one measurement around the patient's true value, in `unit`.
    measurement_sources : mapping of str to float
        The same for each of several methods of measurement, by name.
    modifiable : bool
        Whether care may change it; for the explanation of a patient.

    Examples
    --------
    >>> sex = Field("sex", "binary", levels=(Level("1", "male"), Level("2", "female")))
    >>> sex.codes
    ('1', '2')
    """

    name: str
    kind: Kind
    label: str = ""
    description: str = ""
    role: Role = "predictor"
    type: str = ""
    unit: str = ""
    source_unit: str = ""
    analyte: str = ""
    hard_range: Range = (None, None)
    soft_range: Range = (None, None)
    levels: tuple[Level, ...] = ()
    reference: str = ""
    group: str = ""
    format: str = ""
    required: bool = False
    unique: bool = False
    test_retest_sd: float | None = None
    measurement_sources: Mapping[str, float] = dataclasses.field(default_factory=dict, hash=False)
    modifiable: bool = False

    @property
    def is_date(self) -> bool:
        """True if its cells are read as dates."""
        dates = self.role in ("time_zero_date", "end_date")
        return dates or (self.type == "date" and self.role in ("cluster", "subgroup"))

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the levels, the reference first."""
        codes = tuple(level.code for level in self.levels)
        first = self.reference or (codes[0] if codes else "")
        return tuple(sorted(codes, key=lambda code: code != first))

    def level_label(self, code: str) -> str:
        """
        Return the label of a level.

        Parameters
        ----------
        code : str
            Code of the level.

        Returns
        -------
        str
            Its label, or the code if there is none.
        """
        return next((level.label for level in self.levels if level.code == code), code)


@dataclass(frozen=True)
class Dialect:
    """
    How the table is written down; nothing of it is ever guessed.

    Attributes
    ----------
    delimiter : str
        Between cells.
    decimal : str
        Decimal mark.
    group : str
        Mark between thousands, or empty.
    encoding : str
        Of the text; a byte order mark is skipped.
    missing : tuple of str
        Cells that mean "not known".
    """

    delimiter: str = ","
    decimal: str = "."
    group: str = ""
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class CohortSchema:
    """
    The meaning of a cohort's table.

    Attributes
    ----------
    name, title, description : str
        Short name, name for print, and what the cohort is.
    fields : tuple of Field
        Columns in the order of the schema.
    time_unit : str
        UCUM unit of the time column: d, wk, mo or a.
    outcome, event_label, time_zero, population : str
        What counts as the event; its short name; when follow-up starts; who the patients are.
    dialect : Dialect
        How the table is written down.
    source, licence : str
        Where the data come from, and on which terms.
    baseline_inputs : mapping of str to mapping
        Concept of an established score to ``{"column": name}``, with ``"levels": {code: value}``
        where the column is coded otherwise.
    """

    name: str
    fields: tuple[Field, ...]
    title: str = ""
    description: str = ""
    time_unit: str = "d"
    outcome: str = ""
    event_label: str = ""
    time_zero: str = ""
    population: str = ""
    dialect: Dialect = Dialect()
    source: str = ""
    licence: str = ""
    baseline_inputs: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def field(self, name: str) -> Field:
        """
        Return the field of a column.

        Parameters
        ----------
        name : str
            Name of the column.

        Returns
        -------
        Field
            Its description.

        Raises
        ------
        KeyError
            If the schema has no such column.
        """
        for item in self.fields:
            if item.name == name:
                return item
        message = f"the schema `{self.name}` has no column `{name}`"
        raise KeyError(message)

    def with_role(self, role: Role) -> Field | None:
        """
        Return the one field with a role, such as ``time``.

        Parameters
        ----------
        role : str
            Any role that one column at most may have.

        Returns
        -------
        Field or None
            None if no column has the role.
        """
        return next((item for item in self.fields if item.role == role), None)

    @property
    def predictors(self) -> tuple[Field, ...]:
        """Candidate predictors in schema order."""
        return tuple(item for item in self.fields if item.role == "predictor")

    @property
    def strata(self) -> tuple[Field, ...]:
        """Columns that divide the patients and are no predictors, in schema order."""
        return tuple(item for item in self.fields if item.role in STRATA)

    @property
    def read_fields(self) -> tuple[Field, ...]:
        """Columns that are read: all but the excluded ones."""
        return tuple(item for item in self.fields if item.role != "exclude")

    @property
    def id(self) -> Field | None:
        """Column that names the patient, if there is one."""
        return self.with_role("id")

    @property
    def time(self) -> Field | None:
        """Column of follow-up time; None where two dates take its place."""
        return self.with_role("time")

    @property
    def event(self) -> Field:
        """Column of the event indicator."""
        found = self.with_role("event")
        if found is None:
            message = f"the schema `{self.name}` has no column with the role event"
            raise KeyError(message)
        return found

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the predictors in each group, in schema order."""
        groups: dict[str, tuple[str, ...]] = {}
        for item in self.predictors:
            if item.group:
                groups[item.group] = (*groups.get(item.group, ()), item.name)
        return groups
