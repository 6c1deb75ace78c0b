import numpy as np
import pytest
from drawn_source import Drawn
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import audit, make_splits, table_of
from fivefold.data.source import Labels
from fivefold.data.views import concatenate, multihot, repeat, take


def test_classes_of_one_name_are_one_class():
    joined = concatenate([Drawn(2), Drawn(2, classes=("fox", "cat"), start="b")])
    assert joined.sample_ids == ("n0", "n1", "bn0", "bn1")
    assert joined.labels == (Labels("", ("cat", "dog", "fox"), exclusive=True),)
    found = [joined.target(i).astype(int).tolist() for i in range(4)]
    assert found == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_one_source_with_several_labels_makes_all_such():
    joined = concatenate([Drawn(2), Drawn(2, several=True, start="b")])
    assert not joined.labels[0].exclusive


def test_equal_ids_need_names():
    with pytest.raises(
        DataError, match="concatenate: expected each id once, got 'n0' twice"
    ) as error:
        concatenate([Drawn(2), Drawn(3)])
    assert error.value.slug == "data/duplicate-id"
    joined = concatenate([Drawn(2), Drawn(1)], names=["old", "new"])
    assert joined.sample_ids == ("old/n0", "old/n1", "new/n0")
    assert joined.name_of(2) == "new: n0"


def test_a_patient_is_the_same_one_in_every_source():
    first, second, bare = Drawn(2), Drawn(2), Drawn(1)
    first.groups, second.groups = ("anna", "bert"), ("bert", "carl")
    joined = concatenate([first, second, bare], names=["a", "b", "c"])
    assert list(joined.groups) == ["anna", "bert", "bert", "carl", "c/n0"]


def test_what_is_known_of_the_parts_goes_along():
    first, second = Drawn(4), Drawn(4, start="b")
    first.fold_lists, second.fold_lists = [([0], [1])], [([2], [3])]
    first.held_out, second.held_out, second.train_only = [2], [0, 2], [1]
    first.warnings, second.excluded = ("careful",), [("x", "hidden")]
    joined = concatenate([first, second])
    assert joined.fold_lists == [([0, 6], [1, 7])]
    assert (joined.held_out, joined.train_only) == ([2, 4, 6], [5])
    assert joined.warnings == ("careful",)
    assert list(joined.excluded) == [("x", "hidden")]


def test_weights_go_along():
    first, second = Drawn(2), Drawn(2, start="b")
    first.weights = np.array([0.5, 2.0])
    joined = concatenate([first, second])
    assert joined.weights.tolist() == [0.5, 2.0, 1.0, 1.0]
    assert take(multihot(joined), 1).weights.tolist() == [0.5]
    assert concatenate([second, Drawn(1)]).weights is None


def numbered(*folds, start=""):
    source = Drawn(len(folds), start=start)
    source.fold_numbers, source.folds_where = np.array(folds), "t.csv: fold_column 'k'"
    source.notes = ("seen",)
    return source


def test_numbers_of_folds_go_along():
    joined = concatenate([numbered(0, 1, -1), numbered(1, 0, -2, start="b")], names=["a", "b"])
    assert joined.fold_numbers.tolist() == [0, 1, -1, 1, 0, -2]
    assert joined.folds_where == "t.csv: fold_column 'k'"
    assert joined.notes == ("a: seen", "b: seen")
    twice = repeat(numbered(0, 1), 2)
    assert twice.fold_numbers.tolist() == [0, 1, 0, 1]
    assert twice.notes == ("seen",)


@pytest.mark.parametrize(
    ("other", "got"), [(Drawn(2, start="b"), "2, 0"), (numbered(0, 1, 2, start="b"), "2, 3")]
)
def test_numbers_of_folds_that_do_not_go_together_are_refused(other, got):
    message = rf"as many folds of its own in each source, got \[{got}\]\n    name `split_column`"
    with pytest.raises(DataError, match=message) as error:
        concatenate([numbered(0, 1), other])
    assert error.value.slug == "data/view-parts"


def test_folds_of_only_one_source_are_refused():
    first = Drawn(4)
    first.fold_lists = [([0], [1])]
    text = r"expected as many folds of its own in each source, got \[1, 0\]"
    with pytest.raises(DataError, match=text) as error:
        concatenate([first, Drawn(2, start="b")])
    assert error.value.slug == "data/view-parts"


def test_other_outputs_are_refused():
    bare = Drawn(2, start="b")
    bare.labels = ()
    text = "expected the same outputs in each source, got one without a name and no labels"
    with pytest.raises(DataError, match=text):
        concatenate([Drawn(2), bare])


def test_there_is_a_name_for_each_source():
    with pytest.raises(DataError, match="a name for each or none, got 1 sources and 2 names"):
        concatenate([Drawn(2)], names=["a", "b"])
    with pytest.raises(DataError, match=r"expected at least 1 source, and .*, got 0 sources"):
        concatenate([])


def test_copies_have_ids_of_their_own_and_share_a_fold():
    source = repeat(Drawn(6), 3)
    assert source.sample_ids[5:8] == ("n5", "n0#2", "n1#2")
    assert source.sample_ids[-1] == "n5#3"
    assert source.groups[0] == source.groups[6] == source.groups[12]
    table = table_of(source, audit(source, folds=3, progress=Silent()))
    splits = make_splits(table, folds=3)
    for i in range(6):
        assert len({splits.fold_of[name] for name in (f"n{i}", f"n{i}#2", f"n{i}#3")}) == 1


def test_once_is_the_source_itself():
    source = Drawn(2)
    assert repeat(source, 1) is source
    with pytest.raises(DataError, match="repeat: expected at least 1 time, got 0"):
        repeat(source, 0)


def test_a_copy_may_not_be_called_like_another_sample():
    source = Drawn(2)
    source.sample_ids = ("a", "a#2")
    with pytest.raises(DataError, match="repeat: expected no id like that of a copy, got 'a#2'"):
        repeat(source, 2)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_every_sample_is_found_at_its_place(counts):
    parts = [Drawn(count, start=f"{k}-") for k, count in enumerate(counts)]
    joined = concatenate(parts)
    expected = [(part, i) for part in parts for i in range(len(part))]
    assert len(joined) == len(expected)
    for place, (part, i) in enumerate(expected):
        assert joined.sample_ids[place] == part.sample_ids[i]
        assert joined.fetch(place).digest == part.fetch(i).digest
        np.testing.assert_array_equal(joined.image(place), part.image(i))
