"""The score as an MLflow model: its code, what goes in and out, and an example of nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scorebuilder import __version__
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict_table import number_columns

MODEL_CODE = Path(__file__).parent / "score_pyfunc.py"


def log_score(artifact: ScoreArtifact, file: Path) -> Any:
    """
    Log a score into the open MLflow run, as a model that is code and ``score.json``.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    file : Path
        Its ``score.json``.

    Returns
    -------
    mlflow.models.model.ModelInfo
        Of the logged model; nothing is registered by this.
    """
    import mlflow

    content = artifact.content
    identity = {key: content[key] for key in ("version", "status", "core_id", "artifact_sha256")}
    return mlflow.pyfunc.log_model(
        name="score",
        python_model=str(MODEL_CODE),
        artifacts={"score": str(file)},
        signature=signature(artifact),
        input_example=synthetic_patient(artifact),
        pip_requirements=[f"scorebuilder=={__version__}"],
        metadata={**identity, "score": content["name"], "needed_inputs": needed_inputs(artifact)},
    )


def needed_inputs(artifact: ScoreArtifact) -> list[str]:
    """
    Name the inputs without which nobody is scored.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    list of str
        Predictors that are not filled when missing.
    """
    predictors = artifact.scoring["predictors"]
    return [item["id"] for item in predictors if item["missing"]["policy"] != "impute"]


def signature(artifact: ScoreArtifact) -> Any:
    """
    Say what goes in and out.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    mlflow.models.ModelSignature
        Inputs of any type, none of them required: MLflow's own refusal of a column quotes the whole
        table, and so patients. The score refuses in its own words, without a value.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    inputs = [ColSpec(AnyType(), name, required=False) for name in artifact.predictors]
    numbers = [*number_columns(artifact), *(f"contribution_{name}" for name in artifact.predictors)]
    outputs = [ColSpec("double", name) for name in numbers]
    outputs += [ColSpec("string", name) for name in ("status", "risk_group")]
    outputs += [ColSpec("string", name) for name in ("warnings", "refusals")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def synthetic_patient(artifact: ScoreArtifact) -> Any:
    """
    Make an example of the input from ranges and levels; nobody's values.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    DataFrame
        One row.
    """
    import pandas as pd

    values: dict[str, Any] = {}
    for item in artifact.scoring["predictors"]:
        if item["type"] == "numeric":
            known = [end for end in item["soft_range"] if end is not None] or [1.0]
            values[item["id"]] = float(sum(known) / len(known))
        else:
            values[item["id"]] = item["levels"][0]["code"]
    return pd.DataFrame([values])
