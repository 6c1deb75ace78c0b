import json
from pathlib import Path

import pytest

from benchmarks.arms import FailedError
from benchmarks.data import PictureSet
from benchmarks.ours import accuracy_of, config_text
from benchmarks.peers.harness import Events, read_task
from benchmarks.workload import Workload
from fivefold.config import ExperimentConfig, parse


def workload(**more):
    return Workload(PictureSet(Path("/data"), {"a/1": 0}), Path("/w.safetensors"), **more)


def test_workload_is_a_config_that_this_version_honours():
    config = parse(config_text(workload()))
    assert isinstance(config, ExperimentConfig)
    assert config.not_yet() == []
    assert [stage.frozen for stage in config.resolve()] == [True, False]
    assert config.resolve()[0].initial_weights == "/w.fivefold.safetensors"
    assert config.resolve()[1].initial_weights == ""


def test_what_chooses_the_epoch_is_the_configs_primary_metric():
    assert parse(config_text(workload(chosen_by="val_loss"))).primary_metric == "val_loss"


def test_best_precision_is_the_fast_profile():
    assert parse(config_text(workload(precision="best"))).profile == "fast"


def test_stage_without_epochs_is_left_out():
    config = parse(config_text(workload(epochs_full=0, augmented=False), {"frozen_views": 0}))
    assert len(config.stages) == 1
    assert config.frozen_views == 0
    assert config.augmentation == ()


def table(tmp_path, *rows):
    path = tmp_path / "oof.csv"
    path.write_text("\n".join(["id,fold,truth,label,confidence", *rows]) + "\n")
    return path


def test_accuracy_is_of_the_folds_that_the_peers_run(tmp_path):
    path = table(tmp_path, "a/1,0,a,a,1", "a/2,0,a,b,1", "b/1,1,b,b,1")
    fold_of = {"a/1": 0, "a/2": 0, "b/1": 1}
    assert accuracy_of(path, fold_of) == pytest.approx(2 / 3)
    assert accuracy_of(path, fold_of, folds=1) == 0.5


def test_other_folds_than_the_peers_are_refused(tmp_path):
    with pytest.raises(FailedError, match="got others for 1 pictures"):
        accuracy_of(table(tmp_path, "a/1,1,a,a,1"), {"a/1": 0})


def test_peers_read_what_the_driver_writes():
    words = ["--data", "d", "--weights", "w", "--out", "o", "--epochs", "5", "0", "--tuned"]
    task = read_task(words)
    assert task.stages == [(True, 5, 0.1)]
    assert (task.tuned, task.half, task.augmented) == (True, False, False)


def test_event_is_told_once(tmp_path):
    events = Events(tmp_path)
    events.once("first step")
    events.once("first step")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["first step"]
