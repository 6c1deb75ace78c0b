"""Folds of images with masks: alike in what is shown, and in how much of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.masks import MaskKind
from fivefold.data.coverage import coverage_kinds
from fivefold.data.drawn_folds import make_splits
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels
from fivefold.data.split_report import SplitReport, area_evenness_of, evenness_of


def table_with(areas, *, exclusive=False, groups=None):
    """Make a table of images that classes cover so much of [N, C]."""
    areas = np.asarray(areas, np.float32)
    if exclusive:
        areas = np.concatenate([1 - areas.sum(axis=1, keepdims=True), areas], axis=1)
    count, classes = areas.shape
    ids = tuple(f"n{i:04}" for i in range(count))
    names = tuple(f"c{k}" for k in range(classes))
    return SampleTable(
        ids=ids,
        indices=np.arange(count),
        targets=(areas > 0).astype(np.float32),
        labels=(Labels("", names, exclusive=False),),
        groups=ids if groups is None else groups,
        digests=tuple(f"{i:064x}" for i in range(count)),
        masks=MaskKind(classes, exclusive),
        areas=areas,
    )


def ships(count, *, empty=0.7, classes=1, seed=0):
    """Draw areas as ships have them: most images show none, few show a large one."""
    rng = np.random.default_rng(seed)
    areas = np.minimum(rng.lognormal(-5, 1.5, (count, classes)), 0.9 / classes)
    return np.where(rng.random((count, classes)) < empty, 0, areas)


def shares(table, splits):
    """Tell the share of positive images and the mean area of each fold's validation samples."""
    numbers = np.array([splits.fold_of[name] for name in table.ids])
    first = 1 if table.masks.exclusive else 0
    areas = table.areas[:, first:]
    return np.array(
        [
            [(areas[numbers == k] > 0).mean(), *areas[numbers == k].mean(axis=0)]
            for k in range(splits.num_folds)
        ]
    )


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("classes", [1, 3])
def test_folds_have_the_same_share_of_positives_and_nearly_the_same_area(exclusive, classes):
    apart = []
    for seed in range(3):
        table = table_with(ships(600, classes=classes, seed=seed), exclusive=exclusive)
        for stratified in (True, False):
            splits = make_splits(table, folds=5, seed=seed, stratified=stratified)
            found = shares(table, splits)
            apart.append(np.ptp(found, axis=0) / found.mean(axis=0))
    balanced, random = np.mean(apart[::2], axis=0), np.mean(apart[1::2], axis=0)
    assert balanced[0] < 0.03
    assert (balanced[1:] < random[1:] * 0.7).all(), (balanced, random)


def test_groups_stay_together_and_are_balanced():
    spread = []
    for seed in range(4):
        groups = tuple(f"g{i // 3}" for i in range(600))
        table = table_with(ships(600, seed=seed), groups=groups)
        splits = make_splits(table, folds=4, seed=seed)
        of_group = {}
        for name, group in zip(table.ids, table.groups, strict=True):
            of_group.setdefault(group, set()).add(splits.fold_of[name])
        assert all(len(folds) == 1 for folds in of_group.values())
        random = make_splits(table, folds=4, seed=seed, stratified=False)
        both = shares(table, splits), shares(table, random)
        spread.append([found.std(axis=0) / found.mean(axis=0) for found in both])
    balanced, by_chance = np.mean(spread, axis=0)
    assert balanced[0] < 0.03
    assert balanced[1] < by_chance[1] * 0.8


def test_the_holdout_is_like_the_rest():
    table = table_with(ships(1000))
    splits = make_splits(table, folds=5, holdout=0.2)
    numbers = np.array([splits.fold_of[name] for name in table.ids])
    out, rest = table.areas[numbers == HOLDOUT], table.areas[numbers != HOLDOUT]
    assert abs((out > 0).mean() - (rest > 0).mean()) < 0.01
    assert abs(out.mean() - rest.mean()) / rest.mean() < 0.1


def test_the_order_of_the_listing_does_not_matter():
    table = table_with(ships(200, classes=2))
    order = np.random.default_rng(3).permutation(200)
    one, other = make_splits(table, folds=5), make_splits(table.take(order), folds=5)
    assert dict(one.fold_of) == dict(other.fold_of)


AREAS = st.lists(st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.2]), min_size=2, max_size=2),
                 min_size=6, max_size=40)  # fmt: skip


@given(AREAS, st.integers(2, 5), st.booleans())
def test_each_image_is_every_class_that_it_shows_and_one_part_of_it(areas, folds, exclusive):
    table = table_with(areas, exclusive=exclusive)
    rows, kinds, count = coverage_kinds(table, folds)
    assert (np.diff(rows) >= 0).all()
    assert len(set(zip(rows.tolist(), kinds.tolist(), strict=True))) == len(rows)
    assert set(kinds.tolist()) <= set(range(count))
    sizes = np.bincount(kinds, minlength=count)
    assert (sizes[sizes > 0] >= 1).all()
    for row, own in enumerate(areas):
        shown = sum(area > 0 for area in own)
        assert shown <= (rows == row).sum() <= 2 * shown
    splits = make_splits(table, folds=folds)
    assert set(splits.fold_of.values()) == set(range(folds))


def splits_of_nine():
    return make_splits(table_with(np.full((9, 1), 0.5)), folds=3)


def test_a_report_says_how_even_areas_are(tmp_path):
    table = table_with(ships(500, classes=2), exclusive=True)
    splits = make_splits(table, folds=5)
    areas = area_evenness_of(table, splits)
    found = shares(table, splits)[:, 1:]
    k = int(areas.class_name[1:]) - 1
    assert areas.share == pytest.approx(found[areas.fold, k], rel=1e-5)
    assert areas.deviation == pytest.approx(np.abs(found - found.mean(axis=0)).max(), rel=1e-3)
    report = SplitReport(evenness_of(table, splits), {}, 4, areas)
    assert "covered areas differ by at most 0." in str(report)
    assert f"points: {areas.class_name!r} in fold {areas.fold}, " in str(report)
    report.save(tmp_path / "report.json")
    assert SplitReport.load(tmp_path / "report.json") == report
    always = SplitReport(
        evenness_of(table_with(np.full((9, 1), 0.5)), splits_of_nine()), {}, 4, areas
    )
    assert str(always) == always.how_even() == str(areas)
    SplitReport(None, {}, 4).save(tmp_path / "other.json")
    assert "areas" not in (tmp_path / "other.json").read_text()


@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.2, 0.3])
@pytest.mark.parametrize("count", [60, 80, 300])
@pytest.mark.parametrize("folds", [2, 5])
def test_a_holdout_of_masks_is_as_large_as_was_asked_for(fraction, count, folds):
    table = table_with(ships(count, empty=0.4, classes=2), exclusive=True)
    splits = make_splits(table, folds=folds, holdout=fraction)
    held_out = sum(splits.fold_of[name] == HOLDOUT for name in table.ids)
    assert abs(held_out - fraction * count) <= max(2, 0.04 * count)
