"""A fold in a process of its own: what it tells the process that started it, and how it ends."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import FrameType
from typing import NoReturn, cast

import torch

from fivefold.config import ExperimentConfig
from fivefold.core.errors import FivefoldError
from fivefold.data.channels import adopt
from fivefold.data.forking import end_with, settle_child
from fivefold.engine.pace import Pace
from fivefold.experiment.events import (
    Advanced,
    Closed,
    Ended,
    Event,
    Line,
    Logged,
    Opened,
    Skipped,
    Ticked,
)
from fivefold.experiment.imports import import_modules
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.runner import run_fold
from fivefold.experiment.work import Work


@dataclass(frozen=True)
class Order:
    """What a process is to do.

    Attributes:
        work: What all folds share; in bytes where the process cannot inherit it.
        plan: The fold, and where it goes on.
        threads: How many threads one torch operation takes.
        log_level: From which level on records are sent.
        gpu: The one GPU that the process shall see; None leaves all as they are.
        imports: The config whose `imports:` a process that inherits nothing has to run.
        files: Those that a forked process shares and has to open anew; see `open_files`.
    """

    work: Work | bytes
    plan: FoldPlan
    threads: int
    log_level: int
    gpu: str | None = None
    imports: ExperimentConfig | None = None
    files: Mapping[int, int] = field(default_factory=dict)


class _Stopped(BaseException):
    """The process that started this one wants it to end."""


class _Sender:
    """Sends events, from any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._muted = False

    def send(self, event: Event) -> None:
        if self._muted:
            return
        with self._lock:
            try:
                self._connection.send(event)
            except OSError:  # nobody is left who keeps the folder's lock for this process
                os._exit(1)

    def ask(self, event: Event) -> str:
        self.send(event)
        return cast("str", self._connection.recv())

    def stop(self, _number: int, _frame: FrameType | None) -> NoReturn:
        """Answer SIGTERM: nobody listens any more."""
        self._muted = True
        raise _Stopped


class _FarProgress:
    """Lets the other process show bars and lines."""

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._opened = 0

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        self._opened += 1
        number = self._opened
        self._sender.send(Opened(number, description, total))
        try:
            yield lambda steps: self._sender.send(Advanced(number, steps))
        finally:
            self._sender.send(Closed(number))

    def line(self, text: str) -> None:
        self._sender.send(Line(text))


class _FarPace(Pace):
    """Lets the other process count, which knows of all folds."""

    def __init__(self, sender: _Sender, until: float | None) -> None:
        super().__init__({}, until=until)
        self._sender = sender

    def skip(self, stage: int, epochs: int) -> None:
        self._sender.send(Skipped(stage, epochs))

    def tick(self, stage: int, seconds: float, at_once: int = 1, fold: int = 0) -> str:  # noqa: ARG002  the other process knows
        self._moving = True
        return self._sender.ask(Ticked(stage, seconds))


class _FarLog(logging.Handler):
    """Lets the other process say what is logged, once, and record it."""

    def __init__(self, sender: _Sender) -> None:
        super().__init__()
        self._sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        self._sender.send(Logged(record.name, record.levelno, record.getMessage()))


def packed(work: Work) -> bytes:
    """Put what all folds share into bytes, for processes that inherit nothing."""
    return bytes(ForkingPickler.dumps(work))


def work_apart(connection: Connection, order: Order) -> None:
    """Train a fold; the body of a process.

    Args:
        connection: Where events go and answers come from.
        order: What to do.
    """
    _adopt_own(connection, order)
    sender = _Sender(connection)
    try:
        sender.send(Ended(_train(order, sender)))
    except _Stopped:  # unwound: now end as the signal ends others
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def _adopt_own(connection: Connection, order: Order) -> None:
    """Tell what ties this process to its parent from what a data set has open."""
    if isinstance(order.work, Work):  # all else was found harmless before the fork
        adopt()
        return
    parent = multiprocessing.parent_process()
    numbers = [connection.fileno()]
    if sys.platform == "linux" and parent is not None:
        numbers.append(parent.sentinel)
    adopt(numbers)


def _train(order: Order, sender: _Sender) -> BaseException | None:
    try:
        settle_child(order.files)
        _take_signals(sender)
        _end_with_parent()
        _send_records(sender, order.log_level)
        work = _opened(order)
        torch.set_num_threads(order.threads)
        pace = _FarPace(sender, work.pace.until)
        progress = _FarProgress(sender)
        resident = work.resident and work.resident.told_to(progress)
        work = replace(work, progress=progress, pace=pace, resident=resident)
        run_fold(work, order.plan)
    except _Stopped:
        raise
    except BaseException as error:
        return _portable(error)
    return None


def _opened(order: Order) -> Work:
    if order.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = order.gpu
    if isinstance(order.work, Work):
        return order.work
    if order.imports is not None:
        import_modules(order.imports, allowed=True)
    return cast("Work", ForkingPickler.loads(order.work))


def _portable(error: BaseException) -> BaseException:
    """Give an error a form that reaches the other process; a defect takes its traceback along."""
    if not isinstance(error, FivefoldError):
        error.add_note("in the fold's own process:\n" + traceback.format_exc())
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # whatever a user's class raises when it is copied: the text goes on
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.__notes__ = [*getattr(error, "__notes__", ())]
        return plain
    return error


def _take_signals(sender: _Sender) -> None:
    """Leave Ctrl-C to the process that started this one, which sends SIGTERM then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, sender.stop)
    if hasattr(signal, "pthread_sigmask"):  # blocked while this process was started
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _end_with_parent() -> None:
    """End as soon as the process is gone that holds the folder's lock, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":  # the kernel is the fastest to notice
        end_with(cast("int", parent.pid))

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _send_records(sender: _Sender, level: int) -> None:
    logger = logging.getLogger("fivefold")
    logger.handlers, logger.propagate = [_FarLog(sender)], False
    logger.setLevel(level)
