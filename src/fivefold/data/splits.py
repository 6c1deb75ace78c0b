"""Folds and a holdout, saved, and checked ever after."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field, TypeAdapter

from fivefold.core.damage import checked
from fivefold.core.errors import StateError
from fivefold.core.sealed import read_sealed
from fivefold.core.sealed_long import read_sealed_long, write_sealed_long
from fivefold.core.types import AnyArray, Indices
from fivefold.core.validation import shown
from fivefold.data.by_id import FoldOf, MarkOf, SavedMarks
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY, GivenFolds
from fivefold.data.packed import GatheredTexts, PackedTexts, packed_digests, small
from fivefold.data.samples import SampleTable

_FORMAT = 1
_LATER = frozenset({"near_duplicates"})  # folds that were made before there was the key are kept
_RESTORE = "restore it from a copy; without it a resumed run would mix training and truth"


@dataclass(frozen=True, eq=False)
class Splits:
    """Which sample is validated in which fold.

    Attributes:
        fold_of: Sample id to fold, HOLDOUT or TRAIN_ONLY.
        num_folds: How many folds there are.
        fingerprint: The fingerprint of the data that were split.
        settings: What the folds were made with.
        marks: Sample id to the digest of its content and its label as text.
    """

    fold_of: Mapping[str, int]
    num_folds: int
    fingerprint: str
    settings: Mapping[str, Any]
    marks: Mapping[str, tuple[str, str]]

    def val_ids(self, fold: int) -> tuple[str, ...]:
        """The samples that a fold's model is validated on, sorted."""
        return tuple(sorted(name for name, own in self.fold_of.items() if own == fold))

    def train_ids(self, fold: int) -> tuple[str, ...]:
        """The samples that a fold's model is trained on, sorted."""
        left_out = (fold, HOLDOUT)
        return tuple(sorted(name for name, own in self.fold_of.items() if own not in left_out))

    @property
    def holdout_ids(self) -> tuple[str, ...]:
        """The samples of the holdout, sorted."""
        return self.val_ids(HOLDOUT)

    def rows(self, table: SampleTable, fold: int) -> tuple[Indices, Indices]:
        """Find the rows to train on and those to validate on, in the order of their ids.

        Args:
            table: The samples that were split.
            fold: The fold, or HOLDOUT for the rows of the holdout in the second place.
        """
        order, numbers = table.order, self.numbers(table)
        train = np.flatnonzero((numbers != fold) & (numbers != HOLDOUT))
        val = np.flatnonzero(numbers == fold)
        if order is None:
            return train, val
        return order[train].astype(np.int64), order[val].astype(np.int64)

    def numbers(self, table: SampleTable) -> AnyArray:
        """Tell the fold of each of a table's ids, sorted [N]."""
        ids, fold_of = table.sorted_ids, self.fold_of
        if isinstance(fold_of, FoldOf) and (fold_of.ids is ids or fold_of.ids == ids):
            return fold_of.numbers
        return np.fromiter((fold_of[sample_id] for sample_id in ids), np.int64, len(ids))

    def shared_with(self, table: SampleTable) -> "Splits":
        """Keep the ids and marks that a table has, instead of others that are equal."""
        fold_of = FoldOf(table.sorted_ids, small(self.numbers(table)))
        return replace(self, fold_of=fold_of, marks=MarkOf(table))

    def save(self, path: Path) -> None:
        """Write durably as JSON."""
        record = {"num_folds": self.num_folds, "fingerprint": self.fingerprint}
        record |= {"settings": dict(self.settings)}
        both = zip(self.fold_of.items(), self.marks.values(), strict=True)
        samples = ((name, [fold, *mark]) for (name, fold), mark in both)
        write_sealed_long(path, record, "samples", samples, version=_FORMAT)

    @classmethod
    def load(cls, path: Path) -> "Splits":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        samples = _Samples()
        rest = read_sealed_long(path, "samples", samples.take, version=_FORMAT)
        if rest is None:
            saved = read_sealed(path, _Saved, version=_FORMAT, hint=_RESTORE)
            samples = _Samples()
            samples.take(saved.samples)
        else:
            saved = checked(path, _Saved, {**rest, "samples": {}}, _RESTORE)
        train_only = saved.num_folds == 1 or saved.settings.get("given")
        last, first = saved.num_folds - 1, TRAIN_ONLY if train_only else HOLDOUT
        fold_of, marks = samples.done()
        wrong = {name: fold for name, fold in fold_of.items() if not first <= fold <= last}
        if wrong:
            msg = f"{path}: expected folds from {first} to {last}, got {shown(wrong)}"
            raise StateError(msg, hint=_RESTORE, slug="state/damaged")
        return cls(fold_of, saved.num_folds, saved.fingerprint, saved.settings, marks)


