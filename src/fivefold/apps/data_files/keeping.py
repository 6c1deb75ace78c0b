"""Folds that an earlier split or experiment has dealt: known samples keep them, new ones join."""

from pathlib import Path

import numpy as np

from fivefold.apps.data_files.choosing import Kinds
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.layout import RunFolder
from fivefold.core.types import Indices
from fivefold.data import SampleTable
from fivefold.data.given_folds import folds_of_table
from fivefold.data.splits import Splits

NEW = -9
"""Stands for a fold where a sample is new."""
_TEST = -1


def known_folds(path: Path, table: SampleTable, folds: int) -> Indices:
    """Read which folds samples had.

    Samples of a group, copies and near duplicates of known ones have their fold, too.

    Args:
        path: A table with a column `fold` that `fivefold data split` has written, or the folder of
            an experiment.
        table: The samples as they are now.
        folds: How many folds there are to be.

    Returns:
        The fold of each, -1 for the test part, or `NEW` [N].

    Raises:
        ConfigError: If there were more folds.
        DataError: If it is no such table, or no sample is in it.
        StateError: If an experiment's folds are missing or damaged.
    """
    if path.is_dir():
        found = Splits.load(RunFolder.of(path).folds_path).fold_of
    else:
        found = folds_of_table(path, str(path)).fold_of
    most = max(found.values(), default=_TEST)
    if most >= folds:
        message = f"expected folds from 0 to {folds - 1}, got {most} in {path}"
        raise ConfigError([Problem("cli/split-option", "--keep", message, f"--folds {most + 1}")])
    known = np.fromiter((found.get(name, NEW) for name in table.ids), np.int64, len(table))
    known[known < _TEST] = NEW
    if (known == NEW).all():
        msg = f"{path}: expected folds of some of these samples, got none"
        hint = f"an id here looks like {table.ids[0]!r}, there like {next(iter(found), '')!r}"
        raise DataError(msg, hint=hint, slug="data/given-folds")
    units = table.units
    order = np.lexsort((table.ranks, known == NEW, units))  # of a unit the known ones come first
    first = np.flatnonzero(np.diff(units[order], prepend=-1))
    of_unit = np.empty(int(units.max()) + 1, dtype=np.int64)
    of_unit[units[order][first]] = known[order][first]
    return np.where(known == NEW, of_unit[units], known)


def deal(
    kinds: Kinds, units: Indices, numbers: Indices, folds: int, rng: np.random.Generator
) -> Indices:
    """Deal new samples to folds: each unit to where its classes are rarest.

    Args:
        kinds: What each sample is.
        units: Numbers of what is not divided, which sort as ids do [N].
        numbers: Folds of all samples, `NEW` for those to be dealt [N].
        folds: How many folds.
        rng: Draws the order of the units.

    Returns:
        The fold of each sample [N].
    """
    numbers = numbers.copy()
    fold_of = numbers[kinds.rows]
    counts = np.zeros((folds, len(kinds.counts)))
    np.add.at(counts, (fold_of[fold_of >= 0], kinds.kinds[fold_of >= 0]), 1)
    sizes = np.bincount(numbers[numbers >= 0], minlength=folds)
    rows = np.flatnonzero(numbers == NEW)
    rows = rows[np.argsort(units[rows], kind="stable")]
    members = np.split(rows, np.flatnonzero(np.diff(units[rows])) + 1) if len(rows) else []
    order = np.argsort(kinds.rows, kind="stable")
    starts = np.searchsorted(kinds.rows[order], np.arange(len(numbers) + 1))
    for k in rng.permutation(len(members)).tolist():
        own = members[k]
        held = np.concatenate([kinds.kinds[order[starts[i] : starts[i + 1]]] for i in own.tolist()])
        fold = int(np.lexsort((sizes, counts[:, held].sum(axis=1)))[0])
        np.add.at(counts[fold], held, 1)
        sizes[fold] += len(own)
        numbers[own] = fold
    return numbers
