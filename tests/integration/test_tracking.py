"""Runs that log to TensorBoard and MLflow: broken off, resumed, folds at once."""

from pathlib import Path

import pytest
import torch
from runs import StopAfter, StopError
from shapes import draw_folders
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fivefold.engine.callbacks.mlflow_runs import settings
from fivefold.engine.history import read_history
from fivefold.experiment.experiment import Experiment

torch.set_num_threads(1)

pytestmark = pytest.mark.slow

TRACKING = Path(__file__).parents[1] / "fixtures" / "musket" / "tracking.yaml"
SMALL = (
    "architecture=tiny",
    "weights=none",
    "shape=[32, 32, 3]",
    "folds_count=2",
    "batch=4",
    "dataset={folder: shapes}",
)


def experiment(root, progress=None):
    if not root.exists():
        draw_folders(root / "shapes", 6)
        (root / "config.yaml").write_text(TRACKING.read_text())
    return Experiment.load(root, SMALL, progress=progress)


def mlflow_runs(root):
    with settings():
        from mlflow import MlflowClient

        uri = f"sqlite:///{root / 'runs' / 'runs.db'}"
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = client.search_runs([client.get_experiment_by_name("shapes").experiment_id])
        histories = {
            run.data.tags["fivefold.fold"]: {
                name: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            }
            for run in found
        }
        assert len(histories) == len(found)
        return {run.data.tags["fivefold.fold"]: run for run in found}, histories


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_was_broken_off_is_logged_as_if_it_had_not_been(tmp_path, jobs):
    root = tmp_path / "run"
    for epochs in (3, 2):
        with pytest.raises(StopError, match="epoch"):
            experiment(root, StopAfter(epochs)).fit(jobs=1)
    run = experiment(root)
    run.fit(jobs=jobs)

    runs, histories = mlflow_runs(root)
    assert runs.keys() == {"all", "0", "1"}
    assert {each.info.status for each in runs.values()} == {"FINISHED"}
    for fold in (0, 1):
        rows = [row for s in (0, 1) for row in read_history(run.folder.metrics(fold, s))]
        for name in ("loss", "val_loss", "val_accuracy", "lr"):
            logged = histories[str(fold)][name]
            assert sorted(logged) == [(step, row[name]) for step, row in enumerate(rows)]
    files = {path.name for path in (root / "runs" / "mlflow-artifacts").rglob("*")}
    assert {"config.yaml", "summary.yaml", "oof.csv", "best-0.1.safetensors"} <= files

    for place in ("0.0", "0.1", "1.0", "1.1"):
        events = EventAccumulator(str(root / "logs" / place))
        events.Reload()
        assert sorted(e.step for e in events.Scalars("val_loss")) == [0, 1]
        assert len(events.Images("confusion_matrix")) == 2
        fold, stage = place.split(".")
        pictures = sorted((root / "examples" / stage / fold).glob("epoch-*.png"))
        assert [path.stem for path in pictures] == ["epoch-000000", "epoch-000001"]


def test_examples_are_the_same_whether_or_not_a_run_was_broken_off(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    options = ("callbacks=[]", "example_epochs=4", "stages.1.epochs=4")
    for root, stops in ((broken, (1, 3)), (whole, ())):
        experiment(root)
        for epochs in stops:
            with pytest.raises(StopError, match="epoch"):
                Experiment.load(root, (*SMALL, *options), progress=StopAfter(epochs)).fit(folds=[0])
        Experiment.load(root, (*SMALL, *options)).fit(folds=[0])
    names = sorted(path.relative_to(whole) for path in (whole / "examples").rglob("epoch-*.png"))
    assert len(names) == 2 + 4
    assert all((broken / name).read_bytes() == (whole / name).read_bytes() for name in names)
