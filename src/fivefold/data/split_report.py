"""How good folds are: what was kept together, what given folds tear apart, how even classes are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.core.types import AnyArray, Indices
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.packed_numbers import in_parts
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits

GROUPS, COPIES, NEAR = "groups", "exact copies", "near duplicates"
"""Why samples are kept together."""

_FORMAT = 1
_EXAMPLES, _MEMBERS = 5, 4
_NEGLIGIBLE = 5e-5  # of a share: as many percent to two digits
_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Evenness:
    """The class whose share of a fold differs most from its share of all folds.

    Attributes:
        class_name: Its name, with that of its output before it where there are several.
        fold: Where it differs most.
        share: Of the fold's validation samples that have the class, 0-1.
        whole: Of all samples but the holdout, 0-1.
    """

    class_name: str
    fold: _Count
    share: _Share
    whole: _Share

    @property
    def deviation(self) -> float:
        """How far the shares are apart, 0-1."""
        return abs(self.share - self.whole)

    def __str__(self) -> str:
        points = f"{self.deviation * 100:.2g} points"
        shares = f"{self.share:.2%} instead of {self.whole:.2%}"
        return (
            f"classes differ by at most {points}: {self.class_name!r} in fold {self.fold}, {shares}"
        )


@dataclass(frozen=True)
class AreaEvenness(Evenness):
    """The class that covers another share of a fold's pixels than of all, where that differs most.

    Attributes:
        class_name: As in `Evenness`.
        fold: Where it differs most.
        share: Of the pixels of an image in the fold, the mean over its validation samples, 0-1.
        whole: Likewise, over all samples but the holdout.
    """

    def __str__(self) -> str:
        points = f"{self.deviation * 100:.2g} points"
        shares = f"{self.share:.2%} instead of {self.whole:.2%}"
        where = f"{self.class_name!r} in fold {self.fold}"
        return f"covered areas differ by at most {points}: {where}, {shares}"


@dataclass(frozen=True)
class Ties:
    """Sets of samples that belong into one fold for one reason.

    Attributes:
        sets: How many sets of at least two samples there are.
        samples: How many samples they have.
        torn: How many of the sets lie in several folds, or partly in the holdout.
        examples: Ids of some that are torn: at most 4 of a set.
    """

    sets: _Count
    samples: _Count
    torn: _Count
    examples: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class SplitReport:
    """What is to be known of folds.

    Attributes:
        evenness: How even the classes are; None where nothing has labels.
        ties: For each reason what is kept together.
        distance: Bits in which the hashes of near duplicates may differ; 0: nobody looked.
        areas: How even the areas are that masks cover; None without masks.
    """

    evenness: Evenness | None
    ties: Mapping[str, Ties] = field(default_factory=dict)
    distance: _Count = 0
    areas: AreaEvenness | None = None

    def leaks(self) -> Iterator[str]:
        """Word what lies on both sides of a border, for each reason."""
        for reason, ties in self.ties.items():
            if ties.torn:
                such = " and ".join(map(repr, ties.examples[0][:2]))
                yield f"{ties.torn} of {ties.sets} sets of {reason} are torn apart, such as {such}"

    def kept_together(self) -> str:
        """Say in a line what was kept together, and what was not."""
        found = self._sets()
        if not found:
            return "every sample is alone" + ("" if self.distance else "; near duplicates unsought")
        return "; ".join([found, *self.leaks()])

    def how_even(self) -> str:
        """Say in a line how even classes are, and the areas of masks; empty without labels."""
        evenness = self.evenness
        if self.areas and evenness and evenness.deviation < _NEGLIGIBLE:
            evenness = None  # every mask shows every class, which tells nothing
        return "; ".join(str(found) for found in (evenness, self.areas) if found)

    def __str__(self) -> str:
        """Say in a line how even the classes are, and what was kept together."""
        told = [self.how_even()] if self.how_even() else []
        told += [self._sets()] if self._sets() else []
        return "; ".join(told) or self.kept_together()

    def _sets(self) -> str:
        found = {reason: ties for reason, ties in self.ties.items() if ties.sets}
        return ", ".join(
            f"{ties.samples} samples in {ties.sets} set{'s' * (ties.sets > 1)} of {reason}"
            for reason, ties in found.items()
        )

    def save(self, path: Path) -> None:
        """Write durably as JSON; without masks nothing is said of areas."""
        record = asdict(self)
        if self.areas is None:
            del record["areas"]
        write_sealed(path, record, version=_FORMAT)

    @classmethod
    def load(cls, path: Path) -> "SplitReport":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        return read_sealed(path, cls, version=_FORMAT, hint="delete it; nothing else needs it")


def evenness_of(table: SampleTable, splits: Splits) -> Evenness | None:
    """Find the class whose share of a fold differs most from its share of all."""
    if table.targets is None or not table.labels:
        return None
    counts, whole = class_counts(table, splits)
    names, numbers = class_names(table), _by_row(table, splits)
    sizes = np.bincount(numbers[numbers >= 0], minlength=splits.num_folds)
    shares = counts / np.maximum(sizes, 1)[:, None]
    of_all = whole / max(int((numbers != HOLDOUT).sum()), 1)
    fold, k = divmod(int(np.argmax(np.abs(shares - of_all))), len(names))
    return Evenness(names[k], fold, float(shares[fold, k]), float(of_all[k]))


def area_evenness_of(table: SampleTable, splits: Splits) -> AreaEvenness | None:
    """Find the class whose covered area differs most in a fold; the background is none."""
    if table.areas is None or table.masks is None:
        return None
    first = 1 if table.masks.exclusive else 0
    areas, numbers = table.areas[:, first:].astype(np.float64), _by_row(table, splits)
    of_all = areas[numbers != HOLDOUT].mean(axis=0)
    shares = np.stack(
        [
            areas[numbers == k].mean(axis=0) if (numbers == k).any() else of_all
            for k in range(splits.num_folds)
        ]
    )
    fold, k = divmod(int(np.argmax(np.abs(shares - of_all))), len(of_all))
    name = class_names(table)[first + k]
    return AreaEvenness(name, fold, float(shares[fold, k]), float(of_all[k]))


def class_counts(table: SampleTable, splits: Splits) -> tuple[Indices, Indices]:
    """Count the samples of each class that each fold validates [K, C], and all outside the holdout.

    Args:
        table: The samples, with targets.
        splits: Their folds.
    """
    numbers, width = _by_row(table, splits), len(class_names(table))
    counts = np.zeros((splits.num_folds, width), dtype=np.int64)
    whole = np.zeros(width, dtype=np.int64)
    if table.targets is None:
        return counts, whole
    for places in in_parts(len(table)):
        own = numbers[places.start : places.stop]
        true = table.targets[places.start : places.stop] > 0
        whole += true[own != HOLDOUT].sum(axis=0)
        for fold in np.unique(own[own >= 0]).tolist():
            counts[fold] += true[own == fold].sum(axis=0)
    return counts, whole


def ties_of(table: SampleTable, splits: Splits, firsts: Indices) -> Ties:
    """Count sets of samples, and those that folds tear apart.

    Args:
        table: The samples.
        splits: Their folds.
        firsts: For each row the row that stands for its set [N].
    """
    numbers = _by_row(table, splits)
    sizes = np.bincount(firsts, minlength=len(table))
    apart = np.unique(firsts[numbers != numbers[firsts]])
    examples = [_named(table, np.flatnonzero(firsts == first)) for first in apart[:_EXAMPLES]]
    several = sizes > 1
    return Ties(int(several.sum()), int(sizes[several].sum()), len(apart), tuple(examples))


def _named(table: SampleTable, rows: Indices) -> tuple[str, ...]:
    return tuple(sorted(table.ids[row] for row in rows[:_MEMBERS].tolist()))


def _by_row(table: SampleTable, splits: Splits) -> AnyArray:
    """Give each row's fold [N]."""
    numbers: AnyArray = np.asarray(splits.numbers(table))[table.ranks]
    return numbers


def class_names(table: SampleTable) -> Sequence[str]:
    """Name the classes of all outputs, with the output before them where there are several."""
    return [
        f"{labels.name}.{name}" if len(table.labels) > 1 else name
        for labels in table.labels
        for name in labels.class_names
    ]
