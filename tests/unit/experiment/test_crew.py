import errno
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import fields

import pytest

from fivefold.core.errors import (
    ConfigError,
    DataError,
    NumericError,
    Problem,
    ResourceError,
    WorkerError,
)
from fivefold.core.layout import RunFolder
from fivefold.engine.pace import Pace, TimeOverError
from fivefold.experiment import workers
from fivefold.experiment.crew import Crew
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.work import Work
from fivefold.experiment.workers import Order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these processes are forks")


class Watcher:
    """Remembers what it was shown."""

    def __init__(self):
        self.lines, self.bars, self.open = [], {}, set()

    @contextmanager
    def bar(self, description, total):
        self.bars[description] = [total, 0]
        self.open.add(description)

        def advance(steps):
            self.bars[description][1] += steps

        try:
            yield advance
        finally:
            self.open.remove(description)

    def line(self, text):
        self.lines.append(text)


@pytest.fixture
def work(tmp_path):
    """What a crew and its processes need of `Work`, for folds that train nothing."""
    known = {
        "folder": RunFolder.of(tmp_path),
        "progress": Watcher(),
        "pace": Pace({0: 4}),
    }
    return Work(**{field.name: None for field in fields(Work)} | known)


@pytest.fixture
def run(work, monkeypatch):
    """Run a function as folds 0, 1, …; gives the folds that are done."""

    def start(train, *, folds=3, at_once=2):
        monkeypatch.setattr(workers, "run_fold", train)
        orders = [Order(work, FoldPlan(fold, 0, 1), 1, logging.INFO) for fold in range(folds)]
        return Crew(work, "fork").run(orders, at_once)

    yield start
    assert multiprocessing.active_children() == []


def test_bars_lines_and_the_pace_of_all_folds_arrive(work, run):
    def train(work, job):
        work.pace.skip(0, 0)
        with work.progress.bar(f"fold {job.fold}", 5) as advance:
            advance(2)
            advance(3)
        work.progress.line(f"fold {job.fold}: {work.pace.tick(0, 6.0)}")

    assert sorted(run(train, folds=4)) == [0, 1, 2, 3]
    shown = work.progress
    assert shown.bars == {f"fold {fold}": [5, 5] for fold in range(4)}
    assert shown.open == set()
    assert {line[:6] for line in shown.lines} == {f"fold {fold}" for fold in range(4)}
    assert {line.split(": ")[1].split(",")[0] for line in shown.lines} == {
        f"{count} of 4 epochs" for count in range(1, 5)
    }


def test_never_more_folds_run_than_were_asked_for_and_each_has_its_own_process(run, tmp_path):
    def train(work, job):
        (tmp_path / f"{job.fold}").write_text(f"{os.getpid()}")
        assert len(list(tmp_path.glob("?"))) <= 2
        time.sleep(0.1)
        (tmp_path / f"{job.fold}").rename(tmp_path / f"{job.fold}-done")

    assert sorted(run(train, folds=5)) == [0, 1, 2, 3, 4]
    assert len({p.read_text() for p in tmp_path.glob("?-done")} | {f"{os.getpid()}"}) == 6


def test_what_is_logged_is_logged_here_once(run, caplog):
    def train(work, job):
        logging.getLogger("fivefold.data.audit").warning("rare class %r", "x")
        logging.getLogger("fivefold").info("fold %d", job.fold)
        logging.getLogger("fivefold").debug("not at this level")

    with caplog.at_level(logging.INFO, "fivefold"):
        list(run(train))
    said = sorted((r.name, r.levelname, r.getMessage()) for r in caplog.records)
    assert said == [
        *(("fivefold", "INFO", f"fold {fold}") for fold in range(3)),
        ("fivefold.data.audit", "WARNING", "rare class 'x'"),
    ]


