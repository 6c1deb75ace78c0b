import json
import logging
import sys
import threading
from types import ModuleType

import pytest
import torch
from digests import digests_of
from runs import CONFIG, write_experiment

from fivefold.config import parse
from fivefold.core.errors import ConfigError, NumericError
from fivefold.core.progress import Silent
from fivefold.data import channels
from fivefold.engine import stage
from fivefold.engine.callbacks import build_callbacks
from fivefold.experiment import executors, workers
from fivefold.experiment.executors import how_many
from fivefold.experiment.experiment import Experiment

THREE = CONFIG.replace("folds_count: 2", "folds_count: 3\ntestSplit: 0.2")
# Times differ between any two runs; so do the stamps of the drawn files.
NOT_COMPARED = {"manifest.json", "audit.json"}


@pytest.fixture(autouse=True)
def _nothing_is_open_but_our_own(monkeypatch):
    """Take what other tests and pytest have left open for nothing that a data set shares."""
    monkeypatch.setattr(channels, "_own", set(channels._own))
    channels.adopt()


@pytest.fixture
def machine(monkeypatch):
    """Give the machine so many cores and GPUs."""

    def settle(cores, gpus=0):
        monkeypatch.setattr(executors, "usable_cores", lambda: cores)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)

    return settle


@pytest.mark.parametrize(
    ("cores", "gpus", "threads", "left", "number"),
    [
        (8, 0, 1, 5, 5),
        (2, 0, 1, 5, 2),
        (8, 0, 3, 5, 2),
        (1, 0, 2, 5, 1),
        (8, 0, 1, 1, 1),
        (8, 0, 1, 0, 1),
        (16, 1, 1, 5, 1),
        (16, 4, 1, 5, 4),
        (16, 8, 1, 5, 5),
    ],
)
def test_the_machine_decides_how_many_folds_run_at_once(
    machine, cores, gpus, threads, left, number
):
    machine(cores, gpus)
    torch.set_num_threads(threads)
    assert how_many(None, left) == number


def test_who_asks_gets_as_many_as_there_are_folds(machine):
    machine(1)
    assert [how_many(wanted, 3) for wanted in (1, 2, 9)] == [1, 2, 3]


def test_gpus_are_those_that_the_environment_leaves(machine, monkeypatch):
    machine(4, 2)
    with monkeypatch.context() as patch:
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        assert executors._gpus() == ["0", "1"]
        patch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-8f")
        assert executors._gpus() == ["5", "GPU-8f"]
    machine(4, 0)
    assert executors._gpus() == []


def test_fewer_than_one_fold_at_once_is_refused(tmp_path):
    run = Experiment.load(write_experiment(tmp_path))
    with pytest.raises(ConfigError, match="jobs: expected at least 1, got 0") as error:
        run.fit(jobs=0)
    assert error.value.slug == "config/bad-value"
    assert not (tmp_path / ".lock").exists()


def contents(folder):
    return digests_of(folder, (p for p in folder.rglob("*") if p.name not in NOT_COMPARED))


def processes_of(monkeypatch, tmp_path):
    """Let each fold leave the number of its process; those of forks only."""
    real = workers.run_fold

    def leave(work, job):
        (tmp_path / f"process-of-{job.fold}").touch()
        return real(work, job)

    monkeypatch.setattr(workers, "run_fold", leave)


def test_folds_at_once_give_the_same_bytes_and_warnings(tmp_path, monkeypatch):
    def grumble(items):
        logging.getLogger("fivefold.engine.stage").warning("a fold grumbles")
        return build_callbacks(items)

    monkeypatch.setattr(stage, "build_callbacks", grumble)
    found = []
    for jobs in (1, 2):
        folder = tmp_path / f"{jobs}"
        folder.mkdir()
        Experiment.load(write_experiment(folder, config=THREE)).fit(jobs=jobs)
        found.append((contents(folder), json.loads((folder / "manifest.json").read_text())))
    assert found[1][0] == found[0][0]
    assert {"weights", "metrics", "predictions", "examples"} <= {
        p.split("/")[0] for p in found[0][0]
    }
    assert found[1][1]["warnings"] == found[0][1]["warnings"]
    assert "a fold grumbles" in found[0][1]["warnings"]


def test_folds_at_once_are_forks_where_that_is_safe(tmp_path, monkeypatch):
    processes_of(monkeypatch, tmp_path)
    Experiment.load(write_experiment(tmp_path)).fit(jobs=2)
    expected = {"process-of-0", "process-of-1"} if sys.platform == "linux" else set()
    assert {path.name for path in tmp_path.glob("process-of-*")} == expected
    assert not (tmp_path / "state").exists()


