from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tables_to_split import mixed, table

from fivefold.core.errors import DataError
from fivefold.data.drawn_folds import make_splits
from fivefold.data.near.ties import tied
from fivefold.data.source import Labels
from fivefold.data.text_order import first_alike


def test_each_sample_is_validated_exactly_once():
    splits = make_splits(table(mixed()), folds=5)
    found = [name for fold in range(5) for name in splits.val_ids(fold)]
    assert sorted(found) == sorted(splits.fold_of)
    for fold in range(5):
        assert not set(splits.val_ids(fold)) & set(splits.train_ids(fold))
        assert len(splits.val_ids(fold)) + len(splits.train_ids(fold)) == 200


def test_classes_are_spread_evenly():
    classes = mixed()
    of = dict(zip(table(classes).ids, classes, strict=True))
    splits = make_splits(table(classes), folds=5)
    for k in range(3):
        counts = Counter(fold for name, fold in splits.fold_of.items() if of[name] == k)
        assert max(counts.values()) - min(counts.values()) <= 1


def test_the_order_of_the_listing_does_not_matter():
    data = table(mixed())
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    options = {"folds": 5, "holdout": 0.1}
    assert make_splits(shuffled, **options).fold_of == make_splits(data, **options).fold_of


def test_the_seed_decides():
    data = table(mixed())
    assert make_splits(data, folds=5).fold_of == make_splits(data, folds=5, seed=33).fold_of
    assert make_splits(data, folds=5).fold_of != make_splits(data, folds=5, seed=34).fold_of


@pytest.mark.parametrize("folds", [1, 2, 5])
@pytest.mark.parametrize("holdout", [0.0, 0.2])
@pytest.mark.parametrize("stratified", [True, False])
def test_groups_are_never_divided(folds, holdout, stratified):
    rng = np.random.default_rng(folds)
    groups = [f"g{k}" for k in rng.integers(0, 60, 200)]
    data = table(mixed(), groups)
    splits = make_splits(data, folds=folds, holdout=holdout, stratified=stratified)
    places = {}
    for name, group in zip(data.ids, groups, strict=True):
        places.setdefault(group, set()).add(splits.fold_of[name])
    assert all(len(folds_of_group) == 1 for folds_of_group in places.values())
    if holdout:
        assert abs(len(splits.holdout_ids) - 40) <= 8  # about two groups


def test_the_holdout_has_its_share_of_each_class():
    data = table([0] * 120 + [1] * 60 + [2] * 20)
    splits = make_splits(data, folds=5, holdout=0.15)
    counts = Counter(data.label_text(data.ids.index(name)) for name in splits.holdout_ids)
    assert counts == {"class 0": 18, "class 1": 9, "class 2": 3}
    assert not set(splits.holdout_ids) & {n for f in range(5) for n in splits.train_ids(f)}


def test_one_fold_is_one_split_by_the_fraction():
    splits = make_splits(table([0] * 70 + [1] * 30), folds=1, validation=0.3, holdout=0.1)
    assert (len(splits.holdout_ids), len(splits.val_ids(0)), len(splits.train_ids(0))) == (
        10,
        27,
        63,
    )


def test_combinations_of_labels_are_spread_and_rare_ones_put_together():
    targets = np.zeros((103, 3), dtype=np.float32)
    targets[:50, 0] = 1
    targets[25:100, 1] = 1
    targets[100, 2] = targets[101, 1:] = 1  # 102 has none
    labels = (Labels("", ("a", "b", "c"), exclusive=False),)
    data = table([0] * 103, labels=labels, targets=targets)
    splits = make_splits(data, folds=5)
    both = Counter(splits.fold_of[name] for name in data.ids[25:50])
    assert set(both.values()) == {5}


@pytest.mark.parametrize("seed", range(3))
def test_a_holdout_has_its_share_of_labels_of_which_most_combinations_are_rare(seed):
    rng = np.random.default_rng(seed)
    targets = (rng.random((300, 10)) < np.linspace(0.05, 0.5, 10)).astype(np.float32)
    labels = (Labels("", tuple("abcdefghij"), exclusive=False),)
    data = table([0] * 300, labels=labels, targets=targets)
    held_out = set(make_splits(data, folds=2, holdout=0.1, holdout_seed=seed).holdout_ids)
    kept = np.array([name in held_out for name in data.ids])
    assert np.abs(targets[kept].sum(axis=0) - targets.sum(axis=0) / 10).mean() < 1.5


