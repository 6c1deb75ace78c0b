"""Whole units to folds, or to a part, so that what they hold is spread evenly."""

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.unit_labels import UnitLabels


def spread_over_folds(held: UnitLabels, folds: int, rng: np.random.Generator) -> Indices:
    """Give each unit a fold [U], so that all folds have nearly the same number of each kind.

    Units of several samples come first, the largest before all, as with scikit-learn's
    StratifiedGroupKFold. Each goes where the squared differences from equal shares become least.

    Then single samples, by iterative stratification: the rarest kind that is left comes first,
    since it leaves the least choice, and each of its samples goes to the fold that lacks most of
    it; of several folds, to the one that lacks most of all that the sample is.

    With at least as many units as folds none stays empty.

    Args:
        held: The units.
        folds: How many, at least 2.
        rng: Draws the order of units that are equal in this.

    References:
        Sechidis, Tsoumakas and Vlahavas, 2011, https://doi.org/10.1007/978-3-642-23808-6_10
    """
    room = _Room(held, [folds] * folds)
    fold_of = [-1] * len(held)
    several, single = _largest_first(held, rng)
    for unit in several.tolist():
        fold_of[unit] = room.put(unit)
    for unit, kind in _rarest_first(held, fold_of, single):
        fold_of[unit] = room.put(unit, kind)
    return np.asarray(fold_of, dtype=np.int64)


