import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from fivefold.core.seeding import generator_for
from fivefold.data.spreading import choose_part, spread_over_folds, spread_over_part
from fivefold.data.unit_labels import UnitLabels


def held_of(units, truth):
    rows, kinds = np.nonzero(truth)
    return UnitLabels.of(np.asarray(units), rows, kinds, truth.shape[1])


def spread(units, truth, folds, seed=0):
    held = held_of(units, truth)
    return spread_over_folds(held, folds, generator_for(seed, "folds"))[held.of_row]


def unevenness(truth, fold, folds):
    """The mean over folds and classes of how far a class's share is from the whole's."""
    parts = [truth[fold == k].mean(axis=0) for k in range(folds)]
    return float(np.abs(np.stack(parts) - truth.mean(axis=0)).mean())


def as_in_the_paper(truth, folds, rng):
    """Algorithm 1 of Sechidis and others, 2011, word by word."""
    left, fold_of = set(range(len(truth))), {}
    wanted = np.full(folds, len(truth) / folds)
    wanted_of = truth.sum(axis=0)[None] / np.full((folds, 1), folds)
    while left:
        counts = truth[sorted(left)].sum(axis=0)
        if not counts.any():
            for sample in sorted(left):
                fold_of[sample] = int(np.argmax(wanted))
                wanted[fold_of[sample]] -= 1
            break
        label = min(np.flatnonzero(counts), key=lambda k: counts[k])
        for sample in [i for i in sorted(left) if truth[i, label]]:
            best = np.flatnonzero(wanted_of[:, label] == wanted_of[:, label].max())
            best = best[wanted[best] == wanted[best].max()]
            fold_of[sample] = int(rng.choice(best))
            wanted_of[fold_of[sample]] -= truth[sample]
            wanted[fold_of[sample]] -= 1
            left.discard(sample)
    return np.array([fold_of[i] for i in range(len(truth))])


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_spread_as_evenly_as_by_the_paper(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((300, 8)) < np.linspace(0.02, 0.5, 8)
    ours = unevenness(truth, spread(np.arange(300), truth, 5), 5)
    assert ours <= 1.05 * unevenness(truth, as_in_the_paper(truth, 5, rng), 5)


def slowly(units, truth, folds, seed):
    """What `spread` does, told in words: everything is counted anew for every unit."""
    ids = np.unique(units)
    members = [np.flatnonzero(units == unit) for unit in ids]
    holds = np.array([truth[own].sum(axis=0) for own in members])
    sizes = np.array([len(own) for own in members])
    order = generator_for(seed, "folds").permutation(len(ids)).tolist()
    order.sort(key=lambda unit: -sizes[unit])
    fold_of = np.full(len(ids), -1)
    weight = 1 / np.maximum(truth.sum(axis=0), 1).astype(float) ** 2

    def put(unit, kind=None):
        inside = np.array([holds[fold_of == k].sum(axis=0) for k in range(folds)])
        lacking = truth.sum(axis=0) - folds * inside
        taken = [sizes[fold_of == k].sum() for k in range(folds)]
        wanted = np.array(
            [sum(row[k] * n * weight[k] for k, n in enumerate(holds[unit])) for row in lacking]
        )
        own = lacking[:, kind] if kind is not None else np.zeros(folds)
        fold_of[unit] = min(range(folds), key=lambda k: (-own[k], -wanted[k], taken[k]))

    for unit in order:
        if sizes[unit] > 1:
            put(unit)
    while (fold_of < 0).any():
        rest = [unit for unit in order if fold_of[unit] < 0]
        counts = holds[rest].sum(axis=0)
        if not counts.any():
            for unit in rest:
                put(unit)
            break
        kind = min(np.flatnonzero(counts), key=lambda k: counts[k])
        for unit in rest:
            if holds[unit, kind]:
                put(unit, kind)
    return fold_of[np.searchsorted(ids, units)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 31)), min_size=2, max_size=60),
    st.integers(2, 4),
    st.integers(0, 3),
)
def test_every_unit_goes_where_counting_anew_puts_it(samples, folds, seed):
    units = np.array([unit for unit, _ in samples])
    truth = np.array([[kinds >> k & 1 for k in range(5)] for _, kinds in samples], dtype=bool)
    assert spread(units, truth, folds, seed).tolist() == slowly(units, truth, folds, seed).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_classes_of_groups_are_spread_as_evenly_as_by_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    classes, groups = rng.choice(4, 400, p=[0.5, 0.3, 0.15, 0.05]), rng.integers(0, 80, 400)
    truth = np.eye(4, dtype=bool)[classes]
    theirs = np.empty(400, dtype=int)
    maker = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (_, val) in enumerate(maker.split(classes, classes, groups)):
            theirs[val] = number
    ours = spread(groups, truth, 5)
    assert unevenness(truth, ours, 5) <= 1.3 * unevenness(truth, theirs, 5) + 0.005
    sizes, their_sizes = np.bincount(ours), np.bincount(theirs)
    assert np.ptp(sizes) <= np.ptp(their_sizes) + 5


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 15)), min_size=2, max_size=60),
    st.integers(2, 6),
)
def test_no_fold_stays_empty_and_units_stay_whole(samples, folds):
    units = np.array([unit for unit, _ in samples])
    truth = np.array([[kinds >> k & 1 for k in range(4)] for _, kinds in samples], dtype=bool)
    fold = spread(units, truth, folds)
    assert ((fold >= 0) & (fold < folds)).all()
    assert len(set(fold.tolist())) == min(folds, len(set(units.tolist())))
    assert all(len(set(fold[units == unit].tolist())) == 1 for unit in units)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=80), st.integers(2, 5))
def test_single_classes_of_single_samples_differ_by_at_most_one(classes, folds):
    truth = np.eye(4, dtype=bool)[classes]
    fold = spread(np.arange(len(classes)), truth, folds)
    counts = np.stack([truth[fold == k].sum(axis=0) for k in range(folds)])
    assert np.ptp(counts, axis=0).max() <= 1


def test_what_has_no_label_makes_folds_equally_large():
    truth = np.zeros((103, 2), dtype=bool)
    truth[:7, 0] = truth[5:20, 1] = True
    assert np.ptp(np.bincount(spread(np.arange(103), truth, 5))) <= 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_a_part_has_its_share_of_every_label(fraction, seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((500, 6)) < np.linspace(0.02, 0.5, 6)
    held = held_of(np.arange(500) % 450, truth)
    chosen = spread_over_part(held, fraction, rng)[held.of_row]
    assert abs(chosen.sum() - 500 * fraction) <= 5
    assert (np.abs(truth[chosen].sum(axis=0) - truth.sum(axis=0) * fraction) <= 3).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 7)), min_size=2, max_size=40),
    st.sampled_from([0.01, 0.3, 0.99]),
)
def test_a_part_is_never_empty_and_never_all(samples, fraction):
    units = np.array([unit for unit, _ in samples])
    assume(len(set(units.tolist())) > 1)
    truth = np.array([[kinds >> k & 1 for k in range(3)] for _, kinds in samples], dtype=bool)
    held = held_of(units, truth)
    for chosen in (
        spread_over_part(held, fraction, generator_for(0, "x")),
        choose_part(held, np.round(held.totals() * fraction), generator_for(0, "x")),
    ):
        assert 0 < chosen.sum() < len(held)


def test_a_large_group_does_not_go_into_a_small_part():
    units, truth = [0] * 60 + [1] * 30 + list(range(2, 12)), np.ones((100, 1), dtype=bool)
    held = held_of(units, truth)
    assert held.sizes[spread_over_part(held, 0.05, generator_for(0, "x"))].sum() == 5
