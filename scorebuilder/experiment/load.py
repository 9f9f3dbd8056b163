"""Read an experiment spec, and name every problem with its line, its rule and the nearest key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.experiment.yaml_source import (
    KeyPath,
    Problem,
    Source,
    problem_at,
    read_source,
    refuse,
)

_TYPE_RULES = {
    "string_type": "must be text; write it in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "invalid_key": "must be text; write the key in quotes",
}


_SLUG_RULE = "must be lower-case words joined by hyphens, such as smart-vascular-events"


def load_spec(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentSpec:
    """
    Read and check a spec.

    Parameters
    ----------
    path : str or Path
        YAML, read without any Python tags.
    overrides : sequence of str
        Settings such as ``validation.folds=5`` that replace those of the file.

    Returns
    -------
    ExperimentSpec
        Frozen; defaults are filled in.

    Raises
    ------
    SpecError
        Lists every problem at once, each with its line (or override), rule and nearest key.
    """
    source = read_source(Path(path))
    for override in overrides:
        _apply(source, override)
    try:
        spec = ExperimentSpec.model_validate(source.content)
    except ValidationError as error:
        refuse(source, [*source.repeated, *_explain(source, error)])
        raise
    refuse(source, [*source.repeated, *_unknown_baselines(source, spec)])
    return spec


def _apply(source: Source, override: str) -> None:
    key, equals, text = override.partition("=")
    parts = tuple(key.strip().split("."))
    if not equals or not all(parts):
        message = f"--set {override}: must be key=value, for example validation.folds=5"
        raise SpecError(message)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        message = f"--set {override}: the value cannot be read as YAML"
        raise SpecError(message) from None
    place = source.content
    for depth, part in enumerate(parts[:-1], start=1):
        inner = place.get(part)
        if inner is not None and not isinstance(inner, dict):
            message = f"--set {override}: `{'.'.join(parts[:depth])}` holds no keys; set it whole"
            raise SpecError(message)
        place[part] = dict(inner or {})
        place = place[part]
    place[parts[-1]] = value
    source.overrides[parts] = override


def _explain(source: Source, error: ValidationError) -> Iterator[Problem]:
    """One problem per place; a mistyped key stands for the required key that it misses."""
    rules: dict[KeyPath, list[str]] = {}
    shown: dict[KeyPath, str] = {}
    branches: set[KeyPath] = set()
    mistyped: set[KeyPath] = set()
    for item in error.errors(include_url=False):
        path, skipped = _path_in(source.content, item)
        if skipped:
            branches.add(path)
        if item["type"] == "extra_forbidden":
            rule, meant = _unknown_key(path)
            mistyped |= {(*path[:-1], meant)} if meant else set()
        else:
            rule = rule_broken(item)
            if item["type"] not in ("missing", "value_error"):
                shown[path] = f"; got {_shown(item['input'])}{_nearest_value(item)}"
        if rule not in rules.setdefault(path, []):
            rules[path].append(rule)
    for path, texts in rules.items():
        deeper = any(other[: len(path)] == path and other != path for other in rules)
        missing = texts == ["is required"]
        if (deeper and path in branches) or (missing and path in mistyped):
            continue
        yield problem_at(source, path, " or ".join(texts) + shown.get(path, ""))


def _path_in(content: Any, item: Mapping[str, Any]) -> tuple[KeyPath, bool]:
    """Leave out the names of union branches, which are no keys of the file."""
    loc: tuple[int | str, ...] = item["loc"]
    path: list[str | int] = []
    skipped = False
    for position, part in enumerate(loc):
        in_mapping = isinstance(content, Mapping) and part in content
        in_list = isinstance(content, list | tuple) and part in range(len(content))
        if in_mapping or in_list:
            content = content[part]
            path.append(part)
        elif (
            item["type"] == "missing"
            and position == len(loc) - 1
            and isinstance(content, Mapping)
            and "[" not in str(part)
        ):
            path.append(part)
        else:
            skipped = True
    return tuple(path), skipped


def rule_broken(item: Mapping[str, Any]) -> str:
    """
    Say in words which rule a value broke.

    Parameters
    ----------
    item : mapping
        One of ``ValidationError.errors()``.

    Returns
    -------
    str
        Goes on from the name of the key: ``must be a number``.
    """
    kind = item["type"]
    if kind == "missing":
        return "has too few entries" if isinstance(item["input"], list | tuple) else "is required"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    if kind == "literal_error":
        return f"must be {item['ctx']['expected']}"
    if kind == "string_pattern_mismatch":
        return "must be a version such as 1.0.0" if item["loc"] == ("version",) else _SLUG_RULE
    return _TYPE_RULES.get(kind) or item["msg"].replace("Input should be", "must be")


def _nearest_value(item: Mapping[str, Any]) -> str:
    if item["type"] != "literal_error":
        return ""
    known = [word.strip("'") for word in item["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    near = difflib.get_close_matches(str(item["input"]), known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _unknown_key(path: KeyPath) -> tuple[str, str | None]:
    """Say the rule in words, and which key of the same mapping was meant, if any."""
    name = str(path[-1])
    known = _keys(path[:-1])
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"is an unknown key; did you mean `{near[0]}`?", near[0]
    if len(path) == 1:
        inner = {key: section for section in known for key in _keys((section,))}
        near = difflib.get_close_matches(name, inner, n=1, cutoff=0.8)
        if near:
            meant = f"{inner[near[0]]}.{near[0]}"
            return f"is an unknown key; did you mean `{meant}`?", None
    return f"is an unknown key; known here: {', '.join(known)}", None


def _keys(path: KeyPath) -> list[str]:
    """Keys that a mapping of the spec may hold."""
    model: type[BaseModel] | None = ExperimentSpec
    for part in path:
        if isinstance(part, str) and model is not None:
            found = [
                item.annotation
                for key, item in model.model_fields.items()
                if part in (key, item.alias)
            ]
            model = _model_in(found[0]) if found else None
    if model is None:
        return []
    return [item.alias or key for key, item in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _unknown_baselines(source: Source, spec: ExperimentSpec) -> Iterator[Problem]:
    if not spec.baselines:
        return
    from scorebuilder.experiment.find_baseline import find_baseline

    first: dict[str, int] = {}
    for index, item in enumerate(spec.baselines):
        try:
            found = find_baseline(item).name if item.rule is None else item.rule
            parts = (found, item.variant, item.output)
        except SpecError as error:
            yield problem_at(source, ("baselines", index), str(error))
            continue
        name = " ".join(part for part in parts if part)
        if first.setdefault(name, index) != index:
            rule = f"is the same score as `baselines[{first[name]}]`, {name}; rename one"
            yield problem_at(source, ("baselines", index), rule)


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value).lower()
    text = "a mapping" if isinstance(value, dict) else text
    return text if len(text) <= 60 else f"{text[:57]}..."
