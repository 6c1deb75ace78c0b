"""Between a command and the shell: every error becomes one message and an exit code."""

import functools
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, ParamSpec

import typer

from fivefold import __version__
from fivefold.cli.console import complain, say, start_logging
from fivefold.core.durable import write_text
from fivefold.core.errors import ConfigError, FivefoldError, ResourceError
from fivefold.core.layout import RunFolder

P = ParamSpec("P")

_INTERRUPTED, _TERMINATED, _PIPE_CLOSED = 130, 143, 141
_OF_THE_SYSTEM = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)
_GO_ON = "run the same command again; it continues after the last finished epoch"


class _Terminated(BaseException):
    """SIGTERM has come."""


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command answer every error with one message and the right exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        start_logging()
        previous = signal.signal(signal.SIGTERM, _terminate)
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.BadParameter):
            raise
        except BaseException as error:
            raise typer.Exit(_answer(error, command.__name__, kwargs)) from error
        finally:
            signal.signal(signal.SIGTERM, previous)

    return run


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    # A second signal ends the process at once: the first one may hang in a library.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Terminated


def _answer(error: BaseException, command: str, arguments: dict[str, Any]) -> int:
    if isinstance(error, FivefoldError):
        return _refuse(error)
    if isinstance(error, MemoryError):
        msg = "memory: expected enough for this step, got none"
        hint = "close other programs, or set a smaller `batch` or `shape`, and run again"
        return _refuse(ResourceError(msg, hint=hint, slug="resource/memory"))
    if isinstance(error, OSError) and error.filename and isinstance(error, _OF_THE_SYSTEM):
        msg = f"{error.filename}: expected to use this path, got {error.strerror!r}"
        return _refuse(
            ResourceError(msg, hint="look at the path and its permissions", slug="resource/path")
        )
    if isinstance(error, BrokenPipeError):
        # The reader has gone; without this Python complains when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    if isinstance(error, KeyboardInterrupt | _Terminated):
        say(f"stopped: {_GO_ON}" if command in ("fit", "demo") else "stopped")
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _TERMINATED
    if isinstance(error, SystemExit):
        raise error
    path = _write_log(error, arguments.get("experiment"))
    complain(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
    say(f"    this is a defect of fivefold; the details are in {path}: please report them")
    return 1


def _refuse(error: FivefoldError) -> int:
    if isinstance(error, ConfigError):
        for problem in error.problems:
            complain(str(problem))
        if len(error.problems) > 1:
            say(f"{len(error.problems)} problems")
    else:
        complain(str(error))
    return error.exit_code


def _write_log(error: BaseException, experiment: Path | None) -> Path:
    """Keep the traceback beside the experiment, or in the system's temporary folder."""
    now = datetime.now().astimezone()
    name = f"error-{now:%Y%m%d-%H%M%S}.txt"
    about = f"fivefold {__version__}, Python {sys.version}\n{sys.argv}\n\n"
    text = about + "".join(traceback.format_exception(error))
    if experiment is not None and RunFolder.of(experiment).config_path.is_file():
        path = RunFolder.of(experiment).root / "logs" / name
        try:
            write_text(path, text)
        except ResourceError:
            say(f"{path.parent}: the details cannot be written here")
        else:
            return path
    path = Path(tempfile.gettempdir()) / f"fivefold-{name}"
    write_text(path, text)
    return path