_Fold: TypeAlias = Annotated[int, Field(ge=-(2**31), lt=2**31)]


@dataclass(frozen=True)
class _Saved:
    num_folds: Annotated[int, Field(ge=1)]
    fingerprint: str
    settings: dict[str, Any]
    samples: dict[str, tuple[_Fold, str, str]]


_SOME = TypeAdapter(dict[str, tuple[_Fold, str, str]])


class _Samples:
    """What a file says of samples, which come some at a time, sorted by their ids."""

    def __init__(self) -> None:
        self._ids, self._digests = GatheredTexts(PackedTexts), GatheredTexts(packed_digests)
        self._labels, self._folds = GatheredTexts(PackedTexts), array("i")

    def take(self, part: Any) -> None:
        """Take some more.

        Raises:
            ValueError: If they are of other types.
        """
        for sample_id, (fold, digest, label) in sorted(_SOME.validate_python(part).items()):
            self._ids.add(sample_id)
            self._folds.append(fold)
            self._digests.add(digest)
            self._labels.add(label)

    def done(self) -> tuple[FoldOf, SavedMarks]:
        """Give all of them."""
        ids = self._ids.done()
        fold_of = FoldOf(ids, small(np.asarray(self._folds, dtype=np.int64)))
        return fold_of, SavedMarks(ids, self._digests.done(), self._labels.done())


def check_splits(saved: Splits, table: SampleTable, settings: Mapping[str, Any]) -> None:
    """Make sure that folds still fit the data and the config.

    Args:
        saved: The folds.
        table: The usable samples as they are now.
        settings: What `make_splits` would be called with now.

    Raises:
        StateError: If anything differs; names at most 20 samples.
    """
    now = {
        key: value.digest if isinstance(value, GivenFolds) else value or ""
        for key, value in settings.items()
    }
    known = [key for key in settings if key not in _LATER or key in saved.settings]
    changed = [key for key in known if (saved.settings.get(key) or "") != now[key]]
    if changed:
        told = ", ".join(f"{k} was {saved.settings.get(k)}, is {now[k]}" for k in changed)
        msg = f"folds: expected the settings that they were made with, got others: {told}"
        hint = "undo the change in the config, or start a new experiment in another folder"
        raise StateError(msg, hint=hint, slug="state/split-settings")
    if saved.fingerprint == table.fingerprint:
        return
    lines = _differences(saved.marks, MarkOf(table))
    more = [f"… and {len(lines) - 20} more"] if len(lines) > 20 else []
    shown = "\n".join(f"  {line}" for line in [*lines[:20], *more])
    msg = f"data: expected the data that the folds were made of, got {len(lines)} changes:\n{shown}"
    hint = "undo the changes, or start a new experiment on the changed data; known samples keep "
    hint += "their folds in a table by `fivefold data split DATA --keep EXPERIMENT --folds K`"
    raise StateError(msg, hint=hint, slug="state/data-changed")


def _differences(
    before: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]
) -> list[str]:
    lines = [f"added: {name}" for name in sorted(now.keys() - before.keys())]
    lines += [f"removed: {name}" for name in sorted(before.keys() - now.keys())]
    for name in sorted(before.keys() & now.keys()):
        (old_digest, old_label), (digest, label) = before[name], now[name]
        if old_label != label:
            lines.append(f"relabelled: {name}: was {old_label!r}, is {label!r}")
        if old_digest != digest:
            lines.append(f"other content: {name}")
    return lines or ["the names or the order of the classes, or weights of samples"]
