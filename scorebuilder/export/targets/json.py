"""The score as plain data with its test vectors, for whoever writes it in yet another language."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.canonical import dump_json
from scorebuilder.export.expression import (
    Clip,
    Expression,
    Function,
    IfPositive,
    Input,
    Number,
    OneOf,
    Operation,
)
from scorebuilder.export.plan import LARGEST_EXPONENT, Plan, make_plan
from scorebuilder.export.specification import SPECIFICATION_SCHEMA
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact


def tree(node: Expression) -> Any:
    """
    Write an expression as nested lists ``[operator, operand, ...]``.

    Parameters
    ----------
    node : Expression
        The tree.

    Returns
    -------
    object
        Numbers stand for themselves.
    """
    match node:
        case Number():
            return float(node.value)
        case Input():
            return ["input", node.name]
        case Operation():
            return [node.operator, tree(node.left), tree(node.right)]
        case Function():
            return [node.name, tree(node.operand)]
        case OneOf():
            return ["one_of", node.operand.name, list(node.codes)]
        case Clip():
            return ["clip", tree(node.operand), float(node.low), float(node.high)]
        case IfPositive():
            return ["if_positive", node.operand.name, tree(node.value)]


def specification(plan: Plan) -> dict[str, Any]:
    """
    Describe a score completely, without a language.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    dict
        Plain JSON, as `SPECIFICATION_SCHEMA` describes it.
    """
    return {
        "about": dict(plan.about),
        "inputs": [
            {
                "name": rule.name,
                "label": rule.label,
                "unit": rule.unit,
                "numeric": rule.numeric,
                "levels": [{"code": code, "label": label} for code, label in rule.levels],
                "lowest": rule.lowest,
                "highest": rule.highest,
                "above": rule.above,
                "usual": None if rule.usual is None else list(rule.usual),
                "fill": rule.fill,
            }
            for rule in plan.inputs
        ],
        "contributions": [
            {"input": name, "expression": tree(node), "reference": plan.reference[name]}
            for name, node in plan.contributions.items()
        ],
        "largest_linear_predictor_in_exp": LARGEST_EXPONENT,
        "thresholds": list(plan.thresholds),
        "horizons": [
            {"code": row.code, "days": row.days, "cumulative_hazard": row.cumulative_hazard}
            for row in plan.horizons
        ],
        "groups": [
            {"label": label, "points_from": first, "points_to": last}
            for label, first, last in plan.groups
        ],
        "risk_table": plan.artifact.scoring["risk_table"],
        "test_vectors": list(plan.vectors),
    }


def write_json(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as a specification, and the schema that describes it.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        ``<name>.json`` and ``specification.schema.json``.
    """
    plan = make_plan(artifact)
    return {
        f"{plan.file_stem}.json": dump_json(specification(plan)),
        "specification.schema.json": dump_json(SPECIFICATION_SCHEMA),
    }


TARGETS.register(
    "json",
    Target(
        "json",
        "Specification with test vectors",
        write_json,
        "What each key means stands in specification.schema.json. Whoever writes the score in "
        "another language must reproduce every test vector: the same points, refusals and "
        "warnings, and each risk to 1e-9.",
    ),
)
