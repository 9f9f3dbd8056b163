"""The code of the registered MLflow model: it scores from ``score.json`` alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

OWN_NAME = "scorebuilder.tracking.score_pyfunc"


def build_model() -> Any:
    """
    Make the model that MLflow calls.

    Returns
    -------
    mlflow.pyfunc.PythonModel
        `predict` takes a table of predictors of any column types and returns, for each patient,
        what `judge_table` says: status, linear predictor, points, risks, risk group,
        contributions, warnings and refusals.
    """
    from mlflow.pyfunc import PythonModel

    from scorebuilder.score.store import load_artifact
    from scorebuilder.score.verdict_table import judge_table

    class _ScoreModel(PythonModel):  # type: ignore[misc]
        def load_context(self, context: Any) -> None:
            self.artifact = load_artifact(context.artifacts["score"])

        def predict(
            self,
            context: Any,  # noqa: ARG002 - MLflow passes it
            model_input: pd.DataFrame,
            params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow passes it
        ) -> pd.DataFrame:
            return judge_table(self.artifact, model_input)

    return _ScoreModel()


if __name__ != OWN_NAME:  # MLflow runs this file under a name of its own
    from mlflow.models import set_model

    set_model(build_model())