class Told(Silent):
    """Remembers lines."""

    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)


class Locked:
    """A data set that no other process can be given, with a thread that no fork would have."""

    def __init__(self):
        self.lock = threading.Lock()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.end.wait)
        self.thread.start()

    def __len__(self):
        return 12

    def __getitem__(self, position):
        from fivefold.experiment.musket_api import PredictionItem

        pixels = torch.full((32, 32, 3), 20 * position, dtype=torch.uint8).numpy()
        return PredictionItem(f"{position}", pixels, [position % 2, 1 - position % 2])


@pytest.mark.parametrize(
    ("jobs", "can_fork", "apart"),
    [(None, True, True), (None, False, False), ("auto", False, True), (2, False, True)],
)
def test_a_script_that_asks_for_nothing_is_not_imported_again(
    tmp_path, monkeypatch, machine, jobs, can_fork, apart
):
    machine(2)
    asked = []
    monkeypatch.setattr(executors, "_can_fork", lambda _source: can_fork)
    monkeypatch.setattr(executors, "_orders", lambda *args: asked.append(args))
    Experiment.load(write_experiment(tmp_path)).fit(jobs=jobs)
    assert bool(asked) is apart


def test_data_that_cannot_go_to_other_processes_are_trained_on_here(tmp_path, caplog):
    (tmp_path / "config.yaml").write_text(CONFIG.partition("dataset:")[0])
    data, told = Locked(), Told()
    try:
        Experiment.load(tmp_path, progress=told).fit(data, jobs=2)
    finally:
        data.end.set()
        data.thread.join()
    assert told.lines[-1] == "fold 1: done"
    assert [m for m in caplog.messages if "one by one" in m] == [
        "folds run one by one: the data cannot go to other processes: "
        "cannot pickle '_thread.lock' object"
    ]


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "own code that was typed in, as in a notebook, is not to be found there"),
        ({"__file__": "<stdin>"}, "the program is no file that they could read: <stdin>"),
    ],
)
def test_what_was_typed_in_is_trained_on_here(tmp_path, caplog, monkeypatch, attributes, reason):
    main = ModuleType("__main__")
    vars(main).update(attributes)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(executors, "_can_fork", lambda _source: False)
    told = Told()
    run = Experiment.load(write_experiment(tmp_path), progress=told)  # "tiny" is own code
    run.fit(jobs=2)
    assert told.lines[-1] == "fold 1: done"
    expected = f"folds run one by one: the data cannot go to other processes: {reason}"
    assert expected in caplog.messages


def test_a_script_and_a_module_that_is_run_are_imported_again(tmp_path, monkeypatch):
    script, module = ModuleType("__main__"), ModuleType("__main__")
    script.__file__ = __file__
    module.__spec__ = sys.modules["pytest"].__spec__
    for main in (script, module):
        monkeypatch.setitem(sys.modules, "__main__", main)
        assert executors._lost_on_the_way(b"of __main__", parse("lr: 0.1")) == ""


def test_a_failed_fold_leaves_the_others_whole_and_is_gone_on_with(tmp_path, monkeypatch):
    write_experiment(tmp_path, config=THREE)
    real = workers.run_fold

    def fail(work, job):
        if job.fold == 1:
            msg = "loss: got NaN"
            raise NumericError(msg, slug="numeric/loss")
        return real(work, job)

    monkeypatch.setattr(workers, "run_fold", fail)
    told = Told()
    with pytest.raises(NumericError, match="loss: got NaN"):
        Experiment.load(tmp_path, progress=told).fit(jobs=2)
    assert {"fold 0: done", "fold 2: done"} <= set(told.lines)
    monkeypatch.undo()
    assert Experiment.load(tmp_path).fit(jobs=2).completed


@pytest.mark.slow
def test_processes_that_inherit_nothing_give_the_same_bytes(tmp_path, monkeypatch):
    found = []
    for method in ("fork", "spawn"):
        monkeypatch.setattr(executors, "_can_fork", lambda _source, method=method: method == "fork")
        folder = tmp_path / method
        folder.mkdir()
        (folder / "own.py").write_text("import tiny\n")
        config = CONFIG + "imports: [own]\n"
        run = Experiment.load(write_experiment(folder, config=config), allow_imports=True)
        run.fit(jobs=2)
        found.append(contents(folder))
    assert {k: v for k, v in found[1].items() if "own" not in k} == {
        k: v for k, v in found[0].items() if "own" not in k
    }
