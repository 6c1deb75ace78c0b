"""Labels and groups to folds and a holdout."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.data.by_id import FoldOf, MarkOf
from fivefold.data.coverage import coverage_kinds
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY, GivenFolds
from fivefold.data.packed import small
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits
from fivefold.data.spreading import choose_part, spread_over_folds, spread_over_part
from fivefold.data.unit_labels import UnitLabels, combinations_of, true_classes

_OF_PART = 5  # samples of a combination in a part from which on it is spread on its own


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

    What is spread evenly are the classes of the only output. Of labels that are not exclusive, and
    of several outputs, it is every class, and every combination of them, of which the rare ones
    count as one; of masks it is beside that how much of the image a class covers.

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
    units = table.units if table.order is None else table.units[table.order]
    spread = _Spread.of(ordered, units, _parts(folds, holdout), stratified=stratified)
    fold = np.full(len(ordered), HOLDOUT, dtype=np.int64)
    rest = np.arange(len(ordered))
    if given and given.held_out:
        rest = np.array(
            [i for i, name in enumerate(table.sorted_ids) if name not in given.held_out],
            dtype=np.int64,
        )
    elif holdout > 0 and not (given and given.fold_of):
        rng = generator_for(holdout_seed, "holdout")
        rest = rest[~_fraction(spread, holdout, rng)]
    kept = spread.take(rest)
    if table.areas is not None:  # what the holdout has left is divided by its areas anew
        alike = _parts(folds, validation if folds == 1 else 0)
        kept = _Spread.of(ordered.take(rest), units[rest], alike, stratified=stratified)
    _check_enough(kept.units, folds)
    if given and given.fold_of:
        fold = given.numbers(table, folds)
    elif folds == 1:
        chosen = _fraction(kept, validation, generator_for(seed, "validation"))
        fold[rest] = np.where(chosen, 0, TRAIN_ONLY)
    else:
        fold[rest] = _k_folds(kept, folds, seed)
    if given:
        given.warn_of_leaks(spread.units, fold)
    return Splits(
        fold_of=FoldOf(table.sorted_ids, small(fold)),
        num_folds=folds,
        fingerprint=table.fingerprint,
        settings=settings,
        marks=MarkOf(table),
    )


def _parts(folds: int, fraction: float) -> int:
    """Say of how many samples of about the same area one is to be drawn.

    Of fewer than that one would be drawn as well, and the fraction become larger than was asked.
    """
    return max(round(1 / fraction) if fraction else folds, 2)


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
    number, counts = combinations_of(table, _num_classes(table))
    strata: Indices = np.where(counts[number] < folds, -1, number)
    return strata


def _num_classes(table: SampleTable) -> int:
    return sum(len(labels.class_names) for labels in table.labels)


@dataclass(frozen=True, eq=False)
class _Spread:
    """What should be spread evenly over folds.

    Attributes:
        units: The unit of each sample [N], which may not be divided.
        strata: One number for each sample [N].
        rows: Where samples may be of several kinds: those that have one [E], ascending.
        kinds: And what each of them is [E].
        num_kinds: C; 0 where the strata are all.
    """

    units: Indices
    strata: Indices
    rows: Indices
    kinds: Indices
    num_kinds: int

    @classmethod
    def of(cls, table: SampleTable, units: Indices, folds: int, *, stratified: bool) -> "_Spread":
        """Find it in a table whose ids are sorted."""
        none = np.zeros(0, np.int64)
        if not stratified:
            return cls(units, np.zeros(len(table), np.int64), none, none, 0)
        strata = _strata(table, folds)
        if len(table.labels) == 1 and table.labels[0].exclusive:
            return cls(units, strata, none, none, 0)
        if table.areas is not None:
            return cls(units, strata, *coverage_kinds(table, folds))
        rows, kinds = true_classes(table, _num_classes(table))
        return cls(units, strata, rows, kinds, _num_classes(table))

    def take(self, wanted: Indices) -> "_Spread":
        """Keep some samples, ascending."""
        place = np.full(len(self.units), -1)
        place[wanted] = np.arange(len(wanted))
        rows = place[self.rows]
        units, strata = self.units[wanted], self.strata[wanted]
        return _Spread(units, strata, rows[rows >= 0], self.kinds[rows >= 0], self.num_kinds)

    def held(self, rarest: int = 0) -> UnitLabels:
        """Say what units hold: strata, and beside them classes where samples may have several.

        Args:
            rarest: Strata of fewer samples count as one.
        """
        numbers, stratum, counts = np.unique(self.strata, return_inverse=True, return_counts=True)
        stratum = np.where(counts < rarest, np.argmax(counts < rarest), range(len(counts)))[stratum]
        rows = np.concatenate([np.arange(len(self.units)), self.rows])
        kinds = np.concatenate([stratum.ravel(), self.kinds + len(numbers)])
        return UnitLabels.of(self.units, rows, kinds, len(numbers) + self.num_kinds)


def _k_folds(spread: _Spread, folds: int, seed: int) -> Indices:
    if spread.num_kinds or len(np.unique(spread.units)) < len(spread.units):
        held = spread.held()
        return spread_over_folds(held, folds, generator_for(seed, "folds"))[held.of_row]
    from sklearn.model_selection import (  # noqa: PLC0415  only who makes folds pays for it
        StratifiedKFold,
    )

    strata = spread.strata
    if np.unique(strata, return_counts=True)[1].max() < folds:
        strata = np.zeros_like(strata)  # nothing occurs often enough to be spread
    fold = np.empty(len(strata), dtype=np.int64)
    maker = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # The rare ones were put together above; that even they are few is no news.
        warnings.filterwarnings("ignore", message="The least populated class", module="sklearn")
        for number, (_, val) in enumerate(maker.split(strata, strata)):
            fold[val] = number
    return fold


def _fraction(spread: _Spread, fraction: float, rng: np.random.Generator) -> AnyArray:
    """Choose whole groups that hold about a fraction of everything: a mask [N]."""
    if spread.num_kinds:
        # Of a rare combination a part would get one or none: its labels are what can be spread.
        held = spread.held(rarest=round(_OF_PART / min(fraction, 1 - fraction)))
        return spread_over_part(held, fraction, rng)[held.of_row]
    held = spread.held()
    return choose_part(held, _targets(held.totals(), fraction), rng)[held.of_row]


def _targets(counts: Indices, fraction: float) -> Indices:
    """Share out the fraction of all samples, in whole numbers, by the largest remainders."""
    exact = counts * fraction
    whole: Indices = np.floor(exact).astype(np.int64)
    left = max(round(counts.sum() * fraction), 1) - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole
