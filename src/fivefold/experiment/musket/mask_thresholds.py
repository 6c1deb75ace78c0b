"""Which probability of a pixel is the best threshold; maps are seen one after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.types import AnyArray, Floats, Head, Image
from fivefold.evaluation import compute, direction
from fivefold.evaluation.thresholds import equally_good
from fivefold.experiment.musket.mask_batches import planes_of
from fivefold.experiment.musket.thresholds import GRID, Score

Pair: TypeAlias = tuple[Floats, Image]
"""The probabilities of an image's pixels [H, W, K], and its true mask [H, W, P]."""


def best_threshold(pairs: Iterable[Pair], head: Head, func: Score) -> float:
    """Find the first of Musket's candidates with the best score.

    Args:
        pairs: The images.
        head: What the classes are.
        func: A metric's name; or a function of truth and answers, true or false [H, W, K] both.

    Raises:
        ConfigError: If the classes are exclusive.
    """
    _check_head(head)
    if isinstance(func, str):
        counted = _counted(pairs, head)
        scores = [compute(counted.at(i, head), [func])[func] for i in range(len(GRID))]
        return equally_good(GRID, scores, direction(func))[0]
    means = _means(pairs, MaskKind.of_head(head), func)
    return equally_good(GRID, means.tolist(), "max")[0]


def best_by_class(pairs: Iterable[Pair], head: Head) -> dict[str, float]:
    """Find for each class the first of Musket's candidates with the best dice of all pixels.

    Raises:
        ConfigError: If the classes are exclusive.
    """
    _check_head(head)
    counted = _counted(pairs, head)
    hits, said, true = counted.hits.sum(axis=1), counted.said.sum(axis=1), counted.true.sum(axis=0)
    dice = 2 * hits / np.maximum(said + true, 1)
    best = dice.argmax(axis=0)
    return {name: GRID[place] for name, place in zip(head.class_names, best, strict=True)}


def _means(
    pairs: Iterable[Pair], kind: MaskKind, func: Callable[[AnyArray, AnyArray], float]
) -> AnyArray:
    totals, count = np.zeros(len(GRID)), 0
    for probs, mask in pairs:
        truth = planes_of(mask, kind) > 0
        totals += [float(func(truth, probs > np.float32(threshold))) for threshold in GRID]
        count += 1
    return totals / max(count, 1)


@dataclass(frozen=True, eq=False)
class _Counted:
    """Pixels of each image and class above each candidate.

    Attributes:
        hits: That show the class, too [T, N, K].
        said: All of them [T, N, K].
        true: That show the class, whatever is said [N, K].
        pixels: That count [N].
    """

    hits: AnyArray
    said: AnyArray
    true: AnyArray
    pixels: AnyArray

    def at(self, i: int, head: Head) -> MaskScores:
        """Give what metrics are computed from for one candidate; nothing soft is known."""
        nothing = np.zeros(self.true.shape)
        ids = tuple(map(str, range(len(self.true))))
        return MaskScores(
            ids,
            (head,),
            self.hits[i],
            self.said[i],
            self.true,
            self.pixels,
            nothing,
            nothing,
            np.zeros(len(ids)),
        )


def _counted(pairs: Iterable[Pair], head: Head) -> _Counted:
    limits = np.array(GRID, np.float32)
    hits, said, true, pixels = [], [], [], []
    for probs, mask in pairs:
        counts = ~(mask == IGNORED).any(axis=2)
        shown = (mask == 1) & counts[..., None]
        both, own = np.zeros((2, len(GRID), head.num_classes), np.int64)
        for k in range(head.num_classes):
            own[:, k] = _above(probs[..., k][counts], limits)
            both[:, k] = _above(probs[..., k][shown[..., k]], limits)
        hits.append(both)
        said.append(own)
        true.append(shown.sum(axis=(0, 1)))
        pixels.append(np.count_nonzero(counts))
    return _Counted(
        np.stack(hits, axis=1),
        np.stack(said, axis=1),
        np.stack(true).astype(np.int64),
        np.array(pixels, np.int64),
    )


def _above(probs: Floats, limits: Floats) -> AnyArray:
    """Count how many probabilities are above each limit, which are in order."""
    below = np.bincount(np.searchsorted(limits, probs, side="left"), minlength=len(limits) + 1)
    found: AnyArray = len(probs) - np.cumsum(below[:-1])
    return found


def _check_head(head: Head) -> None:
    if head.activation == "softmax":
        message = "threshold: expected classes that may overlap, got exclusive ones"
        hint = "of exclusive classes the most probable one counts"
        raise ConfigError([Problem("config/no-threshold", "", message, hint)])
