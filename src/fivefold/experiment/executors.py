"""Where folds run: one after the other here, or several at once, each in its own process.

Both give the same bytes.
"""

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from pickle import PickleError
from typing import Literal, TypeAlias

import torch

from fivefold.config import ExperimentConfig
from fivefold.core.arguments import as_whole
from fivefold.core.cores import usable_cores
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Silent
from fivefold.data.source import Source
from fivefold.engine.pace import Pace
from fivefold.experiment.crew import Crew
from fivefold.experiment.own_code import own_code
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.runner import remove_empty, run_fold
from fivefold.experiment.work import Work
from fivefold.experiment.workers import Order, packed

logger = logging.getLogger(__name__)


def run_here(plans: Sequence[FoldPlan], worker: Callable[[FoldPlan], int]) -> Iterator[int]:
    """Run one fold after the other in this process; yields each fold when it is done."""
    for plan in plans:
        yield worker(plan)


AtOnce: TypeAlias = int | Literal["auto"] | None


def run_folds(work: Work, config: ExperimentConfig, at_once: AtOnce = None) -> Generator[int]:
    """Run what is left of all folds; yields each fold when it is done.

    Close the iterator if you leave it early: that ends the processes.

    Args:
        work: What to do.
        config: Its `imports:` run again in a process that cannot inherit what they have added.
        at_once: How many folds may run beside each other; the machine decides with "auto". None
            does the same where this process can be copied, and is 1 elsewhere: a fresh process
            imports the main script again, which may not be made for it.

    Raises:
        TimeOverError: If the run's time is over before all is trained.
        WorkerError: If a process was lost; the folds in the others are done then.
        FivefoldError: Of the first fold that has failed; likewise.
    """
    yield from run_here([plan for plan in work.plans if plan.done], partial(run_fold, work))
    left = [plan for plan in work.plans if not plan.done]
    number = how_many(None if at_once == "auto" else at_once, len(left))
    if at_once is None and not _can_fork(work.images.source):
        number = 1
    orders = _orders(work, config, left) if number > 1 else None
    if orders is None:
        yield from run_here(left, partial(run_fold, work))
    else:
        if work.resident is not None:
            work.resident.forget()  # the others need the room
        method = "fork" if isinstance(orders[0].work, Work) else "spawn"
        yield from Crew(work, method, _gpus()).run(orders, number)
    # not by a fold: another one may be about to write into it
    remove_empty(work.folder.state(0).parent)


def check_at_once(at_once: AtOnce) -> None:
    """Refuse a number of processes that there cannot be.

    Raises:
        ConfigError: If it is below 1, or neither a number nor "auto".
    """
    if at_once not in (None, "auto") and as_whole("jobs", at_once) < 1:
        message = f"jobs: expected at least 1, got {at_once}"
        raise ConfigError([Problem("config/bad-value", "", message)])


def how_many(wanted: int | None, left: int) -> int:
    """Decide how many folds run beside each other.

    Args:
        wanted: What the user asked for. If nothing: one for each GPU, or without GPUs as many as
            there are cores for the threads that one fold uses.
        left: How many folds there are to run.
    """
    if left < 2 or multiprocessing.current_process().daemon:  # which may start no other
        return 1
    usual = len(_gpus()) or usable_cores() // torch.get_num_threads()
    return max(1, min(left, wanted or usual))


def _orders(work: Work, config: ExperimentConfig, plans: Sequence[FoldPlan]) -> list[Order] | None:
    """Say for each fold what its process is to do; None where work cannot get there."""
    resident = work.resident and work.resident.told_to(Silent())
    pace = Pace({}, until=work.pace.until)
    alone = replace(work, progress=Silent(), pace=pace, resident=resident)
    shared: Work | bytes = alone
    if not _can_fork(work.images.source):
        shared, reason = _sent(alone, config)
        if reason:
            logger.warning(
                "folds run one by one: the data cannot go to other processes: %s", reason
            )
            return None
    level = logging.getLogger("fivefold").getEffectiveLevel()
    imports = config if config.runs_code else None
    threads = torch.get_num_threads()
    return [Order(shared, plan, threads, level, imports=imports) for plan in plans]


def _sent(work: Work, config: ExperimentConfig) -> tuple[bytes, str]:
    """Put work into bytes, and say why it cannot be made of them again; nothing where it can."""
    try:
        shared = packed(work)
    except (PickleError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        return b"", str(error).partition("\n")[0]
    return shared, _lost_on_the_way(shared, config)


def _can_fork(source: Source) -> bool:
    """Say whether a copy of this process could go on where it is: it has one thread only."""
    others = set(threading.enumerate()) - {threading.main_thread(), threading.current_thread()}
    alone = torch.get_num_threads() == 1 and all(thread.daemon for thread in others)
    return alone and not _gpus() and not source.trust.reason()


def _lost_on_the_way(shared: bytes, config: ExperimentConfig) -> str:
    """Say what of the work a process that starts afresh could not find; nothing where it can.

    Such a process imports the main module again. What was typed in has none, such as a notebook.
    """
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return ""
    path = getattr(main, "__file__", None)
    if path is not None and Path(path).is_file():
        return ""
    if path is not None:
        return f"the program is no file that they could read: {path}"
    code = own_code()
    if b"__main__" in shared or code is None or (code and not config.runs_code):
        return "own code that was typed in, as in a notebook, is not to be found there"
    return ""


def _gpus() -> list[str]:
    """Name the GPUs that this process may use, as CUDA_VISIBLE_DEVICES does; touches none."""
    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in named.split(",") if name.strip()]
    return names[:count] or [str(number) for number in range(count)]
