"""What each unit that may not be divided holds of what should be spread evenly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.packed_numbers import in_parts
from fivefold.data.samples import SampleTable

_WORD = 8


@dataclass(frozen=True, eq=False)
class UnitLabels:
    """U units, each a group, a set of copies, or one sample; and C kinds that samples may be of.

    Attributes:
        of_row: The unit of each sample [N], 0 to U - 1.
        sizes: Samples of each unit [U].
        starts: Where the entries of each unit begin in `kinds` and `counts` [U + 1].
        kinds: Kinds that units hold, ascending in each.
        counts: How many samples of that kind the unit has.
        num_kinds: C.
    """

    of_row: Indices
    sizes: Indices
    starts: Indices
    kinds: Indices
    counts: Indices
    num_kinds: int

    @classmethod
    def of(cls, units: Indices, rows: Indices, kinds: Indices, num_kinds: int) -> "UnitLabels":
        """Collect what units hold.

        Args:
            units: The unit of each sample [N], as any numbers.
            rows: Samples [E], each as often as it has kinds.
            kinds: What each of them is [E].
            num_kinds: C.
        """
        found, of_row, sizes = np.unique(units, return_inverse=True, return_counts=True)
        entries = of_row.ravel()[rows] * np.int64(max(num_kinds, 1)) + kinds
        keys, counts = np.unique(entries, return_counts=True)
        owners = keys // max(num_kinds, 1)
        starts = np.searchsorted(owners, np.arange(len(found) + 1))
        return cls(of_row.ravel(), sizes, starts, keys % max(num_kinds, 1), counts, num_kinds)

    def __len__(self) -> int:
        return len(self.sizes)

    def entries(self, unit: int) -> Iterator[tuple[int, int]]:
        """Give the kinds of a unit, each with its count."""
        own = slice(self.starts[unit], self.starts[unit + 1])
        return zip(self.kinds[own].tolist(), self.counts[own].tolist(), strict=True)

    def totals(self) -> Indices:
        """Count the samples of each kind [C]."""
        totals = np.zeros(self.num_kinds, dtype=np.int64)
        np.add.at(totals, self.kinds, self.counts)
        return totals


def combinations_of(table: SampleTable, num_classes: int) -> tuple[Indices, Indices]:
    """Number the combinations of true classes that samples have, in the order of their bits.

    Args:
        table: With targets.
        num_classes: Only the first so many classes count.

    Returns:
        The number of each sample's [N], and how many samples have each.
    """
    width = -(-num_classes // 8)
    bits = np.zeros((len(table), -(-width // _WORD) * _WORD), dtype=np.uint8)
    for places, part in _true_in_parts(table, num_classes):
        bits[places.start : places.stop, :width] = np.packbits(part, axis=1)
    if bits.shape[1] == _WORD:
        values: AnyArray = bits.view(">u8").ravel().astype(np.uint64)
    else:
        values = bits.view(f"V{bits.shape[1]}").ravel()
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    return numbers.ravel(), counts


def true_classes(table: SampleTable, num_classes: int) -> tuple[Indices, Indices]:
    """List the true ones of the first classes of all samples: rows [E] and classes [E]."""
    rows, classes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for places, part in _true_in_parts(table, num_classes):
        found = np.nonzero(part)
        rows.append(found[0] + places.start)
        classes.append(found[1])
    return np.concatenate(rows), np.concatenate(classes)


def _true_in_parts(table: SampleTable, num_classes: int) -> Iterator[tuple[range, AnyArray]]:
    """Say which classes are true of some samples at a time: unpacked they are 32 times as large."""
    targets = table.targets
    if targets is None:
        return
    for places in in_parts(len(table)):
        yield places, np.asarray(targets[places.start : places.stop, :num_classes] > 0)
