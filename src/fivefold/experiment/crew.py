"""The processes that train folds, seen from the one that started them."""

import errno
import logging
import multiprocessing
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from fivefold.core.errors import ResourceError, WorkerError
from fivefold.core.layout import RunFolder
from fivefold.data.forking import open_files, settle_parent
from fivefold.engine.pace import TimeOverError
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
from fivefold.experiment.failures import others_go_on, raise_first
from fivefold.experiment.work import Work
from fivefold.experiment.workers import Order, work_apart

logger = logging.getLogger(__name__)

_NO_ROOM = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_SECONDS_TO_END = 10.0
_SECONDS_TO_LOOK = 2.0


@dataclass
class _Worker:
    """One process and its open bars."""

    fold: int
    slot: int
    process: BaseProcess
    connection: Connection
    bars: dict[int, tuple[ExitStack, Callable[[int], None]]] = field(default_factory=dict)
    ended: Ended | None = None

    def close_bar(self, number: int) -> None:
        stack, _ = self.bars.pop(number)
        stack.close()

    def leave(self) -> None:
        """Take what is left of it from the screen, and wait until it is gone."""
        for number in list(self.bars):
            self.close_bar(number)
        self.connection.close()
        self.process.join()


class Crew:
    """Runs folds in processes, never more than a number at once.

    Args:
        work: Its progress shows what the processes tell, its pace counts their epochs.
        method: How a process starts: "fork" inherits all, "spawn" nothing.
        gpus: Their names for CUDA_VISIBLE_DEVICES; each process gets its own.
    """

    def __init__(self, work: Work, method: str, gpus: Sequence[str] = ()) -> None:
        self._work = work
        self._method = method
        self._context = multiprocessing.get_context(method)
        self._gpus = gpus
        self._running: dict[Connection, _Worker] = {}
        self._failed: dict[int, BaseException] = {}
        self._lost: dict[int, str] = {}
        self._said: set[tuple[str, int, str]] = set()
        self._stopped = False

    def run(self, orders: Sequence[Order], at_once: int) -> Iterator[int]:
        """Run folds; yields each when it is done. Closing the iterator ends the processes.

        A fold that fails leaves the others to run to their end.

        Args:
            orders: One for each fold.
            at_once: How many may run beside each other.

        Raises:
            TimeOverError: If the run's time is over before all folds are done.
            WorkerError: If a process was lost.
            ResourceError: If the system does not even allow one process.
            FivefoldError: Of the first fold that has failed; those of others are warned of.
        """
        waiting = deque(orders)
        try:
            while waiting or self._running:
                if self._work.pace.over:  # those that run end by themselves
                    self._stopped = self._stopped or bool(waiting)
                    waiting.clear()
                while waiting and len(self._running) < at_once:
                    if self._start(waiting[0]):
                        waiting.popleft()
                    else:
                        at_once = len(self._running)
                for worker in self._hear():
                    if self._settle(worker, others=bool(waiting or self._running)):
                        yield worker.fold
        finally:
            self._stop()
        self._raise()

    def _start(self, order: Order) -> bool:
        """Start a process; False where the system allows no more beside those that run."""
        slot = min(set(range(len(self._running) + 1)) - {w.slot for w in self._running.values()})
        if self._gpus:
            order = replace(order, gpu=self._gpus[slot % len(self._gpus)])
        if self._method == "fork":
            settle_parent()
            order = replace(order, files=open_files())
        try:
            self._launch(order, slot)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            if not self._running:
                raise _no_process(error, self._work.folder) from error
            text = "the system allows no more processes, so %d at once: %s"
            logger.warning(text, len(self._running), error.strerror)
            return False
        return True

    def _launch(self, order: Order, slot: int) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(  # type: ignore[attr-defined]  # each context has one
            target=work_apart, args=(theirs, order), name=f"fold {order.plan.fold}"
        )
        with closing(theirs), ExitStack() as unused, _undisturbed():
            unused.callback(ours.close)
            process.start()
            self._running[ours] = _Worker(order.plan.fold, slot, process, ours)
            unused.pop_all()

    def _hear(self) -> Iterator[_Worker]:
        """Wait for something to happen and act on it; yields processes that have ended."""
        ready = wait(list(self._running), timeout=_SECONDS_TO_LOOK)
        for worker in list(self._running.values()):
            # what a fold's own processes keep open never says that its reader has gone
            over = not worker.process.is_alive() and not worker.connection.poll()
            if worker.connection in ready:
                try:
                    self._act(worker, worker.connection.recv())
                except (EOFError, OSError):  # killed
                    over = True
            if over or worker.ended is not None:
                del self._running[worker.connection]
                worker.leave()
                yield worker

    def _act(self, worker: _Worker, event: Event) -> None:
        progress = self._work.progress
        match event:
            case Opened(number, description, total):
                stack = ExitStack()
                advance = stack.enter_context(progress.bar(description, total))
                worker.bars[number] = (stack, advance)
            case Advanced(number, steps):
                worker.bars[number][1](steps)
            case Closed(number):
                worker.close_bar(number)
            case Line(text):
                progress.line(text)
            case Logged():
                self._log(event)
            case Ticked(stage, seconds):
                at_once = len(self._running)
                answer = self._work.pace.tick(stage, seconds, at_once, worker.fold)
                with suppress(OSError):  # it has just been killed; its end is the next we hear
                    worker.connection.send(answer)
            case Skipped(stage, epochs):
                self._work.pace.skip(stage, epochs)
            case Ended():
                worker.ended = event

    def _log(self, event: Logged) -> None:
        key = (event.name, event.level, event.text)
        if key not in self._said:
            self._said.add(key)
            logging.getLogger(event.name).log(event.level, "%s", event.text)

    def _settle(self, worker: _Worker, *, others: bool) -> bool:
        """Keep what went wrong with a process that has ended; say whether its fold is done."""
        if worker.ended is None:
            self._lost[worker.fold] = reason = _ending(worker.process.exitcode or 0)
        elif isinstance(worker.ended.error, TimeOverError):
            self._stopped = True
            return False
        elif worker.ended.error is not None:
            self._failed[worker.fold] = worker.ended.error
            reason = str(worker.ended.error)
        else:
            return True
        if others:
            self._work.progress.line(others_go_on(worker.fold, reason))
        return False

    def _raise(self) -> None:
        """Raise the first fold's error; the loss of several processes is one error."""
        errors = dict(self._failed)
        if self._lost:
            errors[min(self._lost)] = _lost_error(self._lost, self._work.folder)
        raise_first(errors)
        if self._stopped:
            self._work.pace.stop_if_over()

    def _stop(self) -> None:
        """End all processes: politely, then not."""
        processes = [worker.process for worker in self._running.values()]
        until = time.monotonic() + _SECONDS_TO_END
        try:
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(max(0.0, until - time.monotonic()))
        finally:  # also when somebody presses Ctrl-C again
            for process in processes:
                process.kill()
            for worker in self._running.values():
                worker.leave()
            self._running.clear()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"