def _largest_first(held: UnitLabels, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Draw an order of units: those of several samples, the largest first, and single samples."""
    order = rng.permutation(len(held))
    order = order[np.argsort(-held.sizes[order], kind="stable")]
    several = int((held.sizes > 1).sum())
    return order[:several], order[several:]


class _Room:
    """How much each fold lacks of each kind, divided by the fold's share of all samples.

    Args:
        held: The units.
        per_sample: What a sample takes of a fold's room: 1 / its share.
    """

    def __init__(self, held: UnitLabels, per_sample: Sequence[float]) -> None:
        self._held, self._per_sample = held, per_sample
        totals = held.totals()
        self._of_kinds: list[list[float]] = [[n] * len(per_sample) for n in totals.tolist()]
        self._of_sizes: list[float] = [int(held.sizes.sum())] * len(per_sample)
        self._weights = _weights(totals)

    def put(self, unit: int, kind: int | None = None) -> int:
        """Put a unit where it is missed most: of a kind if there is one, else of all it holds."""
        fold = self.lacking(unit, kind)
        self.take(unit, fold)
        return fold

    def lacking(self, unit: int, kind: int | None = None) -> int:
        """Find the fold where a unit is missed most."""
        equal = list(range(len(self._per_sample)))
        if kind is not None:
            equal = _largest(self._of_kinds[kind], equal)
        entries = list(self._held.entries(unit))
        if len(equal) > 1 and entries:
            lacking = [(self._of_kinds[k], count * self._weights[k]) for k, count in entries]
            equal = _largest([sum(own[f] * w for own, w in lacking) for f in equal], equal)
        return max(equal, key=self._of_sizes.__getitem__)

    def take(self, unit: int, fold: int) -> None:
        """Put a unit into a fold."""
        per_sample = self._per_sample[fold]
        for kind, count in self._held.entries(unit):
            self._of_kinds[kind][fold] -= count * per_sample
        self._of_sizes[fold] -= int(self._held.sizes[unit]) * per_sample

    def gains(self, unit: int, fold: int) -> bool:
        """Say whether a unit brings a fold nearer to its share of what the unit holds."""
        per_sample = self._per_sample[fold]
        gain = sum(
            self._weights[kind] * count * (2 * self._of_kinds[kind][fold] / per_sample - count)
            for kind, count in self._held.entries(unit)
        )
        return gain > 0


def _weights(totals: Indices) -> list[float]:
    """Make squares of counts those of shares: rare kinds matter as much as common ones."""
    weights: list[float] = (1 / np.maximum(totals, 1).astype(np.float64) ** 2).tolist()
    return weights


def _largest(values: Sequence[float], folds: list[int]) -> list[int]:
    """Keep those folds whose values, given in their order, are the largest."""
    most = max(values)
    return [fold for fold, value in zip(folds, values, strict=True) if value == most]


def _rarest_first(
    held: UnitLabels, fold_of: list[int], order: Indices
) -> Iterator[tuple[int, int | None]]:
    """Yield the units of an order, each with the rarest kind for which it comes, or None."""
    units_of = _units_by_kind(held, order)
    counts = list(map(len, units_of))  # each is one sample
    queue = [(total, kind) for kind, total in enumerate(counts) if total]
    heapq.heapify(queue)
    while queue:
        total, kind = heapq.heappop(queue)
        if total != counts[kind]:  # it is there again with as many units as it has now
            continue
        fewer = set[int]()
        for unit in units_of[kind].tolist():
            if fold_of[unit] >= 0:
                continue
            yield unit, kind
            for other, _ in held.entries(unit):
                counts[other] -= 1
                fewer.add(other)
        for other in fewer:
            if counts[other]:
                heapq.heappush(queue, (counts[other], other))
    yield from ((unit, None) for unit in order.tolist() if fold_of[unit] < 0)


def _units_by_kind(held: UnitLabels, order: Indices) -> list[Indices]:
    """List those units of an order that hold each kind, in that order."""
    rank = np.full(len(held), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    owners = np.repeat(np.arange(len(held)), np.diff(held.starts))
    here = rank[owners] >= 0
    owners, kinds = owners[here], held.kinds[here]
    ends = np.cumsum(np.bincount(kinds, minlength=held.num_kinds))
    by_kind = owners[np.lexsort((rank[owners], kinds))]
    return np.split(by_kind, ends[:-1]) if held.num_kinds else []


def choose_part(held: UnitLabels, wanted: Indices, rng: np.random.Generator) -> AnyArray:
    """Choose whole units that hold about so many of each kind: a mask [U].

    In an order that is drawn, a unit is taken if that brings the sum of squared differences down.
    Neither side stays without any.

    Args:
        held: At least two units, whose samples are of one kind each.
        wanted: How many of each kind [C].
        rng: Draws the order.
    """
    missing: list[int] = wanted.tolist()
    taken: list[int] = []
    for unit in rng.permutation(len(held)).tolist():
        entries = list(held.entries(unit))
        if sum(count * (2 * missing[kind] - count) for kind, count in entries) > 0:
            for kind, count in entries:
                missing[kind] -= count
            taken.append(unit)
    return _neither_empty(held, taken)


def spread_over_part(held: UnitLabels, fraction: float, rng: np.random.Generator) -> AnyArray:
    """Choose whole units that hold about a fraction of every kind: a mask [U].

    As `spread_over_folds` with two folds, but a unit of several samples that is more than one side
    lacks goes to the other.

    Args:
        held: At least two units, whose samples may be of several kinds.
        fraction: How much is chosen, above 0 and below 1.
        rng: Draws the order of units that are equal.
    """
    room = _Room(held, [1 / (1 - fraction), 1 / fraction])
    fold_of = [-1] * len(held)
    several, single = _largest_first(held, rng)
    for unit in several.tolist():
        fold = room.lacking(unit)
        too_large = not room.gains(unit, fold) and room.gains(unit, 1 - fold)
        fold_of[unit] = 1 - fold if too_large else fold
        room.take(unit, fold_of[unit])
    for unit, kind in _rarest_first(held, fold_of, single):
        fold_of[unit] = room.put(unit, kind)
    return _neither_empty(held, [unit for unit, fold in enumerate(fold_of) if fold])


def _neither_empty(held: UnitLabels, taken: list[int]) -> AnyArray:
    """Make a mask of units [U] of which at least one is taken and one is not.

    Units may be larger than what was asked for.
    """
    taken = taken or [int(np.argmin(held.sizes))]
    mask = np.zeros(len(held), dtype=bool)
    mask[taken if len(taken) < len(held) else taken[:-1]] = True
    return mask
