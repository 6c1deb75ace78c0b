import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data import PredictionItem, PythonSource, audit, make_splits, table_of
from fivefold.data.extended import ExtendedSource, without_copies
from fivefold.data.given_folds import TRAIN_ONLY, GivenFolds


class Items:
    """Drawn images; what they look like and which class they are follows from a number."""

    def __init__(self, numbers, classes=("cat", "dog"), several=False):
        self.numbers, self.class_names, self.several = list(numbers), classes, several

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, i):
        number = self.numbers[i]
        image = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        y = np.eye(len(self.class_names), dtype=np.float32)[number % len(self.class_names)]
        return PredictionItem(f"n{number}", image, np.ones_like(y) if self.several else y)


def extended(further, *, first=range(12)):
    return ExtendedSource(PythonSource(Items(first)), PythonSource(further), "more")


def test_further_samples_come_last_and_mean_the_same_classes():
    source = extended(Items([21, 22], classes=("dog", "cat")))
    assert source.sample_ids[11:] == ("n11", "more/n21", "more/n22")
    assert list(source.train_only) == [12, 13]
    # number 21 is the second name of its own list, "cat", which is the first one here
    assert source.target(12).tolist() == [1.0, 0.0]
    assert source.target(13).tolist() == [0.0, 1.0]
    assert source.sample(13).sample_id == "more/n22"
    np.testing.assert_array_equal(source.image(13), Items([22])[0].x)
    assert source.fetch(13).digest == PythonSource(Items([22])).fetch(0).digest
    assert source.name_of(13) == "more: item 1, 'n22'"
    assert source.is_positive(13)


def test_groups_that_both_have_are_told():
    first, further = PythonSource(Items(range(3))), PythonSource(Items([21, 22, 23]))
    assert ExtendedSource(first, further, "more").warnings == ()
    first.groups, further.groups = ("p1", "p2", "\x1fn2"), ("p2", "p3", "\x1fn2")
    (told,) = ExtendedSource(first, further, "more").warnings
    assert told.startswith("more: 1 group is in the data set too, such as 'p2': every fold")
    further.groups = ("p2", "p1", "p3")
    (told,) = ExtendedSource(first, further, "more").warnings
    assert told.startswith("more: 2 groups are in the data set too, such as 'p1'")


@pytest.mark.parametrize(
    ("further", "text"),
    [
        (Items([1], classes=("cat", "dug")), r"more: expected classes .* has, got \['dug'\]"),
        (Items([1], several=True), "more: expected one class for each sample as in the data set"),
    ],
)
def test_labels_of_another_kind_are_refused(further, text):
    with pytest.raises(DataError, match=text) as error:
        extended(further)
    assert error.value.slug == "data/extra-labels"


def test_labels_of_another_number_of_outputs_are_refused():
    bare = PythonSource(Items([1]), ())
    with pytest.raises(DataError, match=r"more: expected labels for 1 outputs .*, got 0"):
        ExtendedSource(PythonSource(Items(range(4))), bare, "more")


def test_ids_of_both_may_not_be_mixed_up():
    first = PythonSource(Items(range(4)))
    first.sample_ids = ("more/n1", "a", "b", "c")
    text = "more: expected no id of the data set to begin with"
    with pytest.raises(DataError, match=text) as error:
        ExtendedSource(first, PythonSource(Items([1])), "more")
    assert error.value.slug == "data/extra-ids"


def folds_of(source, folds=3):
    table = table_of(source, audit(source, folds=folds, progress=Silent()))
    table, count = without_copies(table, source.train_only)
    ids = frozenset(source.sample_ids[i] for i in source.train_only)
    return make_splits(table, folds=folds, given=GivenFolds("", train_only=ids)), count


def test_folds_are_those_without_further_samples():
    alone = PythonSource(Items(range(12)))
    drawn = make_splits(table_of(alone, audit(alone, folds=3, progress=Silent())), folds=3)
    splits, count = folds_of(extended(Items([21, 22, 23])))
    assert count == 0
    further = {name: fold for name, fold in splits.fold_of.items() if name.startswith("more/")}
    assert set(further.values()) == {TRAIN_ONLY}
    assert {n: f for n, f in splits.fold_of.items() if n not in further} == dict(drawn.fold_of)
    for fold in range(3):
        assert set(further) <= set(splits.train_ids(fold))
        assert not set(further) & set(splits.val_ids(fold))
    assert splits.fingerprint != drawn.fingerprint


def test_copies_of_other_samples_are_left_out():
    splits, count = folds_of(extended(Items([3, 21, 4])))
    assert count == 2
    assert [name for name in splits.fold_of if name.startswith("more/")] == ["more/n21"]
