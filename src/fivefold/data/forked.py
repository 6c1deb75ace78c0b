"""Reading a user's data set in forked processes: results in order, the same as without them."""

import logging
import time
from collections.abc import Callable, Generator, Sequence

from fivefold.core.cores import usable_cores
from fivefold.core.errors import DataError
from fivefold.data.forking import reason_against
from fivefold.data.forks import Fork, Item, Read, forks_of, wait_for

logger = logging.getLogger(__name__)

_TRIED = 4  # samples read here before anything is decided
_WORTH = 1.0  # seconds that the rest would take here; forking takes a twentieth of one
_PATIENCE = 60.0  # seconds, or so many times the slowest sample:
_TIMES = 20.0


def read_in_order(
    read: Read, positions: Sequence[int], name_of: Callable[[int], str]
) -> Generator[Item]:
    """Read samples one after the other, in forked processes where that is worth it.

    The first few are read here. If the rest would take longer than a second, it is shared among as
    many forks as there are cores. A sample must depend on its position alone. What `read` raises
    in a fork it raises here, in its turn. Forks that fall silent are given up, and the rest is
    read here: a fork lacks its parent's threads, and code that waits for one waits for ever.

    Args:
        read: Gives a sample; called in several processes, but never twice at once in one.
        positions: Which samples, in this order.
        name_of: Names a sample for a message.

    Raises:
        DataError: If a fork ends while it reads a sample.
    """
    spent, slowest, total = 0.0, 0.0, len(positions)
    for done, position in enumerate(positions):
        if done >= _TRIED and spent / done * (total - done) > _WORTH:
            patience = max(_PATIENCE, _TIMES * slowest)
            rest = yield from _shared(read, positions[done:], name_of, patience)
            yield from map(read, rest)
            return
        began = time.perf_counter()
        item = read(position)
        seconds = time.perf_counter() - began
        spent, slowest = spent + seconds, max(slowest, seconds)
        yield item


def _shared(
    read: Read, positions: Sequence[int], name_of: Callable[[int], str], patience: float
) -> Generator[Item, None, Sequence[int]]:
    """Read in forks; returns the positions that are left to be read here."""
    count = min(usable_cores(), len(positions))
    reason = reason_against() if count > 1 else "there is one core"
    if reason:
        logger.info("samples are read one at a time: %s", reason)
        return positions
    done = 0
    with forks_of(read, positions, count) as forks:
        if not forks:
            return positions
        for done, position in enumerate(positions):
            fork = forks[done % count]
            if not _has_answer(forks, fork, patience):
                text = "%s: its process was silent for %.0f s; the rest is read one at a time"
                logger.warning(text, name_of(position), patience)
                return positions[done:]
            if not fork.answers:
                raise _lost(name_of(position), fork.end())
            answer = fork.answers.popleft()
            yield read(position) if answer is None else answer
    return ()


def _has_answer(forks: Sequence[Fork], fork: Fork, patience: float) -> bool:
    while not fork.answers and not fork.ended:
        if not wait_for(forks, fork, patience):
            return False
    return True


def _lost(name: str, how: str) -> DataError:
    msg = f"{name}: expected the data set to return it, got the end of its process: {how}"
    hint = "the data set's own code ended it, or the system did for want of memory"
    return DataError(msg, hint=hint, slug="data/process-lost")
