"""An experiment's runs on an MLflow server: one for all folds, and one below it for each."""

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from filelock import FileLock

from fivefold.core.durable import read_json, write_json
from fivefold.core.layout import RunFolder
from fivefold.core.optional import require

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing is sent anywhere but where the user says
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # training waits for the answer
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # an open connection must not be forked
}
_EVERYTHING = "all"  # what the run of all folds has where the others have the number of a fold
_MOST_PARAMS, _MOST_METRICS, _LONGEST = 100, 1000, 250
_LONGEST_VALUE = 6000
_PATIENCE = 60.0  # seconds: making a new data base takes some


@dataclass(frozen=True)
class Place:
    """Where runs are kept.

    Attributes:
        root: The experiment's folder.
        tracking_uri: Of the server or the data base.
        experiment: MLflow's name of what the runs belong to.
        artifacts: Where files go if that is new; empty where the server says so.
    """

    root: Path
    tracking_uri: str
    experiment: str
    artifacts: str

    @classmethod
    def of(cls, root: Path, tracking_uri: str, experiment: str, artifacts: str) -> "Place":
        """Fill in what is not given: from MLflow's environment variables, else from the folder.

        Args:
            root: The experiment's folder, where relative paths start.
            tracking_uri: Empty if not given, like the others.
            experiment: MLflow's name of what the runs belong to.
            artifacts: Where files go.
        """
        root = root.resolve()
        uri = _absolute(tracking_uri, root) or os.environ.get("MLFLOW_TRACKING_URI", "")
        uri = uri or f"sqlite:///{root / 'logs' / 'mlflow' / 'mlflow.db'}"
        name = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME", "") or "fivefold"
        if artifacts and "://" not in artifacts:
            artifacts = (root / artifacts).as_uri()
        return cls(root, uri, name, artifacts or _beside(uri, root))

    @property
    def database(self) -> Path | None:
        """The file of the data base; None where there is a server."""
        return _file_of(self.tracking_uri)

    @property
    def lock_path(self) -> Path:
        """Held by who makes a data base or the run of all folds."""
        database = self.database
        if database is None:
            return self.root / "logs" / ".mlflow.lock"
        return database.with_name(f".{database.name}.lock")


class Runs:
    """The runs of one experiment.

    Args:
        place: Where.
        name: Of the run of all folds.
        config: Of the experiment: its parameters.

    Raises:
        Exception: Whatever MLflow, its data base or the network raises, like all methods.
    """

    def __init__(self, place: Place, name: str, config: Mapping[str, Any]) -> None:
        self._client: Any
        place.lock_path.parent.mkdir(parents=True, exist_ok=True)
        with settings(), FileLock(place.lock_path, timeout=_PATIENCE):
            mlflow = require("mlflow", extra="tracking")
            self._entities = require("mlflow.entities", extra="tracking")
            uris = {"tracking_uri": place.tracking_uri, "registry_uri": place.tracking_uri}
            self._client = mlflow.MlflowClient(**uris)
            self._experiment_id = self._find_experiment(place)
            self._mark = _mark_of(RunFolder.of(place.root).mlflow_path)
            parent = self._found(_EVERYTHING) or self._made(_EVERYTHING, name)
            self.parent = str(parent.info.run_id)
            if not parent.data.params:
                self._log_params(config)

    def fold(self, fold: int) -> str:
        """Find the run of a fold, or make it; returns its id."""
        with settings():
            run = self._found(str(fold))
            if run is None:
                run = self._made(str(fold), f"fold {fold}", parent=self.parent)
            return str(run.info.run_id)

    def logged(self, run_id: str) -> set[int]:
        """Find the steps whose numbers a run has."""
        with settings():
            return {metric.step for metric in self._client.get_metric_history(run_id, "loss")}

    def log(self, run_id: str, step: int, numbers: Mapping[str, float]) -> None:
        """Give a run the numbers of a step, all of them or none."""
        now = int(time() * 1000)
        metrics = [
            self._entities.Metric(_key(name), value, now, step) for name, value in numbers.items()
        ]
        with settings():
            for start in range(0, len(metrics), _MOST_METRICS):
                part = metrics[start : start + _MOST_METRICS]
                self._client.log_batch(run_id, metrics=part)

    def tag(self, run_id: str, name: str, value: str) -> None:
        """Mark a run."""
        with settings():
            self._client.set_tag(run_id, name, value)

    def set_status(self, run_id: str, status: str) -> None:
        """Say how a run is: RUNNING, FINISHED or KILLED."""
        with settings():
            if status == "RUNNING":
                self._client.update_run(run_id, status=status)
            else:
                self._client.set_terminated(run_id, status)

    def conclude(self, numbers: Mapping[str, float], files: Mapping[Path, str]) -> None:
        """Give the run of all folds its numbers, once, and files, each in a folder."""
        with settings():
            known = self._client.get_run(self.parent).data.metrics
            new = {name: value for name, value in numbers.items() if _key(name) not in known}
            for path, folder in files.items():
                self._client.log_artifact(self.parent, str(path), folder or None)
        if new:
            self.log(self.parent, 0, new)
        self.set_status(self.parent, "FINISHED")

    def _find_experiment(self, place: Place) -> str:
        chosen = os.environ.get("MLFLOW_EXPERIMENT_ID", "")
        if chosen and place.experiment == "fivefold":
            return chosen
        found = self._client.get_experiment_by_name(place.experiment)
        if found is not None:
            return str(found.experiment_id)
        location = place.artifacts or None
        return str(self._client.create_experiment(place.experiment, artifact_location=location))

    def _found(self, fold: str) -> Any:
        text = f"tags.`fivefold.run` = '{self._mark}' and tags.`fivefold.fold` = '{fold}'"
        runs = self._client.search_runs([self._experiment_id], text, max_results=1)
        return runs[0] if runs else None

    def _made(self, fold: str, name: str, parent: str = "") -> Any:
        tags = {"fivefold.run": self._mark, "fivefold.fold": fold}
        tags |= {"mlflow.source.name": "fivefold", "mlflow.source.type": "LOCAL"}
        tags |= {"mlflow.parentRunId": parent} if parent else {}
        return self._client.create_run(self._experiment_id, tags=tags, run_name=name)

    def _log_params(self, config: Mapping[str, Any]) -> None:
        params = [
            self._entities.Param(_key(k), v[:_LONGEST_VALUE]) for k, v in flattened(config).items()
        ]
        for start in range(0, len(params), _MOST_PARAMS):
            part = params[start : start + _MOST_PARAMS]
            self._client.log_batch(self.parent, params=part)


