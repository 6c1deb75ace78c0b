"""Labels and groups to folds and a holdout."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.data.by_id import FoldOf, MarkOf
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY, GivenFolds
from fivefold.data.packed import small
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits


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
        msg = f"folds: expected at least {need} images that may be separated, got {separable}"
        hint = "add images, or lower `folds_count` or `testSplit`; copies and groups count as one"
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
