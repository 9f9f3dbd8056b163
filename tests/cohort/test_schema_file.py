from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from scorebuilder.cohort import schema_file
from scorebuilder.cohort.load import BUILTIN, load_schema
from scorebuilder.cohort.schema import CONCEPTS, KINDS, ROLES, TYPES, CohortSchema
from scorebuilder.cohort.schema_file import parse_schema
from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import DAYS_PER_UNIT

Content = dict[str, Any]


def field_of(content: Content, name: str) -> Content:
    return next(field for field in content["fields"] if field.get("name") == name)


@pytest.fixture(scope="module")
def meta(checkout: Path) -> Content:
    text = (checkout / "data_schemas" / "_meta" / "cohort-1.json").read_text("utf-8")
    content: Content = json.loads(text)
    Draft7Validator.check_schema(content)
    return content


def test_fields_roles_and_groups(schema: CohortSchema) -> None:
    assert [field.name for field in schema.predictors] == ["age", "chol", "sex", "nyha"]
    assert schema.id is not None
    assert schema.id.name == "patient"
    assert schema.time is not None
    assert schema.time.name == "months"
    assert schema.event.name == "death"
    assert schema.groups == {"clinical": ("age",), "laboratory": ("chol",)}
    assert schema.field("age").hard_range == (18.0, 110.0)
    assert schema.field("sex").codes == ("2", "1")
    assert schema.field("sex").level_label("1") == "male"
    assert schema.field("nyha").level_label("3") == "3"
    with pytest.raises(KeyError, match="no column `weight`"):
        schema.field("weight")