@contextmanager
def settings() -> Iterator[None]:
    """Let MLflow neither wait long nor talk, unless the user's environment says otherwise."""
    before = {name: os.environ.get(name) for name in _DEFAULTS}
    os.environ.update({name: _DEFAULTS[name] for name, value in before.items() if value is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def flattened(value: Any, key: str = "") -> dict[str, str]:
    """Write a config as texts by their places, such as `stages.0.lr`; what is empty is left out."""
    if isinstance(value, Mapping):
        items = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(v, Mapping | list) for v in value):
        items = [(str(number), item) for number, item in enumerate(value)]
    else:
        return {} if value is None else {key: str(value)}
    parts = [flattened(item, f"{key}.{name}" if key else name) for name, item in items]
    return {name: text for part in parts for name, text in part.items()}


def _mark_of(path: Path) -> str:
    """Read what tells this experiment's runs from all others, or draw it."""
    if not path.exists():
        write_json(path, {"run": secrets.token_hex(16)})
    mark = str(read_json(path).get("run", ""))
    if not re.fullmatch("[0-9a-f]{32}", mark):
        msg = f"{path}: expected the mark of this experiment's runs, got {mark!r}"
        raise ValueError(msg)
    return mark


def _key(name: str) -> str:
    """Make a name one that MLflow takes."""
    return re.sub(r"[^\w. :-]", "_", name)[:_LONGEST]


def _absolute(uri: str, root: Path) -> str:
    """Let a relative path start in the experiment's folder."""
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        return f"sqlite:///{(root / uri.removeprefix('sqlite:///')).resolve()}"
    return uri


def _beside(uri: str, root: Path) -> str:
    """Choose where files go: a server says so itself; MLflow else takes the current folder."""
    if re.match("https?:|databricks", uri):
        return ""
    database = _file_of(uri)
    folder = root / "logs" / "mlflow" if database is None else database.parent
    return (folder / "mlflow-artifacts").as_uri()


def _file_of(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:////") else None


def as_files(root: Path, paths: Sequence[Path], folder: str = "") -> dict[Path, str]:
    """Say into which folder each file goes: where it lies below the experiment, or a given one."""
    return {
        path: folder or path.parent.relative_to(root).as_posix().removeprefix(".")
        for path in paths
        if path.is_file()
    }
