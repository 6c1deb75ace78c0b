from pathlib import Path

import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY
from fivefold.data.table_folds import read_folds
from fivefold.data.text_table import Table


def folds_of(parts=(), numbers=(), rows=None):
    columns = [own for own in (parts, numbers) if own]
    count = len(columns[0])
    table = Table(Path("t.csv"), ("k", "m")[: len(columns)], tuple(columns), np.arange(count) + 2)
    split, fold = (0 if parts else None), (len(columns) - 1 if numbers else None)
    return read_folds(table, np.arange(count) if rows is None else np.array(rows), split, fold)


def test_no_column_says_nothing():
    table = Table(Path("t.csv"), ("k",), (("a",),), np.array([2]))
    assert read_folds(table, np.array([0]), None, None) is None


def test_the_words_that_people_use_mean_the_three_parts():
    found = folds_of(("Training", " dev ", "HOLDOUT", "trn", "valid", "testing"))
    assert found.numbers.tolist() == [TRAIN_ONLY, 0, HOLDOUT, TRAIN_ONLY, 0, HOLDOUT]
    assert found.test.tolist() == [False, False, True] * 2
    assert found.seen.tolist() == [True, False, False] * 2
    assert found.where == "t.csv: split_column 'k'"


def test_without_val_rows_folds_are_drawn_of_the_train_rows():
    found = folds_of(("train", "test", "train"))
    assert found.numbers is None
    assert found.test.tolist() == [False, True, False]


@pytest.mark.parametrize("parts", [(), ("train", "train", "test", "train")])
def test_numbers_are_folds_and_an_empty_cell_is_always_trained_on(parts):
    found = folds_of(parts, ("0", "1.0", "-1", ""))
    assert found.numbers.tolist() == [0, 1, HOLDOUT, TRAIN_ONLY]
    assert found.notes == ()


def test_folds_that_count_from_1_are_told():
    found = folds_of(numbers=("1", "2", "-1"))
    assert found.numbers.tolist() == [0, 1, HOLDOUT]
    assert found.notes == ("folds of 'k' count from 1: here they are 0 and up",)


@pytest.mark.parametrize("cell", ["-2", "1001", "1.5", "a", "٣"])
def test_other_cells_are_refused_with_their_line(cell):
    with pytest.raises(DataError, match=r"t\.csv:3: fold_column: expected a fold from 0") as error:
        folds_of(numbers=("0", cell))
    assert error.value.slug == "data/given-folds"
    with pytest.raises(DataError, match=r"t\.csv:3: split_column: expected train, val or test"):
        folds_of(("train", cell))


def test_only_rows_that_count_are_read():
    assert folds_of(numbers=("0", "oops", "1"), rows=[0, 2]).numbers.tolist() == [0, 1]


def test_a_fold_beside_a_val_row_contradicts_it():
    message = r"t\.csv:3: split_column: expected only train and test, got 'val' beside"
    with pytest.raises(DataError, match=message):
        folds_of(("train", "val"), ("0", "1"))
