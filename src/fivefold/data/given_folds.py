"""Folds and a holdout that somebody has made already, instead of drawn ones."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import AnyArray, Indices
from fivefold.data.csv_text import read_table
from fivefold.data.packed import small
from fivefold.data.samples import SampleTable
from fivefold.data.text_order import TextIndex

HOLDOUT = -1
"""The fold of samples that no model sees before the end."""
TRAIN_ONLY = -2
"""The fold of samples that are always trained on."""

_MOST_FOLDS = 1000
_NUMBER = re.compile(r"-1|[0-9]{1,9}")

logger = logging.getLogger(__name__)


class NumberedFolds(Mapping[str, int]):
    """Folds as one number for each sample; no object for each is kept.

    Args:
        ids: Of all samples of a source, each once [N].
        numbers: Their folds, HOLDOUT or TRAIN_ONLY [N].
    """

    def __init__(self, ids: Sequence[str], numbers: AnyArray) -> None:
        self._ids = ids
        self.numbers = small(np.asarray(numbers, dtype=np.int64))

    @cached_property
    def _index(self) -> TextIndex:
        return TextIndex(self._ids)

    def __getitem__(self, sample_id: str) -> int:
        place = self._index.find(sample_id)
        if place is None:
            raise KeyError(sample_id)
        return int(self.numbers[place])

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    @property
    def digest(self) -> str:
        """Tell these folds from others, in whatever order the samples are: 16 hex digits."""
        total = 0
        for sample_id, number in zip(self._ids, self.numbers.tolist(), strict=True):
            text = f"{number}:{sample_id}".encode("utf-8", "surrogateescape")
            total += int.from_bytes(hashlib.sha256(text).digest(), "big")
        return hashlib.sha256(f"{len(self)}:{total}".encode("ascii")).hexdigest()[:16]


@dataclass(frozen=True)
class GivenFolds:
    """What is settled before any fold is drawn.

    Attributes:
        where: Who says it, for messages.
        fold_of: Sample id to fold, or to HOLDOUT; other samples are always trained on. Empty where
            folds are drawn.
        held_out: Ids of the holdout, of samples whose folds are drawn.
        train_only: Ids of samples that are always trained on, however folds are drawn.
    """

    where: str
    fold_of: Mapping[str, int] = field(default_factory=dict)
    held_out: frozenset[str] = frozenset()
    train_only: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """Tell these folds from others: a short digest, or nothing where nothing is given."""
        if isinstance(self.fold_of, NumberedFolds):
            return self.fold_of.digest
        facts = [sorted(self.fold_of.items()), sorted(self.held_out)]
        facts += [["train_only"]] if self.train_only else []  # their contents are checked anyway
        if not any(facts):
            return ""
        text = json.dumps(facts)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]

    def numbers(self, table: SampleTable, folds: int) -> Indices:
        """Give each sample's fold, in the order of the sorted ids [N].

        Raises:
            DataError: If there are not as many folds as asked for, or one is empty.
        """
        numbers = self._of_samples(table)
        found = self._count
        if found != folds:
            msg = f"{self.where}: expected as many folds as `folds_count`, {folds}, got {found}"
            set_it = f"set `folds_count: {found}`" if 0 < found <= _MOST_FOLDS else ""
            hint = set_it or "folds count from 0; -1 is the holdout"
            if found == 1 and isinstance(self.fold_of, NumberedFolds):
                hint += "; to draw folds, say train instead of val"
            raise DataError(msg, hint=hint, slug="data/given-folds")
        sizes = np.bincount(numbers[numbers >= 0], minlength=folds)
        usable = [(numbers != fold) & (numbers != HOLDOUT) for fold in range(folds)]
        empty = [fold for fold in range(folds) if not sizes[fold] or not usable[fold].any()]
        if empty:
            msg = f"{self.where}: expected samples to train and to validate on, got none in {empty}"
            hint = "these folds are empty, or have all samples; unreadable images do not count"
            raise DataError(msg, hint=hint, slug="data/given-folds")
        left = int((numbers == TRAIN_ONLY).sum())
        # With one fold of a column these are its train rows.
        if left and not (folds == 1 and isinstance(self.fold_of, NumberedFolds)):
            logger.warning("%s: %d samples are in no fold: always trained on", self.where, left)
        return numbers

    @property
    def _count(self) -> int:
        if isinstance(self.fold_of, NumberedFolds):
            numbers = self.fold_of.numbers  # of a type that may have no place for HOLDOUT
            return int(numbers.max()) + 1 if len(numbers) else 0
        return max(self.fold_of.values(), default=HOLDOUT) + 1

    def _of_samples(self, table: SampleTable) -> Indices:
        """Find the fold of each of a table's samples, in the order of the sorted ids [N]."""
        if isinstance(self.fold_of, NumberedFolds):
            found = self.fold_of.numbers[table.indices].astype(np.int64)
            return found if table.order is None else found[table.order]
        ids = table.sorted_ids
        asked = (self.fold_of.get(sample_id, TRAIN_ONLY) for sample_id in ids)
        return np.fromiter(asked, dtype=np.int64, count=len(ids))

    def warn_of_leaks(self, units: Indices, numbers: AnyArray) -> None:
        """Say how many groups or copies lie on both sides of a border that was given."""
        order = np.argsort(units, kind="stable")
        same = units[order][1:] == units[order][:-1]
        torn = same & (numbers[order][1:] != numbers[order][:-1])
        count = len(np.unique(units[order][1:][torn]))
        if count:
            text = "%s: %d groups, copies or near duplicates are in several folds: models know them"
            logger.warning(text, self.where, count)


