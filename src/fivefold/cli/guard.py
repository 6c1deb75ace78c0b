"""Between a command and the shell: every error becomes one message and an exit code."""

import errno
import functools
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, ParamSpec

import typer

from fivefold import __version__
from fivefold.cli.console import close_streams, complain, say, start_logging
from fivefold.cli.interrupts import INTERRUPTED, raise_interrupts
from fivefold.core.durable import resource_error, write_text
from fivefold.core.errors import ConfigError, FivefoldError, ResourceError
from fivefold.core.layout import RunFolder

P = ParamSpec("P")

PIPE_CLOSED = 141
"""Whoever read the output has gone: what the shell says of a process that SIGPIPE ended."""
_TERMINATED = 143
_SCARCE = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
_OF_THE_SYSTEM = _SCARCE | {errno.EIO, errno.EROFS, errno.ESTALE, errno.ETIMEDOUT}
"""Never a defect, even where the system names no file, as when one is read."""
_GO_ON = "run the same command again; it continues after the last finished epoch"


class _Terminated(BaseException):
    """SIGTERM has come."""


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command answer every error with one message and the right exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        start_logging()
        on_interrupt = signal.getsignal(signal.SIGINT)
        previous = signal.signal(signal.SIGTERM, _terminate)
        try:
            raise_interrupts()
            command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.BadParameter):
            raise
        except BaseException as error:
            code = answer(error, command.__name__, _experiment_of(kwargs))
            raise typer.Exit(code) from error
        finally:
            signal.signal(signal.SIGTERM, previous)
            signal.signal(signal.SIGINT, on_interrupt)

    return run


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    # A second signal ends the process at once: the first one may hang in a library.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Terminated


def _experiment_of(arguments: Mapping[str, Any]) -> Path | None:
    """Find the one experiment that a command is about."""
    several: Sequence[Path] = arguments.get("experiments") or ()
    found = several[0] if len(several) == 1 else arguments.get("experiment")
    return found if isinstance(found, Path) else None


def answer(error: BaseException, command: str, experiment: Path | None) -> int:
    """Tell what went wrong, in one message.

    Args:
        error: What was raised.
        command: In which command.
        experiment: The experiment that it was about; details of a defect go beside it.

    Returns:
        The exit code.
    """
    if isinstance(error, BrokenPipeError):
        close_streams()
        return PIPE_CLOSED
    if isinstance(error, KeyboardInterrupt | _Terminated):
        say(f"stopped: {_GO_ON}" if command in ("fit", "demo") else "stopped")
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else _TERMINATED
    known = _known(error)
    if known is not None:
        return _refuse(known)
    told = traceback.TracebackException.from_exception(error)
    complain(f"{type(error).__name__}: {str(told).partition(chr(10))[0]}")
    place = _write_log(told, experiment)
    say(f"    this is a defect of fivefold; the details are {place}: please report them")
    return 1


def _known(error: BaseException) -> FivefoldError | None:
    """Word what is no defect: errors raised on purpose, and troubles of the system."""
    if isinstance(error, FivefoldError):
        return error
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        msg = "memory: expected enough for this step, got none"
        hint = "close other programs, or set a smaller `batch` or `shape`, and run again"
        return ResourceError(msg, hint=hint, slug="resource/memory")
    if isinstance(error, OSError) and (error.filename or error.errno in _OF_THE_SYSTEM):
        return _of_the_system(error)
    return None


def _of_the_system(error: OSError) -> ResourceError:
    name = error.filename
    path = os.fsdecode(name) if isinstance(name, bytes) else str(name or "a file")
    if error.errno in _SCARCE:
        return resource_error(path, error)
    msg = f"{path}: expected to use this path, got {error.strerror or str(error)!r}"
    hint = "look at the path, its permissions and its disk"
    return ResourceError(msg, hint=hint, slug="resource/path")


def _refuse(error: FivefoldError) -> int:
    if isinstance(error, ConfigError):
        for problem in error.problems:
            complain(str(problem))
        if len(error.problems) > 1:
            say(f"{len(error.problems)} problems")
    else:
        complain(str(error))
    return error.exit_code


def _write_log(told: traceback.TracebackException, experiment: Path | None) -> str:
    """Keep the traceback beside the experiment, or in the temporary folder, or put it out."""
    now = datetime.now().astimezone()
    name = f"error-{now:%Y%m%d-%H%M%S}.txt"
    details = "".join(told.format())
    text = f"fivefold {__version__}, Python {sys.version}\n{sys.argv}\n\n{details}"
    places: tuple[Callable[[str], Path | None], ...] = (
        functools.partial(_beside, experiment),
        _in_temporary_folder,
    )
    for find in places:
        # nothing in here may hide the error that brought us here
        try:
            path = find(name)
            if path is not None:
                write_text(path, text)
                return f"in {path}"
        except (FivefoldError, OSError, ValueError) as error:
            say(f"    the details cannot be kept: {str(error).partition(chr(10))[0]}")
    say(details)
    return "above"


def _beside(experiment: Path | None, name: str) -> Path | None:
    if experiment is None or not RunFolder.of(experiment).config_path.is_file():
        return None
    return RunFolder.of(experiment).root / "logs" / name


def _in_temporary_folder(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"fivefold-{name}"