def test_all_outputs_are_spread_evenly():
    first, second = np.arange(100) % 2, np.arange(100) % 7
    targets = np.hstack([np.eye(2)[first], np.eye(7)[second]]).astype(np.float32)
    outputs = (
        Labels("x", tuple("ab"), exclusive=True),
        Labels("y", tuple("pqrstuv"), exclusive=True),
    )
    splits = make_splits(table([0] * 100, labels=outputs, targets=targets), folds=5)
    fold = np.array([splits.fold_of[f"s{i:04}"] for i in range(100)])
    counts = np.stack([targets[fold == k].sum(axis=0) for k in range(5)])
    assert np.abs(counts - targets.sum(axis=0) / 5).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 20)), min_size=12, max_size=60),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.2]),
    st.randoms(use_true_random=False),
)
def test_several_labels_in_groups_are_a_partition_whatever_the_order(samples, folds, holdout, rnd):
    groups = [f"g{group}" for _, group in samples]
    targets = np.array([[bits >> k & 1 for k in range(3)] for bits, _ in samples], np.float32)
    labels = (Labels("", tuple("abc"), exclusive=False),)
    data = table([0] * len(samples), groups, labels, targets)
    assume(len(set(groups)) >= folds + 6)
    splits = make_splits(data, folds=folds, holdout=holdout)
    parts = [splits.holdout_ids, *map(splits.val_ids, range(folds))]
    parts += [splits.train_ids(0)] if folds == 1 else []
    assert sorted(name for part in parts for name in part) == sorted(data.ids)
    assert all(parts[1:])
    places = {}
    for name, group in zip(data.ids, groups, strict=True):
        places.setdefault(group, set()).add(splits.fold_of[name])
    assert all(len(found) == 1 for found in places.values())
    order = list(range(len(samples)))
    rnd.shuffle(order)
    again = make_splits(data.take(order), folds=folds, holdout=holdout)
    assert dict(again.fold_of) == dict(splits.fold_of)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 30)),
        min_size=8,
        max_size=60,
    ),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.25]),
    st.randoms(use_true_random=False),
)
def test_neither_groups_nor_copies_cross_a_fold_whatever_the_order(samples, folds, holdout, rnd):
    plain = table([0, 1, 2] + [own for own, _, _ in samples])
    groups = [f"alone {k}" for k in range(3)] + [f"group {g}" for _, g, _ in samples]
    digests = [f"alone {k}" for k in range(3)] + [f"picture {d}" for _, _, d in samples]
    data = tied(replace(plain, groups=tuple(groups)), first_alike(digests))
    assume(len(np.unique(data.units)) >= folds + 6)
    try:
        splits = make_splits(data, folds=folds, holdout=holdout)
    except DataError as error:  # where one unit is most of all, a holdout may take all others
        assume(not (holdout and error.slug == "data/too-few"))
        raise
    assert sorted(splits.fold_of) == sorted(data.ids)
    own = [splits.fold_of[name] for name in data.ids]
    for together in (groups, digests):  # each in one fold
        assert len(set(zip(together, own, strict=True))) == len(set(together))
    order = list(range(len(own)))
    rnd.shuffle(order)
    again = make_splits(data.take(order), folds=folds, holdout=holdout)
    assert dict(again.fold_of) == dict(splits.fold_of)


def test_nothing_but_rare_combinations_still_splits():
    targets = np.eye(6, dtype=np.float32)
    labels = (Labels("", tuple("abcdef"), exclusive=False),)
    splits = make_splits(table([0] * 6, labels=labels, targets=targets), folds=3)
    assert sorted(Counter(splits.fold_of.values()).values()) == [2, 2, 2]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=40),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.1, 0.5, 0.9]),
)
def test_no_part_is_ever_empty(samples, folds, holdout):
    data = table([k for k, _ in samples], groups=[f"g{group}" for _, group in samples])
    try:
        splits = make_splits(data, folds=folds, holdout=holdout, validation=0.9)
    except DataError:
        assert len(set(data.groups)) < folds + 10 * holdout + 2
        return
    assert all(splits.val_ids(fold) and splits.train_ids(fold) for fold in range(folds))
    assert bool(splits.holdout_ids) == (holdout > 0)


def test_too_few_separable_samples_are_refused():
    data = table([0, 1, 0, 1, 0, 1], groups="aabbcc")
    with pytest.raises(DataError, match="at least 5 images that may be separated, got 3") as error:
        make_splits(data, folds=5)
    assert error.value.slug == "data/too-few"