def folds_of_table(path: Path, where: str) -> GivenFolds:
    """Read a CSV table with a column `fold` beside one of sample ids.

    Args:
        path: The table.
        where: For messages.

    Raises:
        DataError: If it is no such table.
    """
    table = read_table(path)
    names = [name.strip().casefold() for name in table.columns]
    others = [k for k, name in enumerate(names) if name != "fold"]
    if len(others) != len(names) - 1 or not others:
        msg = f"{path}: expected a column 'fold' beside one of sample ids, got {table.columns}"
        raise DataError(msg, slug="data/given-folds")
    ids = next((k for k in others if names[k] in ("id", "sample_id", "image")), others[0])
    fold_of: dict[str, int] = {}
    for row in table.rows:
        text, sample_id = row.cells[names.index("fold")].strip(), row.cells[ids]
        if not _NUMBER.fullmatch(text):
            msg = f"{path}:{row.line}: fold: expected a whole number of at least -1, got {text!r}"
            raise DataError(msg, slug="data/given-folds")
        _put(fold_of, sample_id, int(text), f"{path}:{row.line}")
    if not fold_of:
        msg = f"{path}: expected a row with its fold for each sample, got none"
        raise DataError(msg, slug="data/given-folds")
    return GivenFolds(where, fold_of)


def folds_of_lists(lists: Sequence[Sequence[str]], where: str) -> GivenFolds:
    """Take a list of sample ids for each fold.

    Raises:
        DataError: If a sample is in two of them.
    """
    fold_of: dict[str, int] = {}
    for fold, ids in enumerate(lists):
        for sample_id in ids:
            _put(fold_of, sample_id, fold, where)
    return GivenFolds(where, fold_of)


def folds_of_positions(
    folds: Sequence[tuple[Any, Any]] | None, held_out: Any, ids: Sequence[str], where: str
) -> GivenFolds:
    """Take a data set's own folds and holdout.

    Args:
        folds: Positions to train on and to validate on, of each fold; None draws them.
        held_out: Positions of the holdout; None for none.
        ids: Of the data set's samples.
        where: For messages.

    Raises:
        DataError: If a position is none, a sample is validated twice, or a fold leaves samples out
            that are neither validated on nor held out.
    """
    out = set() if held_out is None else set(_positions(held_out, len(ids), where))
    if folds is None:
        return GivenFolds(where, held_out=frozenset(ids[i] for i in out))
    pairs = isinstance(folds, Sequence) and all(isinstance(both, Sequence) for both in folds)
    if not pairs or any(len(both) != 2 for both in folds):
        msg = f"{where}: expected a pair (train, validation) for each fold, got {folds!r:.80}"
        raise DataError(msg, slug="data/given-folds")
    fold_of = {ids[i]: HOLDOUT for i in out}
    parts = [[_positions(part, len(ids), where) for part in both] for both in folds]
    for fold, (_, val) in enumerate(parts):
        for i in val:
            _put(fold_of, ids[i], fold, where)
    for fold, (train, val) in enumerate(parts):
        expected = set(range(len(ids))) - out - set(val)
        if set(train) != expected:
            wrong = sorted(expected ^ set(train))
            msg = (
                f"{where}: fold {fold}: expected to train on all samples that it does not validate "
                f"on, got others at {wrong[:5]}"
            )
            hint = "samples that take no part belong into the holdout: `holdoutArr`"
            raise DataError(msg, hint=hint, slug="data/given-folds")
    return GivenFolds(where, fold_of)


def check_known(given: GivenFolds, ids: Sequence[str]) -> None:
    """Make sure that folds only name samples that there are.

    Raises:
        DataError: If they do not.
    """
    if isinstance(given.fold_of, NumberedFolds) or not (given.fold_of or given.held_out):
        return
    known = set(ids)
    lost = sorted({*given.fold_of, *given.held_out} - known)
    if lost:
        msg = f"{given.where}: expected ids of samples, got {len(lost)} others: {lost[:5]}"
        hint = did_you_mean(lost[0], list(known)[:10_000], f"an id looks like {ids[0]!r}")
        raise DataError(msg, hint=hint, slug="data/given-folds")


def _positions(part: Any, total: int, where: str) -> list[int]:
    numbers = np.asarray(part)
    sound = numbers.ndim == 1 and (numbers.dtype.kind in "iu" or not numbers.size)
    if not sound or (numbers.size and not 0 <= numbers.min() <= numbers.max() < total):
        msg = f"{where}: expected positions from 0 to {total - 1}, got {part!r:.80}"
        raise DataError(msg, slug="data/given-folds")
    return [int(i) for i in numbers]


def _put(fold_of: dict[str, int], sample_id: str, fold: int, where: str) -> None:
    if fold_of.setdefault(sample_id, fold) != fold:
        both = f"{fold_of[sample_id]} and {fold}"
        msg = f"{where}: {sample_id!r}: expected one fold for a sample, got {both}"
        raise DataError(msg, hint="-1 is the holdout", slug="data/given-folds")
