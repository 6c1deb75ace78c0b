"""Which images can be predicted, and what is said of the others."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fivefold.core.errors import DataError
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.data.class_checks import twins
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.reasons import QUIET_RULES, by_reason, counted, left_out
from fivefold.engine.incoming import Incoming
from fivefold.engine.predictor import Advance

logger = logging.getLogger(__name__)

_NAMED = 10  # broken images that are named one by one


@dataclass
class Readable:
    """Which samples were predicted, and what was said of the others.

    Attributes:
        source: The samples.
        advance: Told the number of broken ones.
        positions: Of the readable ones in the source, in the order of their probabilities.
        broken: How many could not be read.
        lost: Where the first missing one was looked for, or nothing.
    """

    source: Source
    advance: Advance
    positions: list[int] = field(default_factory=list)
    broken: int = 0
    lost: str = ""

    def batches(self, incoming: Iterator[Incoming]) -> Iterator[Batch]:
        """Pass on what can be predicted; warn of what cannot."""
        for one in incoming:
            for position, problem in one.broken:
                self._tell(position, problem)
            if one.broken:
                self.advance(len(one.broken))
            if len(one.batch.indices):
                self.positions += one.batch.indices.tolist()
                yield one.batch
        if self.broken > _NAMED:
            logger.warning("%d more images were not predicted", self.broken - _NAMED)
        if not self.positions:
            raise nothing_readable(self.source, self.lost)

    def _tell(self, position: int, problem: ImageProblem) -> None:
        self.broken += 1
        path, detail = self.source.path(position), problem.detail
        if problem.reason == Reason.MISSING:
            self.lost = self.lost or path
            detail = f"looked for {Path(path).absolute()}"
        if self.broken <= _NAMED:
            sample_id = self.source.sample_ids[position]
            reason = problem.reason.replace("_", " ")
            logger.warning("%s: not predicted: %s: %s", sample_id, reason, detail)


def tell_listing(source: Source) -> None:
    """Say what is odd about the listing, before any image is read; once in a process."""
    place = str(Path(source.path(0)).parent) if len(source) else ""  # parts of it lie there, too
    for text in (*source.warnings, *twins(source), *left_out(source.excluded)):
        _tell_once(text, place)
    quiet = [pair for pair in source.excluded if pair[1] in QUIET_RULES]
    if quiet:
        logger.info("left out: %s", counted(by_reason(quiet)))


@cache
def _tell_once(text: str, place: str) -> None:  # noqa: ARG001  another data set
    logger.warning(text)


def nothing_readable(source: Source, lost: str = "") -> DataError:
    """Word that nothing can be predicted; `lost` is where the first missing image should be."""
    found = f"none of {len(source)} readable" if len(source) else "an empty data set"
    msg = f"expected at least 1 image to predict, got {found}"
    where = f"looked for {Path(lost).absolute()}; --images DIR says where a table's images are"
    return DataError(msg, hint=where if lost else "", slug="data/nothing-to-predict")
