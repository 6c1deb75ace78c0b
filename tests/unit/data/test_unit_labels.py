import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_to_split import table

from fivefold.data.packed_numbers import packed_targets
from fivefold.data.source import Labels
from fivefold.data.unit_labels import UnitLabels, combinations_of, true_classes


def of_targets(targets):
    labels = (Labels("", tuple(map(str, range(targets.shape[1]))), exclusive=False),)
    return table([0] * len(targets), labels=labels, targets=packed_targets(targets))


def test_a_unit_holds_what_its_samples_hold():
    held = UnitLabels.of(np.array([7, 3, 7]), np.array([0, 0, 1, 2]), np.array([0, 2, 1, 2]), 3)
    assert held.of_row.tolist() == [1, 0, 1]
    assert held.sizes.tolist() == [1, 2]
    assert [list(held.entries(unit)) for unit in range(len(held))] == [[(1, 1)], [(0, 1), (2, 2)]]
    assert held.totals().tolist() == [1, 1, 2]


def test_a_unit_may_hold_nothing():
    held = UnitLabels.of(np.array([0, 1]), np.array([1]), np.array([0]), 1)
    assert [list(held.entries(unit)) for unit in range(2)] == [[], [(0, 1)]]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 70), st.integers(1, 30), st.integers(0, 9))
def test_combinations_are_numbered_as_numpy_sorts_rows(num_classes, count, seed):
    targets = np.random.default_rng(seed).integers(0, 2, (count, num_classes)).astype(np.float32)
    targets[count // 2 :] = targets[0]
    numbers, counts = combinations_of(of_targets(targets), num_classes)
    expected = np.unique(targets > 0, axis=0, return_inverse=True, return_counts=True)
    assert numbers.tolist() == expected[1].ravel().tolist()
    assert counts.tolist() == expected[2].tolist()


def test_true_classes_are_found_of_the_first_ones_alone():
    targets = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0]], np.float32)
    rows, classes = true_classes(of_targets(targets), 2)
    assert (rows.tolist(), classes.tolist()) == ([0, 2], [0, 1])
