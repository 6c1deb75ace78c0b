"""Differences between experiments: each against one, with intervals, and how many there are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from fivefold.apps.compare.by_sample import answered_by, over_samples
from fivefold.apps.compare.dealt import Dealt, Relation, dealt_of
from fivefold.apps.compare.reading import Compared
from fivefold.evaluation.differences import (
    Difference,
    holm,
    paired_over_folds,
    unpaired_over_folds,
)

Verdict: TypeAlias = Literal[
    "", "reference", "better", "worse", "not distinguishable", "not comparable", "undefined"
]

LOSSES = frozenset({"loss", "val_loss"})
_SAID = ("better", "worse", "not distinguishable")
LIMIT = 0.05  # of an adjusted p value, as the intervals hold 95 %
_NO_FOLDS = "its samples are not known: there is no readable data/folds.json"
_PARTED: Mapping[Relation, str] = {
    "other data": "it was measured on other samples, contents or labels",
    "unknown": "a data/folds.json is damaged",
}
_UNPAIRED = "on other folds of the same data, so not in pairs"


@dataclass(frozen=True)
class Judged:
    """One experiment less the reference.

    Attributes:
        difference: With its interval.
        verdict: What it comes to; empty of what is not finished.
        p_holm: The p value, adjusted for all comparisons; NaN where there is none.
        is_paired: Whether both were measured on the same folds of the same data.
        note: Why there is no difference or interval, or how the pair is not like the others.
        by_sample: Between the shares of samples that each is right about; None if nobody asked.
    """

    difference: Difference = field(default_factory=Difference)
    verdict: Verdict = ""
    p_holm: float = math.nan
    is_paired: bool = False
    note: str = ""
    by_sample: Difference | None = None


@dataclass(frozen=True)
class Differences:
    """All experiments, each against one.

    Attributes:
        metric: What is compared; empty where nothing can be.
        against: The path of the reference; empty where there is none.
        is_best: Whether the reference was taken for being the best, and not asked for.
        judged: One for each experiment, in their order.
    """

    metric: str = ""
    against: str = ""
    is_best: bool = True
    judged: tuple[Judged, ...] = ()

    @property
    def compared(self) -> list[Judged]:
        """Those of which something can be said."""
        return [one for one in self.judged if one.verdict in _SAID]

    def sentence(self) -> str:
        """Say how many comparisons were made and what they came to; empty without a reference."""
        others = [one for one in self.judged if one.verdict not in ("", "reference")]
        if not self.against or not others:
            return ""
        count = len(self.compared)
        what = f"{self.metric}: "
        what += (
            f"{self.against} has the best mean" if self.is_best else f"compared with {self.against}"
        )
        if not count:
            return f"{what}; no other can be compared with it"
        alike = sum(one.verdict == "not distinguishable" for one in self.compared)
        if count == 1:
            how = "is not distinguishable" if alike else "differs"
            which = "the other one" if len(others) == 1 else "the only other that can be compared"
            return f"{what}; {which} {how} from it"
        are = "is" if alike == 1 else "are"
        told = f"{what}; of {count} others {alike} {are} not distinguishable from it"
        if alike == count:
            return told
        left = sum(one.p_holm < LIMIT for one in self.compared)
        differ = "differs" if count - alike == 1 else "differ"
        return f"{told}, {count - alike} {differ}, {left} also after Holm's adjustment"


def differences(
    experiments: Sequence[Compared], metric: str, against: int | None, mode: str | None
) -> Differences:
    """Compare each finished experiment with one of them.

    Args:
        experiments: In the order that they are shown in.
        metric: A metric of single folds.
        against: The position of the reference; None if there is none.
        mode: Which way the metric is better, `min` or `max`; None if nobody knows.
    """
    if against is None:
        return Differences(judged=tuple(Judged() for _ in experiments))
    reference = experiments[against]
    dealt = dealt_of(reference)
    judged = [
        Judged(verdict="reference") if one is reference else _judged(one, reference, dealt, metric)
        for one in experiments
    ]
    adjusted = holm([one.difference.p_value for one in judged])
    final = (
        replace(one, verdict=one.verdict or _verdict(one, mode), p_holm=p_value)
        if experiment.status == "finished"
        else one
        for one, p_value, experiment in zip(judged, adjusted, experiments, strict=True)
    )
    return Differences(metric, reference.path, judged=tuple(final))


def with_samples(found: Differences, experiments: Sequence[Compared]) -> Differences:
    """Compare out-of-fold predictions sample by sample too.

    Args:
        found: The differences over folds.
        experiments: In the same order.
    """
    against = next((one for one in experiments if one.path == found.against), None)
    if against is None:
        return found
    reference = answered_by(against)
    judged = (
        replace(one, by_sample=over_samples(answered_by(experiment), reference))
        if one.verdict not in ("", "reference", "not comparable")
        else one
        for one, experiment in zip(found.judged, experiments, strict=True)
    )
    return replace(found, judged=tuple(judged))


def _judged(one: Compared, other: Compared, dealt: Dealt | None, metric: str) -> Judged:
    if one.status != "finished":
        return Judged()
    own = dealt_of(one)
    why = _obstacle(one, other, metric) or _parting(own, dealt)
    if why or own is None or dealt is None:
        return Judged(verdict="not comparable", note=why)
    first, second = _values(one, metric), _values(other, metric)
    for path, values in ((one.path, first), (other.path, second)):
        if not values:
            return Judged(verdict="undefined", note=f"{path}: its folds have no {metric}")
    if own.relation(dealt) == "other folds":
        both = ([*first.values()], [*second.values()])
        found = unpaired_over_folds(*both, (own.num_folds, dealt.num_folds))
        return Judged(found, note=found.why or _UNPAIRED)
    common = sorted(first.keys() & second.keys())
    both = ([first[fold] for fold in common], [second[fold] for fold in common])
    found = paired_over_folds(*both, own.num_folds)
    is_whole = len(common) == max(len(first), len(second))
    some = "" if is_whole else f"on {_times(len(common), 'fold')} that both have"
    return Judged(found, is_paired=True, note=found.why or some)


def _obstacle(one: Compared, other: Compared, metric: str) -> str:
    """Say why two numbers mean different things; empty if they do not."""
    if metric in LOSSES and one.config.get("loss") != other.config.get("loss"):
        return "they were trained with different losses"
    return ""


def _parting(own: Dealt | None, other: Dealt | None) -> str:
    """Say why two experiments were not measured on the same data; empty if they were."""
    if own is None:
        return _NO_FOLDS
    if other is None:
        return "of what it is compared with, the samples are not known"
    return _PARTED.get(own.relation(other), "")


def _values(one: Compared, metric: str) -> Mapping[int, float]:
    return {fold: row[metric] for fold, row in one.by_fold.items() if metric in row}


def _verdict(one: Judged, mode: str | None) -> Verdict:
    found = one.difference
    if not found.has_interval:
        # the same numbers in every fold cannot be told apart, and need no interval for it
        return "not distinguishable" if found.mean == 0 and one.is_paired else "undefined"
    if not found.is_distinguishable:
        return "not distinguishable"
    return "better" if (found.mean > 0) == (mode != "min") else "worse"


def _times(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
