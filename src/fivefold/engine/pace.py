"""How far all folds are, and how long the rest will take."""

from collections.abc import Mapping

from fivefold.core.durations import roughly


class Pace:
    """Counts epochs over all folds; one stage's epochs may take longer than another's.

    Args:
        left: Epochs that are left for each stage, over all folds.
    """

    def __init__(self, left: Mapping[int, int]) -> None:
        self._left = dict(left)
        self._total = sum(left.values())
        self._seconds: dict[int, list[float]] = {}

    def skip(self, stage: int, epochs: int) -> None:
        """Take epochs off that need not be run: done before a resume, or stopped early."""
        self._left[stage] -= epochs
        self._total -= epochs

    def tick(self, stage: int, seconds: float, at_once: int = 1) -> str:
        """Count an epoch that has ended; says "12 of 25 epochs, 2 min left".

        Args:
            stage: Which one the epoch was of.
            seconds: How long it took.
            at_once: How many folds run beside each other now; they share what is left.
        """
        self._left[stage] -= 1
        self._seconds.setdefault(stage, []).append(seconds)
        left = sum(self._left.values())
        done = f"{self._total - left} of {self._total} epochs"
        return f"{done}, {roughly(self._seconds_left() / at_once)} left" if left else done

    def _seconds_left(self) -> float:
        known = {stage: sum(s) / len(s) for stage, s in self._seconds.items()}
        usual = sum(known.values()) / len(known)
        return sum(count * known.get(stage, usual) for stage, count in self._left.items())
