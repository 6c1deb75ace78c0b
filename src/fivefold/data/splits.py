"""Labels and groups to folds and a holdout: made once, saved, and checked ever after."""

import warnings
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field, TypeAdapter

from fivefold.core.damage import checked
from fivefold.core.errors import DataError, StateError
from fivefold.core.sealed import read_sealed
from fivefold.core.sealed_long import read_sealed_long, write_sealed_long
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.core.validation import shown
from fivefold.data.by_id import FoldOf, MarkOf, SavedMarks
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY, GivenFolds
from fivefold.data.packed import GatheredTexts, PackedTexts, packed_digests, small
from fivefold.data.samples import SampleTable

_FORMAT = 1
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


def make_splits(  # noqa: PLR0913  the table, and the seven keys that decide its folds
    table: SampleTable,
    *,
    folds: int,
    seed: int = 33,
    stratified: bool = True,
    holdout: float = 0.0,
    holdout_seed: int = 123,
    validation: float = 0.2,
    given: GivenFolds | None = None,
) -> Splits:
    """Assign every sample to a fold; groups stay whole, and the listing's order does not matter.

    Strata are the classes of the first output; for labels that are not exclusive they are the
    combinations, of which the rare ones count as one.

    Args:
        table: The usable samples.
        folds: How many; 1 makes one split by `validation`.
        seed: What the folds are drawn with.
        stratified: Whether the classes' shares are kept equal in all folds.
        holdout: The fraction that is kept out of all folds, 0-1.
        holdout_seed: What the holdout is drawn with.
        validation: The fraction that is validated on where there is only one fold, 0-1.
        given: What of all this somebody has settled already.

    Raises:
        DataError: If there are fewer separable samples than folds, or those given do not fit.
    """
    settings: dict[str, Any] = {"folds": folds, "seed": seed}
    settings |= {
        "stratified": stratified,
        "holdout": holdout,
        "holdout_seed": holdout_seed,
        "validation": validation,
    }
    settings |= {"given": given.digest if given else ""}
    if given and given.train_only:
        return _beside_train_only(table, given, settings)
    ordered = table if table.order is None else table.take(table.order)
    strata = _strata(ordered, max(folds, 2)) if stratified else np.zeros(len(ordered), np.int64)
    units = table.units if table.order is None else table.units[table.order]
    fold = np.full(len(ordered), HOLDOUT, dtype=np.int64)
    rest = np.arange(len(ordered))
    if given and given.held_out:
        rest = np.array(
            [i for i, name in enumerate(table.sorted_ids) if name not in given.held_out]
        )
    elif holdout > 0 and not (given and given.fold_of):
        rng = generator_for(holdout_seed, "holdout")
        rest = rest[~_fraction(units, strata, holdout, rng)]
    kept = units[rest]
    _check_enough(kept, folds)
    if given and given.fold_of:
        fold = given.numbers(table, folds)
    elif folds == 1:
        chosen = _fraction(kept, strata[rest], validation, generator_for(seed, "validation"))
        fold[rest] = np.where(chosen, 0, TRAIN_ONLY)
    else:
        fold[rest] = _k_folds(kept, strata[rest], folds, seed)
    if given:
        given.warn_of_leaks(units, fold)
    return Splits(
        fold_of=FoldOf(table.sorted_ids, small(fold)),
        num_folds=folds,
        fingerprint=table.fingerprint,
        settings=settings,
        marks=MarkOf(table),
    )


def _beside_train_only(
    table: SampleTable, given: GivenFolds, settings: Mapping[str, Any]
) -> Splits:
    """Make the folds of all other samples, as if there were none that are only trained on."""
    others = [row for row, name in enumerate(table.ids) if name not in given.train_only]
    rest = replace(given, train_only=frozenset())
    splits = make_splits(table.take(others), **{**settings, "given": rest})
    asked = (splits.fold_of.get(name, TRAIN_ONLY) for name in table.sorted_ids)
    return replace(
        splits,
        fold_of=FoldOf(table.sorted_ids, small(np.fromiter(asked, np.int64, len(table)))),
        fingerprint=table.fingerprint,
        settings=dict(settings),
        marks=MarkOf(table),
    )


def _check_enough(units: Indices, folds: int) -> None:
    need, separable = max(folds, 2), len(np.unique(units))
    if separable < need:
        msg = f"expected at least {need} images that may be separated, got {separable}"
        hint = "add images or lower `folds_count`; exact copies and groups count as one"
        raise DataError(msg, hint=hint, slug="data/too-few")


def _strata(table: SampleTable, folds: int) -> Indices:
    """Number what should be spread evenly [N]; what is too rare to spread counts as one."""
    if table.targets is None or not table.labels:
        return np.zeros(len(table), dtype=np.int64)
    columns = table.targets[:, : len(table.labels[0].class_names)] > 0
    combinations, number = np.unique(columns, axis=0, return_inverse=True)
    counts = np.bincount(number.ravel(), minlength=len(combinations))
    strata: Indices = np.where(counts[number] < folds, -1, number).ravel()
    return strata


def _k_folds(units: Indices, strata: Indices, folds: int, seed: int) -> Indices:
    from sklearn.model_selection import (  # noqa: PLC0415  only who makes folds pays for it
        StratifiedGroupKFold,
        StratifiedKFold,
    )

    several = len(np.unique(units)) < len(units)
    kind = StratifiedGroupKFold if several else StratifiedKFold
    if np.unique(strata, return_counts=True)[1].max() < folds:
        strata = np.zeros_like(strata)  # nothing occurs often enough to be spread
    fold = np.empty(len(units), dtype=np.int64)
    maker = kind(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # The rare ones were put together above; that even they are few is no news.
        warnings.filterwarnings("ignore", message="The least populated class", module="sklearn")
        for number, (_, val) in enumerate(maker.split(strata, strata, units if several else None)):
            fold[val] = number
    return fold


def _fraction(
    units: Indices, strata: Indices, fraction: float, rng: np.random.Generator
) -> AnyArray:
    """Choose whole groups that hold about a fraction of each stratum: a mask [N]."""
    group, sizes = np.unique(units, return_inverse=True, return_counts=True)[1:]
    rows = np.argsort(group.ravel(), kind="stable")
    ends = np.cumsum(sizes)
    number = np.unique(strata, return_inverse=True)[1].ravel()
    missing = _targets(np.bincount(number), fraction)
    taken: list[int] = []
    for k in rng.permutation(len(sizes)):
        members = rows[ends[k] - sizes[k] : ends[k]]
        counts = np.bincount(number[members], minlength=len(missing))
        if ((missing - counts) ** 2).sum() < (missing**2).sum():
            missing = missing - counts
            taken.append(int(k))
    # Groups may be larger than what was asked for: neither side may stay without any.
    taken = taken or [int(np.argmin(sizes))]
    chosen = taken if len(taken) < len(sizes) else taken[:-1]
    return np.isin(group.ravel(), chosen)


def _targets(counts: Indices, fraction: float) -> Indices:
    """Share out the fraction of all samples, in whole numbers, by the largest remainders."""
    exact = counts * fraction
    whole: Indices = np.floor(exact).astype(np.int64)
    left = max(round(counts.sum() * fraction), 1) - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole


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
    changed = [key for key in settings if (saved.settings.get(key) or "") != now[key]]
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
    hint = "undo the changes, or start a new experiment on the changed data"
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
    return lines or ["the names or the order of the classes"]
