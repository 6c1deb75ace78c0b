import numpy as np
import pytest
from drawn_source import Drawn

from fivefold.config import parse
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.experiment.assembling import assembled
from fivefold.experiment.datasets import given_folds


def numbered(*folds):
    source = Drawn(len(folds))
    source.fold_numbers, source.folds_where = np.array(folds), "t.csv: fold_column 'k'"
    return source


def test_a_table_with_folds_of_its_own_is_not_transformed_as_a_whole():
    config = parse("pretrain_transform: mine\n")
    message = "pretrain_transform: expected a data set without folds of its own"
    with pytest.raises(DataError, match=message) as error:
        assembled(config, numbered(0, 1), allow_imports=True, progress=Silent())
    assert error.value.slug == "data/given-folds"


def test_a_holdout_that_python_names_is_taken_out_of_numbered_folds():
    config, source = parse("lr: 0.1\n"), numbered(0, 1, 0, 1, -2)
    found = assembled(config, source, allow_imports=False, progress=Silent(), held_out=[2, 4])
    given = given_folds(config, found)
    assert list(given.fold_of.values()) == [0, 1, -1, 1, -1]
    assert source.fold_numbers.tolist() == [0, 1, 0, 1, -2]
