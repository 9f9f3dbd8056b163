"""MLflow as an index over run folders: settings, results, files and the registered score."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scorebuilder import __version__
from scorebuilder.core.errors import MissingPartError, SpecError
from scorebuilder.core.units import horizon_code
from scorebuilder.tracking.items import RunFile, RunItem, RunMetric, RunParam, RunTable
from scorebuilder.tracking.tracker import Status, TrackingError
from scorebuilder.tracking.trackers import TRACKERS

_SQLITE = "sqlite:///"
_MODEL_CODE = Path(__file__).parent.parent / "score_pyfunc.py"
_FINISHED = "attributes.status = 'FINISHED'"
_DIGEST_LENGTH = 32
"""MLflow refuses dataset digests of more than 36 characters; the whole hash is a tag."""


def telemetry_off() -> None:
    """Switch off what MLflow would send home, and its bars; must come before its import."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"


class MlflowTracker:
    """
    Record runs in an MLflow store; one MLflow run for each experiment.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE``, its folder made if needed and its artifacts kept beside it in
        ``mlartifacts``; or the address of a tracking server.

    Raises
    ------
    MissingPartError
        If MLflow is not installed.
    SpecError
        If the folder of the store cannot be written.
    """

    def __init__(self, address: str) -> None:
        telemetry_off()
        if importlib.util.find_spec("mlflow") is None:
            message = (
                "tracking asks for MLflow, which is not installed; run "
                "`pip install 'scorebuilder[mlflow]'` or set `tracking: none`"
            )
            raise MissingPartError(message)
        self.folder: Path | None = None
        self.uri = address
        if address.startswith(_SQLITE):
            file = Path(address.removeprefix(_SQLITE)).absolute()
            self.folder = file.parent
            self.uri = f"{_SQLITE}{file}"
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                message = f"the tracking store needs the folder {self.folder}: {error.strerror}"
                raise SpecError(message) from None
            if not os.access(self.folder, os.W_OK):
                message = f"the tracking store needs a folder that can be written: {self.folder}"
                raise SpecError(message)
        self._name = ""
        self._params: dict[str, str] = {}
        self._metrics: dict[str, float] = {}
        self._before: tuple[str, str] | None = None

    def knows(self, name: str, tags: Mapping[str, str]) -> bool:
        """
        Tell whether a run was recorded to its end; runs deleted in MLflow do not count.

        Parameters
        ----------
        name : str
            Name of the score.
        tags : mapping
            What identifies the run.

        Returns
        -------
        bool
            True if a finished run in the experiment of that name carries all of these tags.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        with _quiet(self.uri):
            import mlflow

            client = mlflow.MlflowClient(self.uri, self.uri)
            experiment = client.get_experiment_by_name(name)
            page: str | None = "" if experiment else None
            while page is not None:
                runs = client.search_runs(
                    [experiment.experiment_id], _FINISHED, page_token=page or None
                )
                if any(tags.items() <= run.data.tags.items() for run in runs):
                    return True
                page = runs.token or None
        return False

    def start(self, name: str, tags: Mapping[str, str]) -> None:
        """
        Open a run in the MLflow experiment of the score.

        Parameters
        ----------
        name : str
            Name of the score: that of the experiment and of the registered model.
        tags : mapping
            What identifies the run.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        self._name, self._params, self._metrics = name, {}, {}
        with _quiet(self.uri):
            import mlflow

            self._before = (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            experiment = mlflow.get_experiment_by_name(name)
            if experiment is None:
                place = (self.folder / "mlartifacts").as_uri() if self.folder else None
                identity = mlflow.create_experiment(name, artifact_location=place)
            else:
                identity = experiment.experiment_id
            version = tags.get("scorebuilder.version", "")
            mlflow.start_run(
                experiment_id=identity,
                run_name=f"{name} {version}".strip(),
                tags=dict(tags),
                log_system_metrics=False,
            )
            if "scorebuilder.data_sha256" in tags:
                mlflow.log_input(_dataset(tags), context="development")

    def log(self, item: RunItem) -> None:
        """
        Add one item to the open run; ``score.json`` also becomes a version of the model.

        Settings and results are written together when the run is closed.

        Parameters
        ----------
        item : RunParam, RunMetric, RunTable or RunFile
            What is recorded.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        if isinstance(item, RunParam):
            self._params[item.name] = item.value
            return
        if isinstance(item, RunMetric):
            self._metrics[item.name] = item.value
            return
        with _quiet(self.uri):
            import mlflow

            if isinstance(item, RunTable):
                mlflow.log_artifact(str(item.path), artifact_path="tables")
            else:
                mlflow.log_artifact(str(item.path))
                if item.name == "score.json":
                    self._register(item)

    def finish(self, status: Status) -> None:
        """
        Close the run and give MLflow back the addresses that it had.

        Parameters
        ----------
        status : {"finished", "failed"}
            How the record ended.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        with _quiet(self.uri):
            import mlflow

            try:
                if mlflow.active_run() is not None:
                    mlflow.log_params(self._params)
                    mlflow.log_metrics(self._metrics)
            finally:
                mlflow.end_run(status.upper())
                if self._before is not None:
                    tracking, registry = self._before
                    mlflow.set_tracking_uri(tracking)
                    mlflow.set_registry_uri(registry)

    def _register(self, item: RunFile) -> None:
        import mlflow

        content = json.loads(item.path.read_text(encoding="utf-8"))
        info = mlflow.pyfunc.log_model(
            name="score",
            python_model=str(_MODEL_CODE),
            artifacts={"score": str(item.path)},
            signature=_signature(content["scoring"]),
            input_example=_synthetic_patient(content["scoring"]),
            pip_requirements=[f"scorebuilder=={__version__}"],
            registered_model_name=self._name,
            metadata={"core_id": content["core_id"], "version": content["version"]},
        )
        client = mlflow.MlflowClient(self.uri, self.uri)
        number = str(info.registered_model_version)
        for key in ("version", "status", "core_id", "artifact_sha256"):
            client.set_model_version_tag(self._name, number, key, str(content[key]))
        alias = f"score-{content['version'].replace('.', '-')}"
        client.set_registered_model_alias(self._name, alias, number)


def _signature(scoring: Mapping[str, Any]) -> Any:
    """Say what goes in and out; inputs may be left out, the artifact knows which it needs."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [
        ColSpec("double" if item["type"] == "numeric" else "string", item["id"], required=False)
        for item in scoring["predictors"]
    ]
    numbers = ["linear_predictor", "points"]
    numbers += [f"risk_{horizon_code(row['horizon'])}" for row in scoring["baseline"]]
    outputs = [ColSpec("double", name) for name in numbers]
    outputs += [ColSpec("string", name) for name in ("risk_group", "reason")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _synthetic_patient(scoring: Mapping[str, Any]) -> Any:
    """Make an example of the input from ranges and levels; nobody's values."""
    import pandas as pd

    values: dict[str, Any] = {}
    for item in scoring["predictors"]:
        known = [end for end in item["soft_range"] if end is not None] or [1.0]
        is_number = item["type"] == "numeric"
        values[item["id"]] = (
            float(sum(known) / len(known)) if is_number else item["levels"][0]["code"]
        )
    return pd.DataFrame([values])


def _dataset(tags: Mapping[str, str]) -> Any:
    """Name and hash of the data; the data themselves stay where they are."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    data_sha256 = tags["scorebuilder.data_sha256"]
    return MetaDataset(
        CodeDatasetSource({"data_sha256": data_sha256}),
        name=tags.get("scorebuilder.cohort", "cohort")[:500],
        digest=data_sha256[:_DIGEST_LENGTH],
    )


@contextlib.contextmanager
def _quiet(uri: str) -> Iterator[None]:
    """Silence what MLflow is known to say, and name the store when it fails."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            _ignore_known_warnings()
            import mlflow  # noqa: F401 - its import sets the level of its loggers

            with _only_errors("mlflow"), _only_errors("alembic"):
                yield
    except _store_errors() as error:
        first = (str(error).strip().splitlines() or [""])[0]
        message = (
            f"the run folder is complete, but its record in {uri} failed: "
            f"{type(error).__name__}: {first[:300]}. Mend the store, or set `tracking: none`"
        )
        raise TrackingError(message) from error


@contextlib.contextmanager
def _only_errors(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _ignore_known_warnings() -> None:
    known = (
        "The ``noload`` loader strategy is deprecated",  # MLflow's own use of SQLAlchemy
        ".*Any type hint is inferred as AnyType",  # about its own classes, at its import
    )
    for message in known:
        warnings.filterwarnings("ignore", message=message)


def _store_errors() -> tuple[type[Exception], ...]:
    """List the errors of a store; those of the libraries are known once they are imported."""
    found: list[type[Exception]] = [OSError]
    names = {"mlflow.exceptions": "MlflowException", "sqlalchemy.exc": "SQLAlchemyError"}
    for module, name in names.items():
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


TRACKERS.register("mlflow", MlflowTracker)
