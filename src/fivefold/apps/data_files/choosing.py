"""A part of the samples with so many of each class, by lot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Indices
from fivefold.data import SampleTable

_PART = 4096


@dataclass(frozen=True, eq=False)
class Kinds:
    """Which samples are of which class; those of none are a kind of their own, the last.

    Attributes:
        names: Of the classes [C].
        rows: Samples, each as often as it has kinds [E].
        kinds: What each of them is, 0 to C [E].
        counts: How many samples there are of each kind [C + 1].
    """

    names: tuple[str, ...]
    rows: Indices
    kinds: Indices
    counts: Indices

    def of_part(self, mask: AnyArray) -> dict[str, int]:
        """Count the classes of some samples, given as a mask [N]."""
        found = np.bincount(self.kinds[mask[self.rows]], minlength=len(self.names) + 1)
        return dict(zip(self.names, found.tolist(), strict=False))


def kinds_of(table: SampleTable) -> Kinds:
    """List the classes of all samples; of masks with a background all but that.

    Raises:
        DataError: If there are no labels, or several outputs, of which each has classes.
    """
    if table.targets is None or len(table.labels) != 1:
        found = "no labels" if table.targets is None else f"{len(table.labels)} columns of labels"
        msg = f"expected one set of classes, got {found}"
        hint = "name one column with --label-column"
        raise DataError(msg, hint=hint, slug="data/one-set-of-classes")
    first = 1 if table.masks is not None and table.masks.exclusive else 0
    names = table.labels[0].class_names[first:]
    rows, kinds = [], []
    for start in range(0, len(table), _PART):
        true = np.asarray(table.targets[start : start + _PART] > 0)[:, first:]
        true = np.column_stack([true, ~true.any(axis=1)])
        places, classes = np.nonzero(true)
        rows.append(places + start)
        kinds.append(classes)
    every = np.concatenate(kinds)
    counts = np.bincount(every, minlength=len(names) + 1)
    return Kinds(names, np.concatenate(rows), every, counts)


def choose(
    kinds: Kinds, wanted: Sequence[int], units: Indices, rng: np.random.Generator
) -> AnyArray:
    """Choose samples until there are as many of each kind as wanted: a mask [N].

    The rarest kind comes first, since it leaves the least choice; of its units, in an order that is
    drawn, those are taken that bring it nearer to what is wanted. Where every sample is a unit and
    has one class, there are exactly as many of each class. Where samples have several, those taken
    for a rare one count for the others too, of which there may come to be more.

    Args:
        kinds: What each sample is.
        wanted: How many of each kind [C + 1].
        units: Numbers of groups that are not divided [N].
        rng: Draws the order of the units, which are taken in the order of their numbers.
    """
    found, unit_of = np.unique(units, return_inverse=True)
    unit_of = unit_of.ravel()
    num_kinds = len(kinds.counts)
    keys, counts = np.unique(unit_of[kinds.rows] * num_kinds + kinds.kinds, return_counts=True)
    owners, held = keys // num_kinds, keys % num_kinds
    starts = np.searchsorted(owners, np.arange(len(found) + 1))
    lot = rng.permutation(len(found))
    in_order = np.lexsort((lot[owners], held))
    firsts = np.searchsorted(held[in_order], np.arange(num_kinds + 1))
    missing = np.asarray(wanted, dtype=np.int64)
    taken = np.zeros(len(found), dtype=bool)
    for kind in np.argsort(kinds.counts, kind="stable").tolist():
        for entry in in_order[firsts[kind] : firsts[kind + 1]].tolist():
            if missing[kind] <= 0:
                break
            unit = owners[entry]
            if taken[unit] or counts[entry] >= 2 * missing[kind]:
                continue
            own = slice(starts[unit], starts[unit + 1])
            missing[held[own]] -= counts[own]
            taken[unit] = True
    chosen: AnyArray = taken[unit_of]
    return chosen
