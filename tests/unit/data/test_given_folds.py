"""Folds of one's own: from a table, lists, or a data set's positions; everything wrong is told."""

import logging

import numpy as np
import pytest

from fivefold.core.errors import DataError, StateError
from fivefold.data.drawn_folds import make_splits
from fivefold.data.given_folds import (
    HOLDOUT,
    TRAIN_ONLY,
    GivenFolds,
    NumberedFolds,
    check_known,
    folds_of_lists,
    folds_of_positions,
    folds_of_table,
)
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits, check_splits

IDS = tuple("abcdefgh")


def table(groups=IDS):
    targets = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    digests = tuple(f"{i:064}" for i in range(8))
    return SampleTable(IDS, np.arange(8), targets, (), groups, digests)


def test_lists_of_ids_decide_the_folds_and_the_rest_is_always_trained_on(tmp_path, caplog):
    given = folds_of_lists([["a", "b"], ["c"]], "config.yaml:3")
    with caplog.at_level(logging.WARNING):
        made = make_splits(table(), folds=2, holdout=0.5, given=given)
    assert made.val_ids(0) == ("a", "b")
    assert made.train_ids(0) == ("c", "d", "e", "f", "g", "h")
    assert made.val_ids(1) == ("c",)
    assert made.holdout_ids == ()
    assert caplog.messages == ["config.yaml:3: 5 samples are in no fold: always trained on"]
    made.save(tmp_path / "folds.json")
    assert Splits.load(tmp_path / "folds.json").train_ids(1) == made.train_ids(1)


def test_a_table_of_folds_has_a_holdout_too(tmp_path):
    path = tmp_path / "folds.csv"
    rows = [f"{name},{fold}" for name, fold in zip(IDS, (0, 0, 1, 1, 2, 2, -1, -1), strict=True)]
    path.write_text("\n".join(["id,fold", *rows]))
    made = make_splits(table(), folds=3, given=folds_of_table(path, "here"))
    assert [made.val_ids(k) for k in range(3)] == [("a", "b"), ("c", "d"), ("e", "f")]
    assert made.holdout_ids == ("g", "h")


def test_positions_of_a_data_set_are_folds_and_holdout():
    folds = [([2, 3, 4, 5], [0, 1]), ([0, 1, 4, 5], [2, 3])]
    given = folds_of_positions(folds, [6, 7], IDS, "data set")
    made = make_splits(table(), folds=2, given=given)
    assert (made.val_ids(1), made.train_ids(1)) == (("c", "d"), ("a", "b", "e", "f"))
    assert made.holdout_ids == ("g", "h")


def test_a_holdout_of_ones_own_takes_no_other_sample_and_leaves_none_out():
    given = folds_of_positions(None, np.array([1, 7]), IDS, "data set")
    made = make_splits(table(), folds=2, stratified=False, given=given)
    assert made.holdout_ids == ("b", "h")
    assert sorted(made.val_ids(0) + made.val_ids(1)) == ["a", "c", "d", "e", "f", "g"]


def test_other_folds_than_those_trained_on_are_refused():
    settings = {"folds": 2, "stratified": False}
    first = folds_of_positions(None, [0], IDS, "data set")
    made = make_splits(table(), **settings, given=first)
    check_splits(made, table(), settings | {"given": first})
    for other in (folds_of_positions(None, [1], IDS, "data set"), GivenFolds("data set")):
        with pytest.raises(StateError, match="folds: expected the settings") as error:
            check_splits(made, table(), settings | {"given": other})
        assert error.value.slug == "state/split-settings"


def test_folds_that_were_drawn_before_there_were_given_ones_still_fit():
    settings = {"folds": 2, "stratified": False}
    made = make_splits(table(), **settings)
    older = {key: value for key, value in made.settings.items() if key != "given"}
    old = Splits(made.fold_of, 2, made.fingerprint, older, made.marks)
    check_splits(old, table(), settings | {"given": GivenFolds("data set")})


def test_groups_in_several_given_folds_are_told(caplog):
    given = folds_of_lists([["a", "c"], ["b", "d", "e", "f", "g", "h"]], "here")
    with caplog.at_level(logging.WARNING):
        make_splits(table(groups=("a", "a", *IDS[2:])), folds=2, given=given)
    assert caplog.messages == [
        "here: 1 groups, copies or near duplicates are in several folds: models know them"
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: folds_of_lists([["a"], ["a"]], "here"), "'a': expected one fold for a sample"),
        (
            lambda: make_splits(table(), folds=3, given=folds_of_lists([["a"], ["b"]], "here")),
            "expected as many folds as `folds_count`, 3, got 2",
        ),
        (
            lambda: make_splits(table(), folds=1, given=folds_of_lists([IDS], "here")),
            r"expected samples to train and to validate on, got none in \[0\]",
        ),
        (
            lambda: folds_of_positions([([0], [1])], None, IDS, "here"),
            "fold 0: expected to train on all samples that it does not validate on",
        ),
        (
            lambda: folds_of_positions(5, None, IDS, "here"),
            r"expected a pair \(train, validation\) for each fold, got 5",
        ),
        (
            lambda: folds_of_positions(None, [8], IDS, "here"),
            "expected positions from 0 to 7",
        ),
        (
            lambda: check_known(folds_of_lists([["a"], ["x"]], "here"), IDS),
            "expected ids of samples, got 1 others",
        ),
    ],
)
def test_folds_that_do_not_fit_are_errors(call, message):
    with pytest.raises(DataError, match=message) as error:
        call()
    assert error.value.slug == "data/given-folds"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,part\na,0\n", "expected a column 'fold' beside one of sample ids"),
        ("id,fold\na,x\n", "folds.csv:2: fold: expected a whole number"),
        ("id,fold\na,0\na,1\n", "folds.csv:3: 'a': expected one fold"),
        ("id,fold\na," + "9" * 5000 + "\n", "folds.csv:2: fold: expected a whole number"),
        ("id,fold\na,-2\n", "folds.csv:2: fold: expected a whole number of at least -1, got '-2'"),
        ("id,fold\n", "folds.csv: expected a row with its fold for each sample, got none"),
    ],
)
def test_tables_of_folds_that_are_wrong_are_errors_with_the_line(tmp_path, text, message):
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as error:
        folds_of_table(path, "here")
    assert error.value.slug == "data/given-folds"


@pytest.mark.parametrize("given", [(0, 1) * 4, (1, 0, HOLDOUT, TRAIN_ONLY) * 2])
def test_numbers_are_folds_whether_or_not_there_is_a_holdout(given):
    numbered = GivenFolds("here", NumberedFolds(IDS, np.array(given)))
    made = make_splits(table(), folds=2, given=numbered)
    assert made.val_ids(1) == tuple(i for i, fold in zip(IDS, given, strict=True) if fold == 1)


def test_numbers_of_another_count_of_folds_are_told():
    numbered = GivenFolds("here", NumberedFolds(IDS, np.zeros(len(IDS))))
    with pytest.raises(DataError, match="as many folds as `folds_count`, 2, got 1"):
        make_splits(table(), folds=2, given=numbered)


def test_nothing_but_a_holdout_leaves_nothing_to_divide():
    given = folds_of_positions(None, range(len(IDS)), IDS, "data set")
    with pytest.raises(DataError, match="expected at least 2") as error:
        make_splits(table(), folds=2, given=given)
    assert error.value.slug == "data/too-few"
