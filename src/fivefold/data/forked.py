"""Reading a user's data set in forked processes: results in order, the same as without them."""

import logging
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field

from fivefold.core.cores import usable_cores
from fivefold.core.errors import DataError
from fivefold.data.channels import Key
from fivefold.data.forking import reason_against
from fivefold.data.forks import Fork, Item, Read, forks_of, wait_for

logger = logging.getLogger(__name__)

_TRIED = 4  # samples read here before anything is decided
_WORTH = 1.0  # seconds that the rest would take here; forking takes a twentieth of one
_PATIENCE = 60.0  # seconds, or so many times the slowest sample:
_TIMES = 20.0


@dataclass(eq=False)
class Trust:
    """Whether a data set may be read in forks; it holds for as long as the data set does.

    Attributes:
        before: What was open before there was the data set, and so is not its.
        against: Why it is not read in forks any more, once that was found out.
        told: Which reasons the user was told.
    """

    before: Collection[Key] = ()
    against: str = ""
    told: set[str] = field(default_factory=set)

    def reason(self) -> str:
        """Say why it may not now; nothing where it may."""
        return self.against or reason_against(self.before)


def no_refusal(_item: Item) -> str:
    """Take every answer for good."""
    return ""


def read_in_order(
    read: Read,
    positions: Sequence[int],
    name_of: Callable[[int], str],
    trust: Trust | None = None,
    refused: Callable[[Item], str] = no_refusal,
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
        trust: What is known of the data set in forks; it learns from what happens.
        refused: Says why an answer is no sample; nothing where it is one.

    Raises:
        DataError: If a fork ends while it reads a sample.
    """
    trust = trust or Trust()
    spent, slowest, total = 0.0, 0.0, len(positions)
    for done, position in enumerate(positions):
        if done >= _TRIED and spent / done * (total - done) > _WORTH:
            here = _Here(read, name_of, trust, refused, max(_PATIENCE, _TIMES * slowest))
            rest = yield from _shared(here, positions[done:])
            yield from map(read, rest)
            return
        began = time.perf_counter()
        item = read(position)
        seconds = time.perf_counter() - began
        spent, slowest = spent + seconds, max(slowest, seconds)
        yield item


@dataclass(frozen=True)
class _Here:
    """What `read_in_order` was called with."""

    read: Read
    name_of: Callable[[int], str]
    trust: Trust
    refused: Callable[[Item], str]
    patience: float

    def confirm(self, position: int, why: str) -> Item:
        """Read again what a fork has failed to read; learn from it if that was because of forks."""
        item = self.read(position)
        if not self.refused(item):
            self.trust.against = f"the data set fails in other processes: {why}"
            text = "%s: read here, but not in another process: %s; samples are read one at a time"
            logger.warning(text, self.name_of(position), why)
        return item


def _shared(here: _Here, positions: Sequence[int]) -> Generator[Item, None, Sequence[int]]:
    """Read in forks; returns the positions that are left to be read here."""
    count = min(usable_cores(), len(positions))
    reason = here.trust.reason() if count > 1 else "there is one core"
    if reason:
        if reason not in here.trust.told:
            logger.info("samples are read one at a time: %s", reason)
        here.trust.told.add(reason)
        return positions
    with forks_of(here.read, positions, count) as forks:
        if not forks:
            return positions
        for done, position in enumerate(positions):
            fork = forks[done % count]
            if not _has_answer(forks, fork, here.patience):
                text = "%s: its process was silent for %.0f s; the rest is read one at a time"
                logger.warning(text, here.name_of(position), here.patience)
                return positions[done:]
            if not fork.answers:
                raise _lost(here.name_of(position), fork.end())
            answer = fork.answers.popleft()
            why = answer if isinstance(answer, str) else here.refused(answer)
            yield here.confirm(position, why) if isinstance(answer, str) or why else answer
            if here.trust.against:
                return positions[done + 1 :]
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