def test_others_end_when_a_fold_fails_and_the_first_error_is_raised(work, run, caplog):
    def train(work, job):
        if job.fold == 0:
            time.sleep(0.3)
            msg = "loss: got NaN"
            raise NumericError(msg, hint="lower the rate", slug="numeric/loss")
        if job.fold == 1:
            msg = "b.png: gone"
            raise DataError(msg, slug="data/vanished")

    done = []
    with pytest.raises(NumericError, match="loss: got NaN\n    lower the rate") as error:
        done.extend(run(train, folds=4))
    assert (error.value.slug, error.value.hint) == ("numeric/loss", "lower the rate")
    assert "fold 1: failed, the others go on: b.png: gone" in work.progress.lines
    assert caplog.messages == ["fold 1 has failed too: b.png: gone"]


def test_folds_that_are_done_are_told_before_the_error(run):
    def train(work, job):
        if job.fold == 0:
            raise ConfigError([Problem("config/bad-value", "c.yaml:1", "lr: bad")])

    done, iterator = [], run(train)
    with pytest.raises(ConfigError, match="lr: bad") as error:
        done.extend(iterator)
    assert sorted(done) == [1, 2]
    assert error.value.problems[0].where == "c.yaml:1"


class UnportableError(Exception):
    """Cannot be made again from its text."""

    def __init__(self, first, second):
        super().__init__(first)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ZeroDivisionError("by zero"), ZeroDivisionError, "by zero"),
        (UnportableError("odd", 1), RuntimeError, "UnportableError: odd"),
        (FileNotFoundError(2, "gone", "a.png"), FileNotFoundError, "a.png"),
    ],
)
def test_a_defect_comes_with_its_traceback(run, error, kind, text):
    def train(work, job):
        raise error

    with pytest.raises(kind, match=text) as raised:
        list(run(train, folds=2))
    assert "in train\n    raise error" in "".join(raised.value.__notes__)


@pytest.mark.parametrize(
    ("number", "name", "hint"),
    [
        (signal.SIGKILL, "SIGKILL", "memory has run out, most likely: `fivefold fit .* --jobs 1`"),
        (signal.SIGTERM, "SIGTERM", "`fivefold fit .*` goes on after the last finished epoch"),
        (signal.SIGUSR1, "SIGUSR1", "`fivefold fit .*` goes on after the last finished epoch"),
    ],
)
def test_a_killed_process_is_named_and_the_others_end(work, run, number, name, hint):
    def train(work, job):
        with work.progress.bar(f"train {job.fold}", 1):
            if job.fold == 1:
                os.kill(os.getpid(), number)

    done, iterator = [], run(train)
    expected = rf"^fold 1: expected its process to tell its end, got {name}\n    {hint}"
    with pytest.raises(WorkerError, match=expected) as error:
        done.extend(iterator)
    assert sorted(done) == [0, 2]
    assert (error.value.slug, error.value.exit_code) == ("worker/lost", 9)
    assert work.progress.open == set()


def refusing(monkeypatch, number):
    """Let the system start no process."""

    def refuse():
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fork", refuse)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_where_no_process_can_start_the_user_is_told_what_needs_none(run, monkeypatch, number):
    refusing(monkeypatch, number)
    expected = (
        rf"expected to start a process for a fold, got '{os.strerror(number)}'\n"
        r"    `fivefold fit .* --jobs 1` needs no other process"
    )
    with pytest.raises(ResourceError, match=expected) as error:
        list(run(lambda work, job: None))
    assert (error.value.slug, error.value.exit_code) == ("resource/processes", 6)


def test_where_not_all_processes_can_start_fewer_folds_run_at_once(run, monkeypatch, caplog):
    fork, running = os.fork, []

    def refuse_a_second():
        if multiprocessing.active_children():
            running.append(1)
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", refuse_a_second)
    assert sorted(run(lambda work, job: time.sleep(0.1), folds=3)) == [0, 1, 2]
    assert len(running) == 1
    expected = "the system allows no more processes, so 1 at once: Resource temporarily unavailable"
    assert caplog.messages == [expected]


def test_another_refusal_of_the_system_is_no_want_of_room(run, monkeypatch):
    refusing(monkeypatch, errno.ENOSYS)
    with pytest.raises(OSError, match="Function not implemented"):
        list(run(lambda work, job: None))


