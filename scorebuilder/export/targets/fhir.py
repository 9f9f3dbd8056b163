"""FHIR R4: a questionnaire that computes, and examples of what a system would send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebuilder.core.canonical import dump_json
from scorebuilder.core.units import unit_text
from scorebuilder.export.fhirpath import variables
from scorebuilder.export.plan import InputRule, Plan, make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.apply import LARGEST_INPUT
from scorebuilder.score.artifact import ScoreArtifact

CORE = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
UCUM = "http://unitsofmeasure.org"
PERCENT = {"unit": "%", "system": UCUM, "code": "%"}
STATUS = {"active": "active", "withdrawn": "retired", "superseded": "retired"}


def _canonical(plan: Plan) -> str:
    return f"urn:scorebuilder:score:{str(plan.about['name']).replace('/', ':')}"


def _expression(url: str, code: str, name: str | None = None) -> dict[str, Any]:
    value = {"language": "text/fhirpath", "expression": code}
    return {"url": url, "valueExpression": value if name is None else {"name": name, **value}}


def questionnaire(plan: Plan) -> dict[str, Any]:
    """
    Write a score as a questionnaire with calculated items.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    dict
        A FHIR R4 Questionnaire. Items ``i1``, ... are the inputs.
    """
    about = plan.about
    steps = variables(plan)
    return {
        "resourceType": "Questionnaire",
        "extension": [_expression(f"{CORE}/variable", code, name) for name, code in steps],
        "url": _canonical(plan),
        "version": about["version"],
        "name": "".join(part.capitalize() for part in plan.file_stem.split("_")),
        "title": about["title"],
        "status": STATUS.get(str(about["status"]), "draft"),
        "experimental": about["status"] != "active",
        "subjectType": ["Patient"],
        "description": f"Outcome: {about['outcome']}. Population: {about['population']}",
        "purpose": f"{about['intended_use']} Not for: {about['not_for']}",
        "copyright": "May be used under the MIT licence.",
        "item": [_item(rule, place) for place, rule in enumerate(plan.inputs, start=1)]
        + _calculated(plan),
    }


def _item(rule: InputRule, place: int) -> dict[str, Any]:
    item: dict[str, Any] = {
        "linkId": f"i{place}",
        "text": rule.label.strip() or rule.name,
        "type": "decimal" if rule.numeric else "choice",
        "required": rule.fill is None,
    }
    extensions: list[dict[str, Any]] = []
    if rule.numeric:
        if rule.unit:
            unit = {"system": UCUM, "code": rule.unit, "display": unit_text(rule.unit) or "1"}
            extensions.append({"url": f"{CORE}/questionnaire-unit", "valueCoding": unit})
        assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
        if rule.lowest > -LARGEST_INPUT:
            extensions.append({"url": f"{CORE}/minValue", "valueDecimal": rule.lowest})
        if rule.highest < LARGEST_INPUT:
            extensions.append({"url": f"{CORE}/maxValue", "valueDecimal": rule.highest})
    else:
        item["answerOption"] = [
            {"valueCoding": {"code": code, "display": label or code}} for code, label in rule.levels
        ]
    return {"extension": extensions, **item} if extensions else item


def _calculated(plan: Plan) -> list[dict[str, Any]]:
    items = [
        ("points", f"Points, 0 to {len(plan.thresholds)}", "integer"),
        *(
            (f"risk{number}", f"Risk by {row.words} (0 to 1)", "decimal")
            for number, row in enumerate(plan.horizons, start=1)
        ),
        ("group", "Risk group", "string"),
        ("refusals", "Why there is no score", "string"),
        ("warnings", "Warnings", "string"),
    ]
    return [
        {
            "extension": [_expression(f"{SDC}/sdc-questionnaire-calculatedExpression", f"%{name}")],
            "linkId": name,
            "text": words,
            "type": kind,
            "readOnly": True,
        }
        for name, words, kind in items
    ]


def response(plan: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write one patient's inputs as answers to the questionnaire.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    values : mapping
        Input -> value; missing ones are None or absent.

    Returns
    -------
    dict
        A FHIR R4 QuestionnaireResponse.
    """
    items = []
    for place, rule in enumerate(plan.inputs, start=1):
        value = values.get(rule.name)
        if value is None:
            continue
        answer = {"valueDecimal": value} if rule.numeric else {"valueCoding": {"code": value}}
        items.append({"linkId": f"i{place}", "answer": [answer]})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{_canonical(plan)}|{plan.about['version']}",
        "status": "completed",
        "item": items,
    }


