"""The callback that logs to MLflow; a server that does not answer never stops a run."""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import Any

from fivefold.core.errors import MissingExtraError
from fivefold.core.layout import RunFolder
from fivefold.engine.callbacks.mlflow_runs import Place, Runs, as_files
from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    RunResults,
    StageInfo,
    callbacks,
)
from fivefold.engine.history import read_history

logger = logging.getLogger(__name__)

_LATER = 300.0  # seconds until a server is tried again that did not answer
_UNREACHED = (
    "MLflow cannot be logged to: %s; the run goes on, all numbers are in its metrics/, and what is "
    "missing is sent when the server is back, at the end, or by `fivefold fit --only-report`"
)


@callbacks.add(needs=("mlflow", "tracking"))
@dataclass(kw_only=True)
class MLflow(Callback):
    """Logs to MLflow: a run for the experiment, one below it for each fold, stage after stage.

    A fold's run has the numbers of every epoch, and its steps go on from stage to stage. The
    experiment's run has the config as parameters and, when all folds are finished, the numbers
    over folds and the files. A run that is resumed, or taken up after a server was away, gets what
    it lacks and nothing twice. Needs the extra `tracking`.

    Attributes:
        tracking_uri: A server or a data base, such as `sqlite:///../runs.db`, relative to the
            experiment's folder. If not given, MLFLOW_TRACKING_URI counts, else
            `logs/mlflow/mlflow.db` in that folder.
        experiment: MLflow's name of what the runs belong to. If not given,
            MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID counts, else `fivefold`.
        artifacts: A folder or an address for files, for an MLflow experiment that is new. If not
            given, a server decides; with a data base it is `mlflow-artifacts` beside it.
        run_name: Of the experiment's run; if not given, its folder's.
        weights: Log the last stage's weights too.
    """

    tracking_uri: str = ""
    experiment: str = ""
    artifacts: str = ""
    run_name: str = ""
    weights: bool = False

    def __post_init__(self) -> None:
        self._info: StageInfo | None = None
        self._runs: Runs | None = None
        self._rows: list[Mapping[str, float]] = []
        self._logged: set[int] = set()
        self._again = 0.0
        self._warned = False
        self._run_id = ""
        self._first = 0
        self._whole = False

    def on_stage_start(self, info: StageInfo) -> None:
        """Find the fold's run, and give it what it lacks of the epochs before."""
        self._info, self._whole, self._warned = info, False, False
        self._rows = list(info.rows)
        with self._reached():
            before = _rows_before(info)
            self._first, self._rows = len(before), [*before, *info.rows]
            self._find_run(info)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Log the numbers of an epoch."""
        self._rows.append(row)
        if self._info is None:
            return
        self._whole = bool(control.stopped) or epoch + 1 == self._info.epochs
        with self._reached():
            if self._runs is not None:
                self._send(self._runs)
            elif time.monotonic() >= self._again:
                self._find_run(self._info)

    def on_stage_end(self) -> None:
        """Mark which steps the stage has, and whether it was broken off."""
        if self._runs is None or self._info is None:
            return
        with self._reached():
            text = f"{self._first} to {len(self._rows) - 1}"
            self._runs.tag(self._run_id, f"fivefold.stage.{self._info.stage}.steps", text)
            self._runs.set_status(self._run_id, "FINISHED" if self._whole else "KILLED")

    def on_results(self, results: RunResults) -> None:
        """Log what there is of all folds, and all epochs that a server has not got."""
        files = as_files(results.root, results.files)
        if self.weights:
            files |= as_files(results.root, results.weights, "weights")
        with self._reached():
            runs = self._open(results.root, results.config)
            for fold, rows in enumerate(_all_rows(results.root)):
                run_id = runs.fold(fold)
                self._rows, self._run_id, self._logged = rows, run_id, runs.logged(run_id)
                self._send(runs)
                runs.set_status(run_id, "FINISHED")
            runs.conclude(results.numbers, files)

    def _find_run(self, info: StageInfo) -> None:
        runs = self._open(info.root, info.config)
        self._run_id = runs.fold(info.fold)
        runs.set_status(self._run_id, "RUNNING")
        self._logged = runs.logged(self._run_id)
        self._send(runs)
        self._runs = runs

    def _open(self, root: Path, config: Mapping[str, Any]) -> Runs:
        place = Place.of(root, self.tracking_uri, self.experiment, self.artifacts)
        return Runs(place, self.run_name or place.root.name, config)

    def _send(self, runs: Runs) -> None:
        for step, row in enumerate(self._rows):
            if step not in self._logged:
                runs.log(self._run_id, step, row)
                self._logged.add(step)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Go on without the server when it fails, and try again some minutes later."""
        try:
            yield
        except MissingExtraError:
            raise
        except Exception as error:  # MLflow, SQLAlchemy and the network have no common kind
            self._runs, self._again = None, time.monotonic() + _LATER
            text = re.sub(r"//[^/@\s]+@", "//…@", str(error))  # no passwords in records
            reason = shorten(f"{type(error).__name__}: {text}", 200, placeholder=" …")
            if not self._warned:
                logger.warning(_UNREACHED, reason)
            self._warned = True


def _rows_before(info: StageInfo) -> list[Mapping[str, float]]:
    """Read the numbers of the stages before."""
    folder = RunFolder.of(info.root)
    return [row for s in range(info.stage) for row in read_history(folder.metrics(info.fold, s))]


def _all_rows(root: Path) -> Iterator[list[Mapping[str, float]]]:
    """Read the numbers of all stages, fold by fold."""
    folder = RunFolder.of(root)
    for fold in count():
        if not folder.metrics(fold, 0).exists():
            return
        rows: list[Mapping[str, float]] = []
        for stage in count():
            if not folder.metrics(fold, stage).exists():
                break
            rows += read_history(folder.metrics(fold, stage))
        yield rows
