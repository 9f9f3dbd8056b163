"""PMML 4.4, for engines that read it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from scorebuilder.core.units import unit_text
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
from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan, make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact

OPERATORS = {"^": "pow"}


def element(
    tag: str, attributes: dict[str, Any] | None = None, *children: ET.Element
) -> ET.Element:
    """
    Make an element with its children.

    Parameters
    ----------
    tag : str
        Its name.
    attributes : dict or None
        Numbers are written so that they read back exactly.
    *children : Element
        What it holds.

    Returns
    -------
    Element
        The element.
    """
    shown = {
        key: repr(value) if isinstance(value, float) else str(value)
        for key, value in (attributes or {}).items()
    }
    node = ET.Element(tag, shown)
    node.extend(children)
    return node


def apply(function: str, *operands: ET.Element) -> ET.Element:
    """
    Make the application of a function.

    Parameters
    ----------
    function : str
        A built-in function of PMML.
    *operands : Element
        Its arguments.

    Returns
    -------
    Element
        An ``Apply``.
    """
    return element("Apply", {"function": function}, *operands)


def constant(value: float | str) -> ET.Element:
    """
    Make a constant.

    Parameters
    ----------
    value : float or str
        Its value.

    Returns
    -------
    Element
        A ``Constant``.
    """
    node = element("Constant", {"dataType": "string" if isinstance(value, str) else "double"})
    node.text = value if isinstance(value, str) else repr(float(value))
    return node


def field(name: str) -> ET.Element:
    """
    Make a reference to a field.

    Parameters
    ----------
    name : str
        The field.

    Returns
    -------
    Element
        A ``FieldRef``.
    """
    return element("FieldRef", {"field": name})


def tree(node: Expression) -> ET.Element:
    """
    Write an expression as nested elements.

    Parameters
    ----------
    node : Expression
        The tree.

    Returns
    -------
    Element
        Its value.
    """
    match node:
        case Number():
            return constant(float(node.value))
        case Input():
            return field(node.name)
        case Operation():
            name = OPERATORS.get(node.operator, node.operator)
            return apply(name, tree(node.left), tree(node.right))
        case Function():
            return apply(node.name, tree(node.operand))
        case OneOf():
            # Attributes hold any sign; some engines lose what follows "<" in the text of elements.
            name, first, *others = node.operand.name, *node.codes
            total = element("NormDiscrete", {"field": name, "value": first})
            for code in others:
                total = apply("+", total, element("NormDiscrete", {"field": name, "value": code}))
            return total
        case Clip():
            return bounded(tree(node.operand), node.low, node.high)
        case IfPositive():
            above = apply("greaterThan", field(node.operand.name), constant(0.0))
            return apply("if", above, tree(node.value), constant(0.0))


def bounded(value: ET.Element, low: float, high: float) -> ET.Element:
    """
    Pull a value in to limits.

    Parameters
    ----------
    value : Element
        The value.
    low, high : float
        The limits.

    Returns
    -------
    Element
        ``min(max(value, low), high)``.
    """
    return apply("min", apply("max", value, constant(low)), constant(high))


def _data_field(rule: InputRule) -> ET.Element:
    unit = unit_text(rule.unit)
    shown = f"{rule.label} ({unit})" if unit else rule.label
    named = {"name": rule.name, "displayName": shown}
    if not rule.numeric:
        values = [
            element("Value", {"value": code, "displayValue": label or code, "property": "valid"})
            for code, label in rule.levels
        ]
        return element(
            "DataField", {**named, "optype": "categorical", "dataType": "string"}, *values
        )
    assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
    closed = rule.above is None or rule.above < rule.lowest
    limits = {
        "closure": "closedClosed" if closed else "openClosed",
        "leftMargin": rule.lowest if closed else rule.above,
        "rightMargin": rule.highest,
    }
    kind = {"optype": "continuous", "dataType": "double"}
    return element("DataField", {**named, **kind}, element("Interval", limits))


def _mining_field(rule: InputRule) -> ET.Element:
    attributes = {
        "name": rule.name,
        "usageType": "active",
        "invalidValueTreatment": "returnInvalid",
    }
    if rule.fill is None:
        attributes["missingValueTreatment"] = "returnInvalid"
    else:
        fill = repr(float(rule.fill)) if rule.numeric else str(rule.fill)
        attributes |= {"missingValueReplacement": fill, "missingValueTreatment": "asValue"}
    return element("MiningField", attributes)


def _output(name: str, kind: str, value: ET.Element) -> ET.Element:
    optype = "categorical" if kind == "string" else "continuous"
    attributes = {"name": name, "optype": optype, "dataType": kind, "feature": "transformedValue"}
    return element("OutputField", attributes, value)


def _outputs(plan: Plan) -> ET.Element:
    predicted = element(
        "OutputField",
        {
            "name": "linear_predictor",
            "optype": "continuous",
            "dataType": "double",
            "feature": "predictedValue",
        },
    )

    def lp() -> ET.Element:
        return field("linear_predictor")

    outputs = [predicted]
    for row in plan.horizons:
        ratio = apply("exp", bounded(lp(), -LARGEST_EXPONENT, LARGEST_EXPONENT))
        hazard = apply("*", constant(-row.cumulative_hazard), ratio)
        risk = apply("-", constant(1.0), apply("exp", hazard))
        outputs.append(_output(f"risk_{row.code}", "double", risk))
    points: ET.Element | None = None
    for threshold in plan.thresholds:
        reached = apply("greaterOrEqual", lp(), constant(threshold))
        one = apply("if", reached, constant(1.0), constant(0.0))
        points = one if points is None else apply("+", points, one)
    assert points is not None  # the artifact's schema asks for at least one threshold
    outputs.append(_output("points", "double", points))
    outputs.append(_output("risk_group", "string", _groups(plan)))
    return element("Output", None, *outputs)


def _groups(plan: Plan) -> ET.Element:
    """Labels stand in attributes, where engines read any sign."""
    bins = []
    for label, first, last in plan.groups:
        limits = {"closure": "closedClosed", "leftMargin": first, "rightMargin": last}
        bins.append(element("DiscretizeBin", {"binValue": label}, element("Interval", limits)))
    return element("Discretize", {"field": "points", "dataType": "string"}, *bins)


def write_pmml(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as PMML.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        One file, ``<name>.pmml``: a regression whose terms are the contributions. A refused patient
        gets no prediction; the format has no place for warnings.
    """
    plan = make_plan(artifact)
    derived, predictors = [], []
    for place, (_, node) in enumerate(plan.contributions.items(), start=1):
        name = f"contribution_{place}"
        kind = {"name": name, "optype": "continuous", "dataType": "double"}
        derived.append(element("DerivedField", kind, tree(node)))
        predictors.append(element("NumericPredictor", {"name": name, "coefficient": 1.0}))
    model = element(
        "RegressionModel",
        {"modelName": plan.file_stem, "functionName": "regression"},
        element("MiningSchema", None, *(_mining_field(rule) for rule in plan.inputs)),
        _outputs(plan),
        element("LocalTransformations", None, *derived),
        element("RegressionTable", {"intercept": 0.0}, *predictors),
    )
    fields = [_data_field(rule) for rule in plan.inputs]
    root = element(
        "PMML",
        {"xmlns": "http://www.dmg.org/PMML-4_4", "version": "4.4"},
        _header(plan),
        element("DataDictionary", {"numberOfFields": len(fields)}, *fields),
        model,
    )
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode", xml_declaration=False)
    return {f"{plan.file_stem}.pmml": f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'}


def _header(plan: Plan) -> ET.Element:
    about = plan.about
    description = (
        f"{about['title']}. Outcome: {about['outcome']}. Status: {about['status']}. "
        f"Not for: {about['not_for']} core_id {about['core_id']}"
    )
    attributes = {
        "copyright": "May be used under the MIT licence.",
        "description": description,
        "modelVersion": about["version"],
    }
    return element("Header", attributes, element("Application", {"name": "scorebuilder"}))


TARGETS.register(
    "pmml",
    Target(
        "pmml",
        "PMML 4.4",
        write_pmml,
        "For engines that read PMML. The format has no self-check and no warnings: hold the engine "
        "to test_vectors.json before it is used.",
    ),
)