def _example(plan: Plan) -> Mapping[str, Any]:
    return next(vector for vector in plan.vectors if vector["status"] == "ok")


def _group(plan: Plan, points: int) -> str:
    return next(label for label, first, last in plan.groups if first <= points <= last)


def risk_assessment(plan: Plan, vector: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write a result as a system would store it.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    vector : mapping
        A scored test vector.

    Returns
    -------
    dict
        A FHIR R4 RiskAssessment; probabilities stand as per cent, as its range type demands.
    """
    about = plan.about
    predictions = []
    for row, risk in zip(plan.horizons, vector["risk"], strict=True):
        share = {"value": 100.0 * risk, **PERCENT}
        end = {"value": row.days, "unit": "days", "system": UCUM, "code": "d"}
        start = {"value": 0, "unit": "days", "system": UCUM, "code": "d"}
        predictions.append(
            {
                "outcome": {"text": about["outcome"]},
                "probabilityRange": {"low": share, "high": share},
                "qualitativeRisk": {"text": _group(plan, vector["points"])},
                "whenRange": {"low": start, "high": end},
            }
        )
    return {
        "resourceType": "RiskAssessment",
        "identifier": [{"system": "urn:scorebuilder:core_id", "value": about["core_id"]}],
        "status": "final",
        "method": {"text": f"{about['title']} ({about['name']} {about['version']})"},
        "subject": {"reference": "Patient/example"},
        "basis": [{"reference": "QuestionnaireResponse/example"}],
        "prediction": predictions,
        "note": [{"text": f"{vector['points']} of {len(plan.thresholds)} points. {_limits(plan)}"}],
    }


def _limits(plan: Plan) -> str:
    return f"Status: {plan.about['status']}. Not for: {plan.about['not_for']}"


def cds_card(plan: Plan, vector: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write a result as a decision support service would answer.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    vector : mapping
        A scored test vector.

    Returns
    -------
    dict
        A CDS Hooks response with one information card.
    """
    about = plan.about
    risks = "; ".join(
        f"{100 * risk:.1f} % by {row.words}"
        for row, risk in zip(plan.horizons, vector["risk"], strict=True)
    )
    summary = f"{vector['points']} of {len(plan.thresholds)} points: risk {risks}"
    detail = (
        f"Outcome: {about['outcome']}\n\nRisk group: {_group(plan, vector['points'])}\n\n"
        f"{_limits(plan)}"
    )
    return {
        "cards": [
            {
                "summary": summary if len(summary) < 140 else f"{summary[:138]}…",
                "indicator": "info",
                "detail": detail,
                "source": {"label": f"{about['title']} ({about['name']} {about['version']})"},
            }
        ]
    }


def write_fhir(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score for FHIR R4.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        A Questionnaire, and as examples a QuestionnaireResponse, a RiskAssessment and a CDS Hooks
        response of a made-up patient.
    """
    plan = make_plan(artifact)
    example = _example(plan)
    resources = {
        "Questionnaire": questionnaire(plan),
        "QuestionnaireResponse.example": response(plan, example["inputs"]),
        "RiskAssessment.example": risk_assessment(plan, example),
        "cds-hooks.example": cds_card(plan, example),
    }
    return {f"{plan.file_stem}.{name}.json": dump_json(one) for name, one in resources.items()}


TARGETS.register(
    "fhir",
    Target(
        "fhir",
        "FHIR R4 questionnaire with calculated answers, and examples",
        write_fhir,
        "The Questionnaire computes points and risks with FHIRPath (SDC calculatedExpression) from "
        "the variables at its root. Answers to test_vectors.json must give the same results before "
        "it is used.",
    ),
)
