import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_to_split import mixed, table

from fivefold.apps.data_files.choosing import choose, kinds_of
from fivefold.core.errors import DataError
from fivefold.data.source import Labels


def chosen(data, wanted, seed=0):
    return choose(kinds_of(data), wanted, data.units, np.random.default_rng(seed))


def counts(data, mask):
    return data.targets[mask].sum(axis=0).astype(int).tolist()


def test_of_single_labels_there_are_exactly_as_many_as_wanted():
    data = table(mixed())
    assert counts(data, chosen(data, [7, 3, 2, 0])) == [7, 3, 2]


def test_all_are_taken_where_more_are_wanted():
    data = table([0, 0, 1])
    assert chosen(data, [5, 5, 5]).all()


def multi(rows):
    targets = np.asarray(rows, dtype=np.float32)
    names = tuple(f"class {k}" for k in range(targets.shape[1]))
    return table([0] * len(rows), labels=(Labels("", names, exclusive=False),), targets=targets)


def test_images_of_a_rare_class_count_for_their_other_classes():
    data = multi([[1, 1], [1, 0], [1, 0], [1, 0], [0, 0]])
    mask = chosen(data, [2, 1, 0])
    assert mask[0]
    assert counts(data, mask) == [2, 1]
    assert not mask[4]


def test_images_without_a_class_are_a_kind_of_their_own():
    data = multi([[1, 0], [0, 1], [0, 0], [0, 0], [0, 0]])
    assert chosen(data, [0, 0, 2]).tolist().count(True) == 2
    assert not chosen(data, [0, 0, 2])[:2].any()


def test_a_group_is_taken_whole_and_only_if_that_comes_nearer():
    data = table([0] * 10, groups=["a"] * 6 + [f"b{k}" for k in range(4)])
    assert set(range(6)).isdisjoint(np.flatnonzero(chosen(data, [3, 0])))
    assert chosen(data, [9, 0])[:6].all()


def test_several_outputs_are_refused():
    labels = (Labels("a", ("x",), exclusive=False), Labels("b", ("y",), exclusive=False))
    data = table([0, 1], labels=labels)
    with pytest.raises(DataError, match="expected one set of classes, got 2 columns") as caught:
        kinds_of(data)
    assert caught.value.slug == "data/one-set-of-classes"


@given(
    rows=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=40),
    fraction=st.floats(0.05, 1),
    seed=st.integers(0, 5),
)
def test_of_every_kind_there_are_at_least_as_many_as_wanted(rows, fraction, seed):
    data = multi(rows)
    kinds = kinds_of(data)
    wanted = [math.ceil(fraction * count) for count in kinds.counts.tolist()]
    mask = chosen(data, wanted, seed)
    found = np.bincount(kinds.kinds[mask[kinds.rows]], minlength=4)
    assert (found >= wanted).all()