def _set(name: str, /, **values: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        field_of(content, name).update({k.replace("__", ":"): v for k, v in values.items()})

    return change


def _drop(name: str, *keys: str) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        for key in keys:
            field_of(content, name).pop(key)

    return change


def _top(**values: Any) -> Callable[[Content], None]:
    return lambda content: content.update({k.replace("__", ":"): v for k, v in values.items()})


def _remove(*names: str) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content["fields"] = [f for f in content["fields"] if f["name"] not in names]

    return change


DATE = {"type": "date", "format": "%d/%m/%Y", "sb:role": "time_zero_date"}
BROKEN: list[tuple[Callable[[Content], None], str, bool]] = [
    (_set("age", sb__rol="x"), "field 4: unknown key `sb:rol`; did you mean", True),
    (_top(field=[]), "unknown key `field`; did you mean `fields`?", True),
    (_drop("age", "sb:role"), "field `age`: the key `sb:role` is missing", True),
    (_drop("age", "sb:kind"), "field `age`: the key `sb:kind` is missing", True),
    (_drop("age", "sb:unit"), "field `age`: the key `sb:unit` is missing", True),
    (_set("age", sb__role="predictr"), "one of .*; got `predictr`; did you mean `predictor`", True),
    (_set("age", sb__hard_min="18"), "`sb:hard_min` must be a number", True),
    (_set("age", sb__hard_min=200), "`sb:hard_min` must be below `sb:hard_max`", False),
    (_set("age", type="string"), "a numeric predictor needs `type: integer`", True),
    (_set("age", sb__levels=[{"code": "1"}, {"code": "2"}]), "has no `sb:levels`", True),
    (_set("chol", sb__analyte="cholestrol"), "no audited conversion of cholestrol", False),
    (_set("sex", sb__levels=[{"code": 1}, {"code": 2}]), "`code` must be text, not a whole", True),
    (_set("sex", sb__levels=[{"code": "1"}]), "at least two different codes", True),
    (_set("sex", sb__levels=[{"code": c} for c in "123"]), "binary .* lists 3", True),
    (_set("sex", sb__reference="9"), "`sb:reference` must be one of the level codes", False),
    (_set("age", sb__test_retest_sd=0), "`sb:test_retest_sd` must be above 0", True),
    (_set("age", sb__test_retest_sd=float("inf")), "`sb:test_retest_sd` must be above 0", False),
    (_set("age", sb__test_retest_sd="0.7"), "`sb:test_retest_sd` must be a number", True),
    (_set("age", sb__measurement_source={"expert": -1.0}), "`expert` must be above 0", True),
    (_set("age", sb__measurement_source={"expert": None}), "`expert` must be a number", True),
    (_set("age", sb__measurement_source=[0.7]), "must be a mapping", True),
    (_set("sex", sb__test_retest_sd=0.1), "only a numeric predictor has", True),
    (_set("age", sb__modifiable="yes"), "`sb:modifiable` must be true or false", True),
    (_set("months", sb__modifiable=True), "only a predictor has `sb:modifiable`", True),
    (_set("months", sb__measurement_source={"clock": 0.1}), "only a numeric predictor", True),
    (_set("sex", sb__unit="1"), "a factor has levels instead of a unit", True),
    (_set("nyha", sb__reference="2"), "the reference of an ordinal predictor", False),
    (_set("death", type="string"), "`sb:role: event` needs `type: integer`", True),
    (_set("age", constraints={"required": "yes"}), "`required` must be true or false", True),
    (_set("age", name="chol"), "the field `chol` stands 2 times", False),
    (_set("note", sb__role="event", type="integer"), "one column at most .* event", False),
    (_remove("death"), "no column has `sb:role: event`", True),
    (_remove("months"), "no column has `sb:role: time`", True),
    (_remove("age", "chol", "sex"), "at least two columns", False),
    (_set("note", **DATE), "give either `time`, or both", False),
    (_set("months", type="date", sb__role="end_date"), "a date needs `type: date` and its", True),
    (_top(dialect={"decimal": ","}), "unknown key `decimal`; did you mean `decimalChar", True),
    (_top(dialect={"delimiter": ";;"}), "`delimiter` must be one character", True),
    (_top(dialect={"decimalChar": ","}), "`decimalChar` must differ", False),
    (_top(dialect={"encoding": "latin-99"}), "unknown `encoding`", False),
    (_top(dialect={"missingValues": [-9]}), "`missingValues` must be a list of text", True),
    (_top(sb__time_unit="months"), "`sb:time_unit` must be one of d, wk, mo, a", True),
    (_top(sb__baseline_inputs={"smoker": {"column": "sex"}}), "unknown key `smoker`", True),
    (_top(sb__baseline_inputs={"age": {"column": "agee"}}), "no field is named `agee`; did", False),
    (
        _top(sb__baseline_inputs={"age": {"column": "age", "otherwise": "agee"}}),
        "no other field is named `agee`; did you mean `age`", False,
    ),
    (
        _top(sb__baseline_inputs={"age": {"column": "age", "otherwise": "age"}}),
        "no other field is named `age`", False,
    ),
    (
        _top(sb__baseline_inputs={"age": {"column": "age", "otherwise": "chol"}}),
        "`age` and `chol` must be numeric and have the same unit", False,
    ),
    (
        _top(sb__baseline_inputs={"age": {"column": "age", "otherwise": "sex"}}),
        "`age` and `sex` must be numeric and have the same unit", False,
    ),
    (_top(sb__baseline_inputs={"age": {"column": "age", "otherwise": 1}}), "`otherwise`", True),
    (
        _top(sb__baseline_inputs={"sex": {"column": "sex", "levels": {"1": "male"}}}),
        "`levels` must give a value to each level of `sex`", False,
    ),
    (
        _top(sb__baseline_inputs={"sex": {"column": "sex", "levels": {1: "male", 2: "female"}}}),
        "the key `1` must be text; put it in quotes", False,
    ),
    (_top(fields={}), "`fields` must be a list", True),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message", "meta_sees_it"), BROKEN)
def test_broken_schema_is_named(
    content: Content,
    meta: Content,
    change: Callable[[Content], None],
    message: str,
    meta_sees_it: bool,
) -> None:
    change(content)
    with pytest.raises(SpecError, match=message) as caught:
        parse_schema(content, source="small.yaml")
    assert str(caught.value).startswith("small.yaml: ")
    if meta_sees_it:
        assert not Draft7Validator(meta).is_valid(content)


def test_errors_of_measurement_are_read(content: Content, meta: Content) -> None:
    _set("age", sb__test_retest_sd=0.5, sb__measurement_source={"software": 1, "expert": 2.4})(
        content
    )
    Draft7Validator(meta).validate(content)
    schema = parse_schema(content)
    assert schema.field("age").test_retest_sd == 0.5
    assert schema.field("age").measurement_sources == {"software": 1.0, "expert": 2.4}
    assert schema.field("chol").test_retest_sd is None
    assert schema.field("chol").measurement_sources == {}
    assert isinstance(hash(schema.field("age")), int)


def test_content_must_be_a_mapping() -> None:
    with pytest.raises(SpecError, match=r"list\.yaml: must be a mapping"):
        parse_schema(["fields"], source="list.yaml")


def test_small_schema_is_valid_under_meta(content: Content, meta: Content) -> None:
    Draft7Validator(meta).validate(content)


@pytest.mark.parametrize("name", BUILTIN)
def test_shipped_schema_is_valid_under_meta(name: str, meta: Content, checkout: Path) -> None:
    text = (checkout / "data_schemas" / f"{name}.yaml").read_text("utf-8")
    Draft7Validator(meta).validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=_meta/cohort-1.json\n")
    schema = load_schema(name)
    assert schema.name == name
    assert schema.source
    assert schema.licence
    assert all(field.label and field.group for field in schema.predictors)


def test_meta_and_code_know_the_same_words(meta: Content) -> None:
    field = meta["definitions"]["field"]["properties"]
    assert set(meta["properties"]) == set(schema_file.TABLE_KEYS)
    assert set(field) == set(schema_file.FIELD_KEYS)
    assert set(meta["properties"]["dialect"]["properties"]) == set(schema_file.DIALECT_KEYS)
    assert set(field["sb:role"]["enum"]) == set(ROLES)
    assert set(field["sb:kind"]["enum"]) == set(KINDS)
    assert set(field["type"]["enum"]) == set(TYPES)
    assert set(meta["properties"]["sb:time_unit"]["enum"]) == set(DAYS_PER_UNIT)
    assert set(meta["properties"]["sb:baseline_inputs"]["properties"]) == set(CONCEPTS)
