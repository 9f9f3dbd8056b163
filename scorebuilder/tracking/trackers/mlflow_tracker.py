"""MLflow as an index over run folders: settings, results, files and the registered score."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorebuilder.core.errors import SpecError
from scorebuilder.score.store import load_artifact
from scorebuilder.tracking.address import POSTGRESQL, SQLITE
from scorebuilder.tracking.items import RunFile, RunItem, RunMetric, RunParam, RunRepeat, RunTable
from scorebuilder.tracking.mlflow_session import quiet, require_mlflow
from scorebuilder.tracking.reach import check_reachable, make_tables
from scorebuilder.tracking.registration import register_version
from scorebuilder.tracking.tracker import Status
from scorebuilder.tracking.trackers import TRACKERS

_FINISHED = "attributes.status = 'FINISHED'"
_DIGEST_LENGTH = 32
"""MLflow refuses dataset digests of more than 36 characters; the whole hash is a tag."""
_LONGEST_PLACE = 150
"""MLflow keeps 200 characters for the place of a run's files, of which the run takes 45."""


class MlflowTracker:
    """
    Record runs in an MLflow store: an experiment for each score, a run for each run folder.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE``, its folder made if needed; ``postgresql+psycopg://...``; or the address
        of a tracking server.
    artifacts : str
        Folder of the logged files, made if needed. Empty: ``mlartifacts`` beside a SQLite file; a
        tracking server keeps them itself; PostgreSQL needs one.

    Raises
    ------
    MissingPartError
        If MLflow is not installed.
    SpecError
        If a folder cannot be written, or has too long a path, or none is given.
    """

    def __init__(self, address: str, artifacts: str = "") -> None:
        require_mlflow()
        self.place: str | None = None
        self.uri = address
        if address.startswith(SQLITE):
            file = Path(address.removeprefix(SQLITE)).absolute()
            self.uri = f"{SQLITE}{file}"
            _make_folder(file.parent)
            artifacts = artifacts or str(file.parent / "mlartifacts")
        if artifacts:
            self.place = _artifact_place(Path(artifacts).absolute())
        elif address.startswith(POSTGRESQL):
            message = (
                "a PostgreSQL store needs a folder for its files, which all who use it can reach; "
                "set `tracking.artifacts` (or `--artifacts`)"
            )
            raise SpecError(message)
        self._params: dict[str, str] = {}
        self._metrics: dict[str, float] = {}
        self._repeats: list[RunRepeat] = []
        self._model_id: str | None = None
        self._dataset: Any = None
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
            If the store refuses, or cannot be reached.
        """
        check_reachable(self.uri)
        make_tables(self.uri)
        with quiet(self.uri):
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
            Name of the score, and of the experiment.
        tags : mapping
            What identifies the run.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        self._params, self._metrics, self._repeats = {}, {}, []
        self._model_id = self._dataset = None
        with quiet(self.uri):
            import mlflow

            self._before = (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            version = tags.get("scorebuilder.version", "")
            mlflow.start_run(
                experiment_id=self._experiment(name),
                run_name=f"{name} {version}".strip(),
                tags=dict(tags),
                log_system_metrics=False,
            )
            if "scorebuilder.data_sha256" in tags:
                self._dataset = _dataset(tags)
                mlflow.log_input(self._dataset, context="development")

    def _experiment(self, name: str) -> str:
        """Find the experiment, or make it; another process may make it at the same time."""
        import mlflow
        from mlflow.exceptions import MlflowException

        found = mlflow.get_experiment_by_name(name)
        if found is None:
            try:
                return str(mlflow.create_experiment(name, artifact_location=self.place))
            except MlflowException:
                found = mlflow.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def log(self, item: RunItem) -> None:
        """
        Add one item to the open run; ``score.json`` also becomes a version of the model.

        Settings and results are written together when the run is closed.

        Parameters
        ----------
        item : RunParam, RunMetric, RunRepeat, RunTable or RunFile
            What is recorded.

        Raises
        ------
        TrackingError
            If the store refuses, or another process registered the score at the same time.
        ArtifactVersionError
            If another artifact is registered under the version of the score.
        """
        if isinstance(item, RunParam):
            self._params[item.name] = item.value
        elif isinstance(item, RunMetric):
            self._metrics[item.name] = item.value
        elif isinstance(item, RunRepeat):
            self._repeats.append(item)
        else:
            with quiet(self.uri):
                self._log_file(item)

    def _log_file(self, item: RunTable | RunFile) -> None:
        import mlflow

        if isinstance(item, RunTable):
            mlflow.log_artifact(str(item.path), artifact_path="tables")
            return
        mlflow.log_artifact(str(item.path))
        if item.name == "score.json":
            client = mlflow.MlflowClient(self.uri, self.uri)
            known = register_version(client, load_artifact(item.path), item.path)
            self._model_id = known.model_id

    def finish(self, status: Status) -> None:
        """
        Write settings and results, close the run, and give MLflow back the addresses that it had.

        Parameters
        ----------
        status : {"finished", "failed"}
            How the record ended.

        Raises
        ------
        TrackingError
            If the store refuses.
        """
        with quiet(self.uri):
            import mlflow

            written = False
            try:
                if mlflow.active_run() is not None:
                    mlflow.log_params(self._params)
                    mlflow.log_metrics(
                        self._metrics, model_id=self._model_id, dataset=self._dataset
                    )
                    self._log_repeats()
                written = True
            finally:
                mlflow.end_run(status.upper() if written else "FAILED")
                if self._before is not None:
                    tracking, registry = self._before
                    mlflow.set_tracking_uri(tracking)
                    mlflow.set_registry_uri(registry)

    def _log_repeats(self) -> None:
        import mlflow

        experiment = mlflow.active_run().info.experiment_id
        for repeat in self._repeats:
            with mlflow.start_run(
                experiment_id=experiment,
                run_name=f"repeat {repeat.number}",
                nested=True,
                log_system_metrics=False,
            ):
                mlflow.log_param("repeat", repeat.number)
                mlflow.log_metrics({item.name: item.value for item in repeat.metrics})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the tracking store needs the folder {folder}: {error.strerror}"
        raise SpecError(message) from None
    if not os.access(folder, os.W_OK):
        message = f"the tracking store needs a folder that can be written: {folder}"
        raise SpecError(message)


def _artifact_place(folder: Path) -> str:
    _make_folder(folder)
    place = folder.as_uri()
    if len(place) > _LONGEST_PLACE:
        message = (
            f"the folder of the store's files must have a path of at most {_LONGEST_PLACE} "
            f"characters (as an address); {folder} has {len(place)}"
        )
        raise SpecError(message)
    return place


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


TRACKERS.register("mlflow", MlflowTracker)
