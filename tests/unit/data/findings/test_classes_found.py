"""Classes that folds lack, or that their models never see."""

from tables_to_split import table

from fivefold.data.drawn_folds import make_splits
from fivefold.data.findings import absent_from_folds
from fivefold.data.given_folds import GivenFolds


def found(classes, fold_of, folds=2):
    """Name what is found of samples s0000, s0001, …, each with its class and fold."""
    data = table(classes)
    given = GivenFolds("here", {f"s{i:04}": fold for i, fold in enumerate(fold_of)})
    splits = make_splits(data, folds=folds, given=given)
    return {one.name: tuple(one.examples) for one in absent_from_folds(data, splits)}


def test_folds_with_all_classes_have_no_finding():
    assert found([0, 1, 0, 1], [0, 0, 1, 1]) == {}


def test_a_class_in_one_fold_is_absent_from_the_other_and_unseen_by_its_own_model():
    lacking = found([0, 1, 0, 0], [0, 0, 1, 1])
    assert lacking == {
        "absent_class": ("'class 1' in fold 1",),
        "unseen_class": ("'class 1' in fold 0",),
    }


def test_samples_that_are_always_trained_on_show_a_class_to_every_model():
    assert found([0, 1, 0, 0, 1], [0, 0, 1, 1]) == {"absent_class": ("'class 1' in fold 1",)}


def test_the_holdout_shows_nothing_to_any_model():
    assert "unseen_class" in found([0, 1, 0, 0, 1], [0, 0, 1, 1, -1])
    assert found([0, 0, 0, 0, 1], [0, 0, 1, 1, -1]) == {
        "absent_class": ("'class 1' in folds 0, 1",)
    }


def test_classes_are_named_three_at_most_and_counted_all():
    data = table([0, 1, 2, 3, 4, 4])
    splits = make_splits(
        data, folds=2, given=GivenFolds("here", {f"s{i:04}": int(i == 5) for i in range(6)})
    )
    unseen, absent = absent_from_folds(data, splits)
    assert (unseen.count, len(unseen.examples), absent.count) == (4, 3, 4)
