"""JSON Schema of the specification that re-implementers get: every key, and what it means."""

from __future__ import annotations

from typing import Any

_NUMBER_OR_NULL = {"type": ["number", "null"]}
_TEXT = {"type": "string"}


def _object(properties: dict[str, Any], description: str = "", **more: Any) -> dict[str, Any]:
    shape = {
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
        **more,
    }
    return {"description": description, **shape} if description else shape


def _list(items: dict[str, Any], description: str = "", **more: Any) -> dict[str, Any]:
    shape = {"type": "array", "items": items, **more}
    return {"description": description, **shape} if description else shape


def _flags(*words: str) -> dict[str, Any]:
    return _list(_object({"predictor": _TEXT, "flag": {"enum": list(words)}}))


_INPUT = _object(
    {
        "name": {"type": "string", "description": "key under which the value is given"},
        "label": _TEXT,
        "unit": {"type": "string", "description": "UCUM; values are in this unit"},
        "numeric": {"type": "boolean", "description": "false for a factor: values are codes"},
        "levels": _list(_object({"code": _TEXT, "label": _TEXT})),
        "lowest": {**_NUMBER_OR_NULL, "description": "below it: out_of_range"},
        "highest": {**_NUMBER_OR_NULL, "description": "above it: out_of_range"},
        "above": {**_NUMBER_OR_NULL, "description": "at or below it: out_of_range"},
        "usual": {
            "description": "1st and 99th centile of the development patients; outside of them: "
            "extrapolation",
            "anyOf": [
                {"type": "null"},
                _list({"type": "number"}, minItems=2, maxItems=2),
            ],
        },
        "fill": {
            "type": ["number", "string", "null"],
            "description": "taken for a missing value (imputed); null refuses (missing)",
        },
    }
)

_VECTOR = {
    "type": "object",
    "required": ["inputs", "points", "risk", "status", "refusals", "warnings"],
    "properties": {
        "inputs": {"type": "object"},
        "status": {"enum": ["ok", "refused"]},
        "refusals": _flags("missing", "invalid", "out_of_range"),
        "warnings": _flags("extrapolation", "imputed"),
        "linear_predictor": _NUMBER_OR_NULL,
        "points": {"type": ["integer", "null"]},
        "risk": {
            "description": "one probability per horizon; reproduce each to 1e-9",
            "anyOf": [{"type": "null"}, _list({"type": "number", "minimum": 0, "maximum": 1})],
        },
    },
}

SPECIFICATION_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A prognostic score, for whoever writes it in another language",
    "description": (
        "Read every input: None, NaN and empty text are missing; a number that is not finite, "
        "text, or a boolean where a number is expected is invalid, and so is a level that is not "
        "listed (whole numbers count as their digits). All refusals are reported, and any of them "
        "refuses the patient, who then has no warnings. Otherwise add the contributions, from 0, "
        "in the order of `inputs`: the linear predictor. Points are the number of thresholds that "
        "it reaches. The risk by a horizon is "
        "1 - exp(-cumulative_hazard * exp(min(linear predictor, "
        "largest_linear_predictor_in_exp))). Never round."
    ),
    **_object(
        {
            "about": {"type": "object", "description": "identity, meaning, status, licence"},
            "inputs": _list(_INPUT, minItems=1),
            "contributions": _list(
                _object(
                    {
                        "input": _TEXT,
                        "expression": {"$ref": "#/$defs/expression"},
                        "reference": {
                            "type": "number",
                            "description": "mean among the development patients; explains a score "
                            "as the difference from it",
                        },
                    }
                ),
                minItems=1,
            ),
            "largest_linear_predictor_in_exp": {"type": "number"},
            "thresholds": _list({"type": "number"}, "ascending", minItems=1),
            "horizons": _list(
                _object(
                    {
                        "code": _TEXT,
                        "days": {"type": "number", "exclusiveMinimum": 0},
                        "cumulative_hazard": {"type": "number", "minimum": 0},
                    }
                ),
                minItems=1,
            ),
            "groups": _list(
                _object(
                    {
                        "label": _TEXT,
                        "points_from": {"type": "integer"},
                        "points_to": {"type": "integer"},
                    }
                ),
                minItems=1,
            ),
            "risk_table": _list({"type": "object"}, "observed and mean predicted risk by points"),
            "test_vectors": _list(_VECTOR, minItems=1),
        }
    ),
    "$defs": {
        "expression": {
            "description": (
                "a number, or [operator, ...]: [input, name]; [+ - * / ^, left, right]; "
                "[ln | exp, operand]; [one_of, name, codes] is 1 if the input has one of the "
                "codes, else 0; [clip, operand, low, high] pulls a value in to limits; "
                "[if_positive, name, value] is the value if the input is above 0, else 0"
            ),
            "anyOf": [
                {"type": "number"},
                {"type": "array", "minItems": 2, "prefixItems": [{"type": "string"}]},
            ],
        }
    },
}
"""JSON Schema 2020-12, shipped with the specification."""
