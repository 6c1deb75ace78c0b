import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.by_id import FoldOf, MarkOf
from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels


@given(st.dictionaries(st.text(), st.integers(-2, 99)))
def test_folds_by_id_are_those_of_a_dict(known):
    ids = sorted(known)
    found = FoldOf(tuple(ids), np.array([known[name] for name in ids], dtype=np.int16))
    assert found == known
    assert {name: found[name] for name in found} == known
    assert list(found.items()) == [(name, known[name]) for name in ids]
    assert list(found.values()) == [known[name] for name in ids]


@pytest.mark.parametrize("name", ["", "b", "d", 3, None])
def test_an_id_that_is_not_there_is_missing(name):
    found = FoldOf(("a", "c"), np.array([0, 1]))
    assert name not in found
    with pytest.raises(KeyError, match=repr(name)):
        found[name]


def test_marks_are_found_whatever_the_order_of_the_table():
    table = SampleTable(
        ids=("b", "c", "a"),
        indices=np.arange(3),
        targets=np.eye(3, dtype=np.float32),
        labels=(Labels("", ("x", "y", "z"), exclusive=True),),
        groups=("b", "c", "a"),
        digests=("1", "2", "3"),
    )
    expected = {"a": ("3", "z"), "b": ("1", "x"), "c": ("2", "y")}
    assert MarkOf(table) == MarkOf(table.take([2, 1, 0])) == expected
    assert MarkOf(table)["c"] == ("2", "y")