def test_several_lost_processes_are_one_error(run, caplog):
    def train(work, job):
        if job.fold == 0:
            msg = "loss: got NaN"
            raise NumericError(msg, slug="numeric/loss")
        os._exit(3)

    with pytest.raises(NumericError, match="loss: got NaN"):
        list(run(train))
    assert caplog.messages[0].startswith(
        "fold 1 has failed too: folds 1, 2: expected their processes to tell their end, "
        "got exit code 3\n"
    )


def test_a_process_is_missed_even_when_its_own_child_holds_the_line(run):
    def train(work, job):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

    started = time.monotonic()
    with pytest.raises(WorkerError, match="folds 0, 1: expected their processes"):
        list(run(train, folds=2))
    assert time.monotonic() - started < 10


def test_leaving_early_stops_the_processes_as_ctrl_c_would(run, tmp_path):
    def train(work, job):
        if job.fold:
            return
        try:
            work.progress.line("at work")
            time.sleep(60)
        finally:
            work.progress.line("nobody listens any more")
            (tmp_path / "unwound").touch()

    started, iterator = time.monotonic(), run(train)
    assert next(iterator) == 1
    iterator.close()
    assert (tmp_path / "unwound").exists()
    assert time.monotonic() - started < 10


def test_ctrl_c_is_left_to_this_process(work, run):
    def train(work, job):
        os.kill(os.getpid(), signal.SIGINT)

    assert sorted(run(train)) == [0, 1, 2]


def trains_for_ever(work, job):
    while True:
        work.pace.stop_if_over()
        work.progress.line(f"fold {job.fold}: {work.pace.tick(0, 6.0)}")


@pytest.fixture
def hurry(work):
    """Let time be over from the first epoch on."""
    work.pace.until = time.monotonic()


@pytest.mark.usefixtures("hurry")
def test_when_time_is_over_running_folds_end_after_their_epoch_and_no_other_begins(run, work):
    with pytest.raises(TimeOverError, match="the time of this run is over"):
        list(run(trains_for_ever, folds=4, at_once=2))
    assert sorted(line[:7] for line in work.progress.lines) == ["fold 0:", "fold 1:"]


@pytest.mark.usefixtures("hurry")
def test_a_fold_that_is_ready_in_time_is_done(run):
    def train(work, job):
        if job.fold:
            trains_for_ever(work, job)

    done = []
    with pytest.raises(TimeOverError, match="the time of this run is over"):
        done.extend(run(train, folds=2))
    assert done == [0]


@pytest.mark.usefixtures("hurry")
def test_what_has_failed_is_told_although_time_is_over(run):
    def train(work, job):
        if job.fold:
            trains_for_ever(work, job)
        msg = "no image is left"
        raise DataError(msg)

    with pytest.raises(DataError, match="no image is left"):
        list(run(train, folds=2))


ORPHAN = """
import logging, sys, time
from dataclasses import fields
from pathlib import Path
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.engine.pace import Pace
from fivefold.experiment import workers
from fivefold.experiment.crew import Crew
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.work import Work

def train(work, job):
    path = Path(sys.argv[1]) / f"{job.fold}"
    while True:
        path.write_text(f"{time.time()}")
        time.sleep(0.01)

workers.run_fold = train
known = {"progress": Silent(), "pace": Pace({})}
work = Work(**{field.name: None for field in fields(Work)} | known)
orders = [workers.Order(work, FoldPlan(fold, 0, 1), 1, logging.INFO) for fold in range(2)]
list(Crew(work, "fork").run(orders, 2))
"""


@pytest.mark.slow
def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN, tmp_path])
    while len(list(tmp_path.iterdir())) < 2 and parent.poll() is None:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    time.sleep(0.5)
    last = [path.read_text() for path in tmp_path.iterdir()]
    time.sleep(0.5)
    assert [path.read_text() for path in tmp_path.iterdir()] == last
    assert len(last) == 2
