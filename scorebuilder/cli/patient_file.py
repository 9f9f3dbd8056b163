"""One patient's inputs, read from YAML or JSON as they were written; no value is ever repeated."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorebuilder.cli.tables import MISSING
from scorebuilder.core.errors import CohortError, SpecError, Violation

NOT_KNOWN = (*MISSING, "~", "null", "Null", "NULL")
"""What stands for a missing input, unless it is the code of a level."""
FORM = "Write one line for each input, such as `age: 61`"


def read_patient(path: Path, predictors: list[dict[str, Any]]) -> dict[str, float | str | None]:
    """
    Read the inputs of one patient.

    Parameters
    ----------
    path : Path
        JSON if its name ends in ``.json``, else YAML; one value for each input.
    predictors : list of dict
        Those of the artifact.

    Returns
    -------
    dict
        Predictor -> number, level code, or None. Levels may be written as code or, where no code
        is the same, as label. What is neither a number nor a level is kept as text, for the score
        to refuse.

    Raises
    ------
    SpecError
        If the file is no such file.
    CohortError
        If it names an input that the score does not have; lists all, and no value.
    """
    written = _read(path)
    known = {str(item["id"]): item for item in predictors}
    strange = [name for name in written if name not in known]
    if strange:
        violations = []
        for name in strange:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Inputs are: {', '.join(known)}"
            violations.append(Violation(name, "is no input of this score", remedy=hint))
        raise CohortError(violations, source=path.name)
    return {name: _typed(known[name], value) for name, value in written.items()}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        message = f"{path}: must be UTF-8 text; save it again as UTF-8"
        raise SpecError(message) from None
    return _read_json(path, text) if path.suffix.lower() == ".json" else _read_yaml(path, text)


def _read_json(path: Path, text: str) -> Mapping[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _refuse_repeats(path, [name for name, _ in pairs])
        return dict(pairs)

    try:
        content = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=unique
        )
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}: cannot be read as JSON; check quotes and commas"
        raise SpecError(message) from None
    if not isinstance(content, dict):
        message = f'{path}: must hold one value for each input, such as {{"age": 61}}'
        raise SpecError(message)
    for name, value in content.items():
        if isinstance(value, dict | list):
            _refuse_nested(path, name)
    return content


def _read_yaml(path: Path, text: str) -> Mapping[str, Any]:
    import yaml

    # Plain scalars stay as written: a code `no` is no truth value, and `010` is not eight.
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        message = f"{path}{line}: cannot be read as YAML. {FORM}"
        raise SpecError(message) from None
    except yaml.YAMLError:
        message = f"{path}: cannot be read as YAML. {FORM}"
        raise SpecError(message) from None
    if not isinstance(tree, yaml.MappingNode):
        message = f"{path}: must hold one value for each input. {FORM}"
        raise SpecError(message)
    names = [str(key.value) for key, _ in tree.value]
    _refuse_repeats(path, names)
    for name, (_, node) in zip(names, tree.value, strict=True):
        if not isinstance(node, yaml.ScalarNode):
            _refuse_nested(path, name)
    return {name: node.value for name, (_, node) in zip(names, tree.value, strict=True)}


def _refuse_repeats(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"{path}: inputs stand twice: {', '.join(repeated)}; keep one of each"
        raise SpecError(message)


def _refuse_nested(path: Path, name: str) -> None:
    message = f"{path}: the input `{name}` must be one value, not a list or a mapping"
    raise SpecError(message)


def _typed(predictor: Mapping[str, Any], value: Any) -> float | str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else "true or false"  # no number, and no level code
    text = str(value).strip()
    codes = [level["code"] for level in predictor["levels"]]
    if text in codes:
        return text
    if text in NOT_KNOWN:
        return None
    if predictor["type"] == "numeric":
        try:
            return float(text) if "_" not in text else text
        except ValueError:
            return text
    matches = [level["code"] for level in predictor["levels"] if level["label"] == text]
    return str(matches[0]) if len(matches) == 1 else text
