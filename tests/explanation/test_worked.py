"""A worked patient is what the printed equation gives, and what the score gives."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from scorebuilder.explanation.equation import equation_lines
from scorebuilder.explanation.worked import work_out


def printed(lines: list[str], inputs: dict[str, Any]) -> tuple[float, dict[str, float], int]:
    """Read the printed lines as a person would: linear predictor, risks by horizon, points."""
    names = {**inputs, "ln": np.log, "exp": np.exp, "min": min, "max": max}
    linear, risks, reached = 0.0, {}, 0
    for line in lines:
        text = line.replace("^", "**")
        for name in inputs:
            text = re.sub(rf"\[{name} = ([^\]]+)\]", rf"float({name} in '\1'.split(' or '))", text)
        text = re.sub(r"\[([^\]]+)\]", r"float(\1)", text)
        if re.match(r"  [+-][\d.e+-]+ \* ", line):
            linear += eval(text.strip(), {"__builtins__": {"float": float}}, names)
        elif line.startswith("risk within"):
            horizon, formula = text.removeprefix("risk within ").split(" = ")
            risks[horizon] = eval(formula, {"__builtins__": {}}, {**names, "LP": linear})
        elif re.match(r"  \d+: ", line):
            reached += linear >= float(line.split(": ")[1])
    return linear, risks, reached


def test_patients_from_the_printed_constants(small_score: Any) -> None:
    artifact = small_score.artifact
    levels = {
        row["id"]: {level["code"]: level["label"] for level in row["levels"]}
        for row in artifact.scoring["predictors"]
    }
    vectors = [
        vector
        for vector in artifact.content["evidence"]["test_vectors"]
        if vector["linear_predictor"] is not None
        and not vector.get("warnings")
        and not vector.get("missing")
    ]
    assert len(vectors) > 20
    for vector in vectors:
        shown = {name: levels[name].get(value, value) for name, value in vector["inputs"].items()}
        linear, risks, points = printed(equation_lines(artifact), shown)
        found = work_out(artifact, vector["inputs"])
        # Constants are printed with all digits, so that only the order of additions differs.
        assert found.linear_predictor == pytest.approx(linear, abs=1e-12)
        assert found.linear_predictor == pytest.approx(vector["linear_predictor"], abs=1e-12)
        assert found.points == points == vector["points"]
        assert [row.risk for row in found.risks] == pytest.approx(list(risks.values()), abs=1e-12)
        assert [row.risk for row in found.risks] == pytest.approx(vector["risk"], abs=1e-12)
        assert sum(step.product for step in found.steps) == pytest.approx(linear, abs=1e-12)


def test_the_thresholds_enclose_the_linear_predictor(small_score: Any) -> None:
    for vector in small_score.artifact.content["evidence"]["test_vectors"]:
        if vector["linear_predictor"] is None or vector.get("missing"):
            continue
        found = work_out(small_score.artifact, vector["inputs"])
        last, following = found.thresholds
        assert last is None or last <= found.linear_predictor
        assert following is None or found.linear_predictor < following


def test_missing_inputs_are_named(small_score: Any) -> None:
    name = small_score.artifact.predictors[0]
    with pytest.raises(ValueError, match=rf"all inputs must be known; missing: .*{name}"):
        work_out(small_score.artifact, {})
