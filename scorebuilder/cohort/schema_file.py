"""From the content of a schema file to a `CohortSchema`, or to what is wrong with the file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from scorebuilder.cohort.schema import (
    CONCEPTS,
    KINDS,
    ROLES,
    TYPES,
    CohortSchema,
    Dialect,
    Field,
    Level,
    Range,
)
from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import DAYS_PER_UNIT, conversion

TABLE_KEYS = (
    "name", "title", "description", "sources", "licenses", "dialect", "fields", "sb:time_unit",
    "sb:event_label", "sb:time_zero", "sb:outcome", "sb:population", "sb:baseline_inputs",
)  # fmt: skip
DIALECT_KEYS = ("delimiter", "decimalChar", "groupChar", "encoding", "missingValues")
FIELD_KEYS = (
    "name", "type", "title", "description", "format", "constraints", "sb:role", "sb:kind",
    "sb:unit", "sb:source_unit", "sb:analyte", "sb:hard_min", "sb:hard_max", "sb:soft_min",
    "sb:soft_max", "sb:levels", "sb:reference", "sb:group", "sb:test_retest_sd",
    "sb:measurement_source", "sb:modifiable",
)  # fmt: skip


class _Part:
    """One mapping of the file, which knows where it stands."""

    def __init__(self, content: Any, keys: Iterable[str] | None, source: str, where: str) -> None:
        self.source, self.where = source, where
        if not isinstance(content, Mapping):
            self.fail("must be a mapping of keys to values")
        self.content: Mapping[Any, Any] = content
        for key in content:
            if not isinstance(key, str):
                self.fail(f"the key `{key}` must be text; put it in quotes")
            if keys is not None and key not in keys:
                self.fail(f"unknown key `{key}`{nearest(key, keys)}")

    def fail(self, what: str) -> NoReturn:
        """Stop with the name of the file and the place in it."""
        message = f"{self.source}: {self.where}: {what}" if self.where else f"{self.source}: {what}"
        raise SpecError(message)

    def text(self, key: str, *, default: str | None = "", known: Iterable[str] = ()) -> str:
        """Text under a key; without default the key must be there."""
        if key not in self.content:
            if default is None:
                self.fail(f"the key `{key}` is missing; add it")
            return default
        value = self.content[key]
        if not isinstance(value, str):
            self.fail(f"`{key}` must be text, not {_type_name(value)}; put it in quotes")
        if known and value not in known:
            shown = ", ".join(known)
            self.fail(f"`{key}` must be one of {shown}; got `{value}`{nearest(value, known)}")
        return value

    def number(self, key: str) -> float | None:
        """Finite number under a key, or None."""
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"`{key}` must be a number, not {_type_name(value)}")
        return float(value)

    def flag(self, key: str) -> bool:
        """Flag under a key; false if it is not there."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"`{key}` must be true or false, not {_type_name(value)}")
        return value

    def items(self, key: str) -> list[Any]:
        """List under a key; empty if it is not there."""
        value = self.content.get(key, [])
        if not isinstance(value, list):
            self.fail(f"`{key}` must be a list, not {_type_name(value)}")
        return value

    def part(self, key: str, keys: Iterable[str] | None) -> _Part:
        """Inner mapping under a key; empty if it is not there."""
        where = f"{self.where}, `{key}`" if self.where else f"`{key}`"
        return _Part(self.content.get(key, {}), keys, self.source, where)


def nearest(word: str, known: Iterable[str]) -> str:
    """
    Suggest the nearest known word.

    Parameters
    ----------
    word : str
        As it was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        ``"; did you mean `...`?"``, or nothing if no word is near.

    Examples
    --------
    >>> nearest("sb:rol", ["sb:role", "sb:kind"])
    '; did you mean `sb:role`?'
    """
    found = difflib.get_close_matches(word.lower(), {item.lower() for item in known}, n=1)
    if not found:
        return ""
    original = next(item for item in known if item.lower() == found[0])
    return f"; did you mean `{original}`?"


