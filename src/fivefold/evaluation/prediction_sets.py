"""Prediction sets: as many classes as it takes to hold the true one as often as was asked for.

Split conformal prediction with the least ambiguous sets (Sadinle et al., 2019,
https://doi.org/10.1080/01621459.2017.1395341): a class is in the set where its probability is at
least a level. The level is a quantile of the true classes' probabilities on out-of-fold
predictions, corrected for their number so that coverage holds for any model and any number of
them, as long as new samples are like those. The most probable class is always in, so no set is
empty.

Of a sigmoid head each class has its own level, from the samples that it is true of: the set holds
the classes that cannot be ruled out, and each class that is true is in it as often as asked for.

The levels are for single models, since a mean of several has other probabilities than each of them.
So each model has its own set of a new sample, and a class is in where at least half of the models
have it (Gasparin and Ramdas, 2024, https://arxiv.org/abs/2401.09379). Where single models miss the
true class with probability 1 - coverage, at least half of them miss it together with at most twice
that, by Markov's inequality, however they hang together; what is mostly seen is the coverage or
more. Levels are chosen for the models of all folds together, which adds a term that vanishes with
the number of samples, as it does in CV+ (Romano et al., 2020, https://arxiv.org/abs/2006.02544).
What is answered is always in, too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Floats, Head
from fivefold.evaluation.metrics import Flags, check_usable
from fivefold.evaluation.reliability import share_interval

_DRAWS = 1000


@dataclass(frozen=True)
class Levels:
    """From which probability on classes are in the set.

    Attributes:
        levels: One for a softmax head, one for each class of a sigmoid head; 0-1, where 0 takes
            all classes, since there are too few samples to leave any out.
        remarks: What could not be had, a sentence each.
    """

    levels: tuple[float, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """What prediction sets come to on samples that had no part in choosing them.

    Attributes:
        samples: How many.
        covered: The share of true classes that are in their samples' sets, 0-1; NaN without any.
        interval: In which that share is with 95 % confidence: Wilson's, and of a sigmoid head that
            of 1,000 times all samples drawn anew, since a sample's classes go together; where these
            are all alike, Wilson's again, for as many as have a true class.
        size: Mean number of classes in a set.
    """

    samples: int
    covered: float
    interval: tuple[float, float]
    size: float


def choose_levels(predictions: Predictions, coverage: float) -> Levels:
    """Choose the levels of one head.

    Args:
        predictions: Of one head, out-of-fold, with targets.
        coverage: How often the true class is to be in the set, above 0 and below 1.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    check_usable(predictions)
    head, truth = predictions.heads[0], predictions.truth > 0.5
    if head.activation != "sigmoid":
        return _levels([predictions.probs[truth]], [""], coverage)
    own = [predictions.probs[truth[:, k], k] for k in range(head.num_classes)]
    return _levels(own, [f"{name!r}: " for name in head.class_names], coverage)


def sets_at(probs: Floats, head: Head, levels: Levels) -> Flags:
    """Say which classes are in one model's sets [N, C].

    Args:
        probs: Of the head, as one model says them [N, C].
        head: Its kind decides whether the most probable class is always in.
        levels: What `choose_levels` found.
    """
    sets: Flags = probs >= np.asarray(levels.levels, dtype=np.float32)
    if head.activation != "sigmoid":
        sets[np.arange(len(probs)), probs.argmax(axis=1)] = True
    return sets


def sets_of_models(
    probs: Sequence[Floats], head: Head, levels: Levels, answers: Flags | None = None
) -> Flags:
    """Say which classes are in the sets of models that answer together [N, C].

    Args:
        probs: Of the head, as each model says them, [N, C] each.
        head: As for `sets_at`.
        levels: What `choose_levels` found.
        answers: What is answered [N, C], and so always in.
    """
    votes = np.zeros(probs[0].shape, dtype=np.int64)
    for own in probs:
        votes += sets_at(own, head, levels)
    sets: Flags = 2 * votes >= len(probs)
    return sets if answers is None else sets | answers


def coverage_of(predictions: Predictions, sets: Flags) -> Coverage:
    """Check sets on samples that had no part in choosing the levels, such as the holdout's.

    Args:
        predictions: Of one head, with targets.
        sets: Which classes are in [N, C].

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    check_usable(predictions)
    truth = predictions.truth > 0.5
    inside, true = (truth & sets).sum(axis=1), truth.sum(axis=1)
    hits, total = int(inside.sum()), int(true.sum())
    if predictions.heads[0].activation == "sigmoid":
        interval = _drawn_anew(inside, true)
    else:
        interval = share_interval(hits, total)
    return Coverage(
        samples=len(predictions),
        covered=hits / total if total else float("nan"),
        interval=interval,
        size=float(sets.sum(axis=1).mean()),
    )


def fewest_samples(coverage: float) -> int:
    """Count the samples without which no class can be left out."""
    count = 1
    while _rank(count, coverage) > count:
        count = max(count + 1, math.ceil(coverage / (1 - coverage) - 1e-9))
    return count


def _levels(parts: list[Floats], names: list[str], coverage: float) -> Levels:
    if not 0 < coverage < 1:
        msg = f"coverage: expected a number between 0 and 1, got {coverage!r}"
        raise DataError(msg, slug="data/coverage")
    levels, remarks = [], []
    for probs, name in zip(parts, names, strict=True):
        rank = _rank(len(probs), coverage)
        if rank > len(probs):
            levels.append(0.0)
            needed = fewest_samples(coverage)
            remarks.append(f"{name}{len(probs)} samples, {needed} are needed: always in the set")
            continue
        levels.append(float(np.partition(probs, len(probs) - rank)[len(probs) - rank]))
    return Levels(tuple(levels), tuple(remarks))


def _rank(count: int, coverage: float) -> int:
    """Say the how-manieth highest probability is the level: ⌈(n + 1) · coverage⌉."""
    return math.ceil((count + 1) * coverage - 1e-9)


def _drawn_anew(inside: AnyArray, true: AnyArray) -> tuple[float, float]:
    """Take the middle 95 % of the share over samples drawn with replacement."""
    pairs, counts = np.unique(np.stack([inside, true]), axis=1, return_counts=True)
    if not true.any():
        return share_interval(0, 0)
    rng = generator_for(0, "coverage")
    drawn = rng.multinomial(len(true), counts / counts.sum(), size=_DRAWS)
    hits, totals = drawn @ pairs[0], drawn @ pairs[1]
    shares = hits[totals > 0] / totals[totals > 0]
    if shares.min() == shares.max():
        samples = int(np.count_nonzero(true))
        return share_interval(samples * float(shares[0]), samples)
    low, high = np.quantile(shares, [0.025, 0.975])
    return (float(low), float(high))
