"""Processes that read a user's data set: each its share, answered through a pipe."""

import contextlib
import gc
import logging
import os
import select
import signal
import struct
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import BinaryIO, NoReturn, TypeAlias

import numpy as np

from fivefold.core.types import Image
from fivefold.data.channels import adopt
from fivefold.data.forking import flush, open_files, settle_child, settle_parent, widen

logger = logging.getLogger(__name__)

Item: TypeAlias = tuple[str, Image | None]
"""What reading a sample gives: some text, and pixels where there are any."""
Read: TypeAlias = Callable[[int], Item]

_AHEAD = 64 << 20  # bytes taken from one fork before their turn
_PIPE = 1 << 20
_HEADER = struct.Struct("<BI3I")  # kind, bytes of text, height, width, channels
_RAISED, _TEXT, _PIXELS = range(3)
_FORKING = threading.Lock()  # else a fork would hold another's pipe open


class Fork:
    """A process that reads some samples one after the other.

    Args:
        read: Gives a sample.
        positions: Which samples.
        strangers: Pipes of other forks, which this one must not keep open.

    Attributes:
        answers: What has come and was not taken yet; what was raised, in words, where `read` did.
        ended: Whether nothing more will come.
    """

    def __init__(self, read: Read, positions: Sequence[int], strangers: Sequence[int]) -> None:
        self.answers: deque[Item | str] = deque()
        self.ended = False
        self._how = ""
        settle_parent()
        places = open_files()
        # The kernel would end the fork with the thread that has started it: others may end first.
        main = threading.current_thread() is threading.main_thread()
        parent = os.getpid() if main else 0
        self.pipe, sink = os.pipe()
        widen(self.pipe, _PIPE)
        try:
            self._pid = _fork()
        except OSError:
            os.close(self.pipe)
            os.close(sink)
            raise
        if self._pid == 0:
            _live(read, positions, sink, (self.pipe, *strangers), places, parent)
        os.close(sink)
        adopt([self.pipe])
        self._frames = self._parse()
        self._wanted = next(self._frames)

    @property
    def held(self) -> int:
        """How many bytes of pixels wait to be taken."""
        return sum(
            item[1].nbytes
            for item in self.answers
            if not isinstance(item, str) and item[1] is not None
        )

    def receive(self) -> None:
        """Take what the pipe has for us; waits if there is nothing."""
        count = os.readv(self.pipe, [self._wanted])
        self.ended = count == 0
        self._wanted = self._wanted[count:]
        if not self._wanted and not self.ended:
            self._wanted = next(self._frames)

    def end(self) -> str:
        """End the process unless it has ended by itself, and tell how it did."""
        if not self._how:
            os.close(self.pipe)
            try:
                os.kill(self._pid, signal.SIGKILL)  # too late where it has ended by itself
                self._how = _worded(os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1]))
            except (ProcessLookupError, ChildProcessError):  # the data set's code waited for it
                self._how = "an unknown way"
        return self._how

    def _parse(self) -> Generator[memoryview]:
        """Ask for one buffer after the other to be filled, and make answers of them."""
        while True:
            header = bytearray(_HEADER.size)
            yield memoryview(header)
            kind, length, *shape = _HEADER.unpack(header)
            text, pixels = bytearray(length), None
            if length:
                yield memoryview(text)
            if kind == _PIXELS:
                pixels = np.empty(shape, np.uint8)
                yield pixels.data.cast("B")
            self.answers.append(text.decode() if kind == _RAISED else (text.decode(), pixels))


@contextlib.contextmanager
def forks_of(read: Read, positions: Sequence[int], count: int) -> Iterator[list[Fork]]:
    """Start forks; each reads every `count`-th sample, from its own first on.

    There are none if the system allows no more processes.
    """
    forks: list[Fork] = []
    try:
        try:
            with _FORKING:
                for first in range(count):
                    pipes = [fork.pipe for fork in forks]
                    forks.append(Fork(read, positions[first::count], pipes))
        except OSError as error:
            logger.warning("no processes to read samples in, so one at a time: %s", error)
            yield []
        else:
            yield forks
    finally:
        for fork in forks:
            fork.end()


def wait_for(forks: Sequence[Fork], wanted: Fork, seconds: float) -> bool:
    """Take what forks have to say; False if none of them says anything for so long.

    Args:
        forks: All of them.
        wanted: The one whose answer comes next; others may only be so far ahead.
        seconds: How long to wait.
    """
    asked = {
        fork.pipe: fork
        for fork in forks
        if not fork.ended and (fork is wanted or fork.held < _AHEAD)
    }
    poll = select.poll()
    for pipe in asked:
        poll.register(pipe, select.POLLIN)
    ready = poll.poll(seconds * 1000)
    for pipe, _ in ready:
        asked[pipe].receive()
    return bool(ready)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of forks beside threads: what waits for one in a fork, waits for ever.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _worded(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _live(
    read: Read,
    positions: Sequence[int],
    sink: int,
    strangers: Sequence[int],
    places: Mapping[int, int],
    parent: int,
) -> NoReturn:
    """Be a fork: answer, and end without running anything that belongs to the parent."""
    code = 1
    try:
        for pipe in strangers:
            os.close(pipe)
        gc.freeze()  # what the parent has thrown away is not cleaned up twice
        settle_child(places, parent)
        with open(sink, "wb") as file:
            for position in positions:
                _answer(read, position, file)
        flush()
        code = 0
    except BrokenPipeError:  # nobody wants more
        code = 0
    except BaseException:
        traceback.print_exc()
        flush()
    finally:
        os._exit(code)


def _answer(read: Read, position: int, file: BinaryIO) -> None:
    try:
        text, pixels = read(position)
    # The parent reads it again, and raises it. No interrupt reaches this process: it is one that
    # the data set's own code raises.
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        words = f"{type(error).__name__}: {error}".encode(errors="replace")
        file.write(_HEADER.pack(_RAISED, len(words), 0, 0, 0) + words)
        file.flush()
        return
    encoded = text.encode()
    kind, shape = (_TEXT, (0, 0, 0)) if pixels is None else (_PIXELS, pixels.shape)
    file.write(_HEADER.pack(kind, len(encoded), *shape) + encoded)
    if pixels is not None:
        file.write(np.ascontiguousarray(pixels).data)
    file.flush()
