"""What could not be read of data: how many images, why, and the first of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fivefold.data.image_problem import Reason
from fivefold.data.reasons import counted, first_of

_NAMED = 4  # one more than is shown, so that a message can tell that there are others


@dataclass
class Unread:
    """Images that could not be read; few are named, whatever their number.

    Attributes:
        reasons: Why, by the audit's reasons, and how many there are of each.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    _named: dict[bool, list[str]] = field(default_factory=lambda: {True: [], False: []})

    def __len__(self) -> int:
        return self.reasons.total()

    @property
    def missing(self) -> int:
        """How many are not there."""
        return self.reasons[Reason.MISSING.value]

    def add(self, sample_id: str, reason: str) -> None:
        """Take one more."""
        self.reasons[reason] += 1
        named = self._named[reason == Reason.MISSING]
        if len(named) < _NAMED:
            named.append(sample_id)

    def told(self, total: int) -> Iterator[str]:
        """Word a warning about what is not there, and one about what is there and broken.

        Args:
            total: How many images were looked at.
        """
        if self.missing:
            count = f"{self.missing:,} of {total:,} images are missing"
            yield f"{count}, {first_of(self._named[True])}"
        broken = +Counter({**self.reasons, Reason.MISSING.value: 0})
        if broken:
            count = f"{broken.total():,} of {total:,} images cannot be read"
            yield f"{count}, {first_of(self._named[False])}: {counted(broken)}"