def _type_name(value: Any) -> str:
    names = {bool: "true/false", int: "a whole number", float: "a number", list: "a list"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


def parse_schema(content: Any, *, source: str = "schema") -> CohortSchema:
    """
    Build a `CohortSchema` from the mapping that a schema file holds.

    Parameters
    ----------
    content : mapping
        Keys as in ``data_schemas/README.md``.
    source : str
        Name of the file, for messages.

    Returns
    -------
    CohortSchema
        Complete and consistent.

    Raises
    ------
    SpecError
        If a key is unknown, a needed one is missing, or two statements contradict each other.
    """
    table = _Part(content, TABLE_KEYS, source, "")
    fields = tuple(
        _field(item, source, f"field {number}")
        for number, item in enumerate(table.items("fields"), start=1)
    )
    schema = CohortSchema(
        name=table.text("name", default=None),
        fields=fields,
        title=table.text("title"),
        description=table.text("description"),
        time_unit=table.text("sb:time_unit", default="d", known=tuple(DAYS_PER_UNIT)),
        outcome=table.text("sb:outcome"),
        event_label=table.text("sb:event_label"),
        time_zero=table.text("sb:time_zero"),
        population=table.text("sb:population"),
        dialect=_dialect(table),
        source="; ".join(_named(table, "sources", ("title", "path"))),
        licence="; ".join(_named(table, "licenses", ("name", "title", "path"))),
        baseline_inputs=_baseline_inputs(table, fields),
    )
    _check_roles(schema, table)
    return schema


def _named(table: _Part, key: str, keys: tuple[str, ...]) -> list[str]:
    parts = [_Part(item, keys, table.source, f"`{key}`") for item in table.items(key)]
    return [" ".join(part.text(word) for word in keys if part.text(word)) for part in parts]


def _dialect(table: _Part) -> Dialect:
    part = table.part("dialect", DIALECT_KEYS)
    missing = part.items("missingValues") if "missingValues" in part.content else [""]
    if not all(isinstance(code, str) for code in missing):
        part.fail('`missingValues` must be a list of text, such as ["", "NA", "-9"]')
    dialect = Dialect(
        delimiter=part.text("delimiter", default=","),
        decimal=part.text("decimalChar", default=".", known=(".", ",")),
        group=part.text("groupChar"),
        encoding=part.text("encoding", default="utf-8"),
        missing=tuple(missing),
    )
    if len(dialect.delimiter) != 1:
        part.fail('`delimiter` must be one character, such as "," or ";" or "\\t"')
    if dialect.decimal in (dialect.delimiter, dialect.group):
        part.fail("`decimalChar` must differ from `delimiter` and `groupChar`")
    try:
        "".encode(dialect.encoding)
    except LookupError:
        part.fail(f"unknown `encoding` `{dialect.encoding}`; use utf-8, cp1252 or iso-8859-1")
    return dialect


def _field(content: Any, source: str, where: str) -> Field:
    part = _Part(content, FIELD_KEYS, source, where)
    name = part.text("name", default=None)
    part.where = f"field `{name}`"
    role = part.text("sb:role", default=None, known=ROLES)
    cell_type = part.text("type", default=None, known=TYPES)
    is_predictor = role == "predictor"
    usual = "nominal" if role in ("cluster", "subgroup") and cell_type != "date" else "numeric"
    kind = part.text("sb:kind", default=None if is_predictor else usual, known=KINDS)
    constraints = part.part("constraints", ("required", "unique"))
    levels = tuple(_level(item, part) for item in part.items("sb:levels"))
    field = Field(
        name=name,
        kind=next(known for known in KINDS if known == kind),
        label=part.text("title", default=name),
        description=part.text("description"),
        role=next(known for known in ROLES if known == role),
        type=cell_type,
        unit=part.text("sb:unit"),
        source_unit=part.text("sb:source_unit"),
        analyte=part.text("sb:analyte"),
        hard_range=_range(part, "sb:hard_min", "sb:hard_max"),
        soft_range=_range(part, "sb:soft_min", "sb:soft_max"),
        levels=levels,
        reference=part.text("sb:reference"),
        group=part.text("sb:group"),
        format=part.text("format"),
        required=constraints.flag("required"),
        unique=constraints.flag("unique"),
        test_retest_sd=_error_sd(part, "sb:test_retest_sd"),
        measurement_sources=_measurement_sources(part),
        modifiable=part.flag("sb:modifiable"),
    )
    if field.modifiable and not is_predictor:
        part.fail("only a predictor has `sb:modifiable`")
    if (field.test_retest_sd or field.measurement_sources) and not (
        is_predictor and field.kind == "numeric"
    ):
        part.fail("only a numeric predictor has `sb:test_retest_sd` or `sb:measurement_source`")
    if is_predictor:
        _check_predictor(field, part)
    elif role in ("cluster", "subgroup"):
        _check_stratum(field, part)
    if role in ("time_zero_date", "end_date") and (cell_type != "date" or not field.format):
        part.fail('a date needs `type: date` and its `format`, such as "%d/%m/%Y"')
    if role in ("time", "event") and cell_type not in ("integer", "number"):
        part.fail(f"a column with `sb:role: {role}` needs `type: integer` or `type: number`")
    return field


def _level(content: Any, part: _Part) -> Level:
    item = _Part(content, ("code", "label"), part.source, f"{part.where}, `sb:levels`")
    code = item.text("code", default=None)
    return Level(code, item.text("label", default=code))


def _range(part: _Part, low: str, high: str) -> Range:
    ends = part.number(low), part.number(high)
    if ends[0] is not None and ends[1] is not None and ends[0] >= ends[1]:
        part.fail(f"`{low}` must be below `{high}`")
    return ends


def _error_sd(part: _Part, key: str) -> float | None:
    """Read a standard deviation, in the unit of the values once loaded."""
    found = part.number(key)
    if found is not None and not 0.0 < found < float("inf"):
        part.fail(f"`{key}` must be above 0; leave it out where the error is not known")
    return found


def _measurement_sources(part: _Part) -> dict[str, float]:
    """Read the standard deviation of each method of measurement."""
    inner = part.part("sb:measurement_source", None)
    found = {}
    for name in inner.content:
        error = _error_sd(inner, name)
        if error is None:
            inner.fail(f"`{name}` must be a number; leave the method out where it is not known")
        found[name] = error
    return found


def _check_predictor(field: Field, part: _Part) -> None:
    if field.kind == "numeric":
        if field.type not in ("integer", "number"):
            part.fail(f"a numeric {field.role} needs `type: integer` or `type: number`")
        if field.levels or field.reference:
            part.fail(f"a numeric {field.role} has no `sb:levels` and no `sb:reference`")
        if not field.unit:
            part.fail('the key `sb:unit` is missing; add the UCUM unit, or "1" for pure numbers')
        try:
            conversion(field.source_unit or field.unit, field.unit, analyte=field.analyte)
        except ValueError as error:
            part.fail(f"{error}; give the values in `sb:unit`, or check `sb:analyte`")
        return
    _check_levels(field, part)


def _check_stratum(field: Field, part: _Part) -> None:
    if field.type == "date" and (field.kind != "numeric" or not field.format):
        part.fail('a date needs its `format`, such as "%d/%m/%Y", and no `sb:kind`')
    if field.type == "date" or (field.kind == "nominal" and not field.levels):
        return
    _check_predictor(field, part)


def _check_levels(field: Field, part: _Part) -> None:
    codes = [level.code for level in field.levels]
    if len(set(codes)) != len(codes) or len(codes) < 2:
        part.fail("`sb:levels` must list at least two different codes")
    if field.kind == "binary" and len(codes) != 2:
        part.fail(f"a binary {field.role} needs two levels; `sb:levels` lists {len(codes)}")
    if field.reference and field.reference not in codes:
        part.fail(f"`sb:reference` must be one of the level codes{nearest(field.reference, codes)}")
    if field.kind == "ordinal" and field.reference not in ("", codes[0]):
        part.fail(
            f"the reference of an ordinal {field.role} is its first level; reorder `sb:levels`"
        )
    if field.unit or field.source_unit or field.hard_range != (None, None):
        part.fail("a factor has levels instead of a unit and a range")


def _check_roles(schema: CohortSchema, table: _Part) -> None:
    names = Counter(field.name for field in schema.fields)
    for name, count in names.items():
        if count > 1:
            table.fail(f"the field `{name}` stands {count} times; names must differ")
    roles = Counter(field.role for field in schema.fields)
    for role in ROLES:
        if role not in ("predictor", "exclude", "cluster", "subgroup") and roles[role] > 1:
            table.fail(f"one column at most may have `sb:role: {role}`; {roles[role]} have it")
    if not roles["event"]:
        table.fail("no column has `sb:role: event`; mark the event indicator")
    dates = roles["time_zero_date"] + roles["end_date"]
    if dates and (roles["time"] or dates != 2):
        table.fail("give either `time`, or both `time_zero_date` and `end_date`, as `sb:role`")
    if not dates and not roles["time"]:
        table.fail("no column has `sb:role: time`; mark the follow-up time, or two dates")
    if roles["predictor"] < 2:
        table.fail("at least two columns need `sb:role: predictor`")


def _baseline_inputs(table: _Part, fields: tuple[Field, ...]) -> dict[str, dict[str, Any]]:
    part = table.part("sb:baseline_inputs", CONCEPTS)
    by_name = {field.name: field for field in fields}
    inputs: dict[str, dict[str, Any]] = {}
    for concept in part.content:
        entry = part.part(concept, ("column", "otherwise", "levels"))
        column = entry.text("column", default=None)
        if column not in by_name:
            entry.fail(f"no field is named `{column}`{nearest(column, by_name)}")
        inputs[concept] = {"column": column}
        if "otherwise" in entry.content:
            inputs[concept]["otherwise"] = _otherwise(entry, column, by_name)
        if "levels" in entry.content:
            codes = by_name[column].codes
            levels = entry.part("levels", codes).content
            if set(levels) != set(codes):
                entry.fail(f"`levels` must give a value to each level of `{column}`")
            if not all(isinstance(value, str | int | float) for value in levels.values()):
                entry.fail("`levels` must hold words or numbers")
            inputs[concept]["levels"] = dict(levels)
    return inputs


def _otherwise(entry: _Part, column: str, by_name: Mapping[str, Field]) -> str:
    """Read the second column of an input: the same quantity in the same unit."""
    second = entry.text("otherwise", default=None)
    if second not in by_name or second == column:
        entry.fail(f"no other field is named `{second}`{nearest(second, by_name)}")
    fields = (by_name[column], by_name[second])
    if any(field.kind != "numeric" for field in fields) or len({f.unit for f in fields}) > 1:
        entry.fail(f"`{column}` and `{second}` must be numeric and have the same unit")
    return str(second)