def _lost_error(lost: Mapping[int, str], folder: RunFolder) -> WorkerError:
    numbers = ", ".join(map(str, sorted(lost)))
    one = f"fold {numbers}: expected its process to tell its end"
    several = f"folds {numbers}: expected their processes to tell their end"
    endings = ", ".join(dict.fromkeys(lost[fold] for fold in sorted(lost)))
    again = f"fivefold fit {folder.argument}"
    hint = f"`{again}` goes on after the last finished epoch"
    if "SIGKILL" in lost.values():
        hint = (
            f"memory has run out, most likely: `{again} --jobs 1` goes on with one fold at a time"
        )
    elif endings == "exit code 1":
        hint += '; a Python script has to call `fit` below `if __name__ == "__main__":`'
    expected = one if len(lost) == 1 else several
    return WorkerError(f"{expected}, got {endings}", hint=hint, slug="worker/lost")


def _no_process(error: OSError, folder: RunFolder) -> ResourceError:
    msg = f"expected to start a process for a fold, got {error.strerror!r}"
    again = f"fivefold fit {folder.argument} --jobs 1"
    hint = f"`{again}` needs no other process; memory, `ulimit -u` or a container sets the limit"
    return ResourceError(msg, hint=hint, slug="resource/processes")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back while a process starts: none may arrive before it is known, or can act."""
    held = {signal.SIGINT, signal.SIGTERM}
    can_hold = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held) if can_hold else set()
    try:
        with warnings.catch_warnings():
            # Python warns of threads at a fork; those that matter are dealt with
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        if can_hold:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
