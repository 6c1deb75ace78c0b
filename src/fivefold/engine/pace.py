"""How far all folds are, and how long the rest will take."""

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from fivefold.core.durations import roughly


class TimeOverError(Exception):
    """The time that a run was given is over; what it has trained is kept, and it can go on."""


class Spent(NamedTuple):
    """Epochs that were trained, and how long they took."""

    epochs: int = 0
    seconds: float = 0.0


class Pace:
    """Counts epochs over all folds; one stage's epochs may take longer than another's.

    A stage of which no epoch has ended yet is taken to be as fast as stages of its kind. Where
    none of these has begun either, it is guessed from how fast features were computed, since a
    whole network's epoch takes up to a thousand times as long as one of a head alone. Where nothing
    was computed, the time left is a lower bound.

    Args:
        left: Epochs that are left for each stage, over all folds.
        frozen: Stages that train a head on features of a frozen backbone; the others train all.
        until: When the run shall end, by `time.monotonic`, which all processes of a machine share;
            None is never.

    Attributes:
        spent: What the epochs of each fold and stage have taken so far.
    """

    def __init__(
        self, left: Mapping[int, int], frozen: Collection[int] = (), *, until: float | None = None
    ) -> None:
        self.until = until
        self.spent: dict[tuple[int, int], Spent] = {}
        self._moving = False
        self._left = dict(left)
        self._frozen = frozenset(frozen)
        self._total = sum(left.values())
        self._seconds: dict[int, list[float]] = {}
        self._passes: dict[int, float] = {}
        self._seconds_per_image: float | None = None

    def expect(self, passes: Mapping[int, float]) -> None:
        """Take note of how many images the whole network sees in an epoch of a stage.

        Args:
            passes: By stage; an image that is learned from counts for its gradients too.
        """
        self._passes |= passes

    def saw(self, images: int, seconds: float) -> None:
        """Take note of how long the backbone took for images when nothing was learned."""
        if images:
            self._seconds_per_image = seconds / images

    def skip(self, stage: int, epochs: int) -> None:
        """Take epochs off that need not be run: done before a resume, or stopped early."""
        self._left[stage] -= epochs
        self._total -= epochs

    def tick(self, stage: int, seconds: float, at_once: int = 1, fold: int = 0) -> str:
        """Count an epoch that has ended; says "12 of 25 epochs, 2 min left", or "at least 2 min".

        Args:
            stage: Which one the epoch was of.
            seconds: How long it took.
            at_once: How many folds run beside each other now; they share what is left.
            fold: Whose epoch it was.
        """
        self._moving = True
        before = self.spent.get((fold, stage), Spent())
        self.spent[fold, stage] = Spent(before.epochs + 1, before.seconds + seconds)
        self._left[stage] -= 1
        self._seconds.setdefault(stage, []).append(seconds)
        left = sum(self._left.values())
        done = f"{self._total - left} of {self._total} epochs"
        return f"{done}, {self._time_left(at_once)} left" if left else done

    @property
    def over(self) -> bool:
        """Whether time is over; one epoch is trained all the same, so that every start gets on."""
        return self._moving and self.until is not None and time.monotonic() >= self.until

    def stop_if_over(self) -> None:
        """End the run if its time is over; called where everything is committed.

        Raises:
            TimeOverError: If it is.
        """
        if self.over:
            msg = "the time of this run is over"
            raise TimeOverError(msg)

    def _time_left(self, at_once: int) -> str:
        prices = {stage: self._price(stage) for stage, count in self._left.items() if count}
        seconds = sum(self._left[stage] * (price or 0.0) for stage, price in prices.items())
        bound = "at least " if None in prices.values() else ""
        return bound + roughly(seconds / at_once)

    def _price(self, stage: int) -> float | None:
        """Tell the seconds of a stage's epoch: its own mean, else its kind's, else a guess."""
        own = self._seconds.get(stage)
        alike = [s for other, s in self._seconds.items() if self._alike(stage, other)]
        known = own or [second for seconds in alike for second in seconds]
        if known:
            return sum(known) / len(known)
        if stage not in self._passes or self._seconds_per_image is None:
            return None
        return self._passes[stage] * self._seconds_per_image

    def _alike(self, stage: int, other: int) -> bool:
        return (stage in self._frozen) == (other in self._frozen)
