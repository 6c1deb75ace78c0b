import subprocess
import sys

import numpy as np
import pytest
import sklearn.metrics

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import confusion_matrix


def predict(probs, targets, activation="softmax"):
    ids = tuple(f"s{i}" for i in range(len(probs)))
    head = Head("", activation, tuple(f"c{i}" for i in range(probs.shape[1])))
    return Predictions(ids, probs.astype(np.float32), (head,), targets.astype(np.float32))


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_truth_and_columns_answers_as_scikit_learn_has_it(seed):
    rng = np.random.default_rng(seed)
    probs, truth = rng.dirichlet(np.ones(5), 60), rng.integers(0, 4, 60)
    matrix = confusion_matrix(predict(probs, np.eye(5)[truth]))
    expected = sklearn.metrics.confusion_matrix(truth, probs.argmax(1), labels=range(5))
    np.testing.assert_array_equal(matrix, expected)
    assert matrix.dtype == np.int64


def test_a_sample_with_two_true_classes_is_named():
    probs = np.full((2, 3), 0.6)
    predictions = predict(probs, np.array([[1, 0, 0], [1, 1, 0]]), "sigmoid")
    with pytest.raises(DataError, match="s1: expected exactly 1 true class, got 2") as error:
        confusion_matrix(predictions)
    assert error.value.slug == "data/not-single-label"


def test_several_heads_are_refused():
    heads = (Head("a", "softmax", ("x", "y")), Head("b", "softmax", ("x", "y")))
    predictions = Predictions(("s",), np.ones((1, 4), np.float32), heads, np.ones((1, 4)))
    with pytest.raises(DataError, match="confusion matrix: expected 1 head, got 2") as error:
        confusion_matrix(predictions)
    assert error.value.slug == "data/several-heads"


def test_evaluation_loads_neither_torch_nor_scikit_learn():
    code = (
        "import sys, fivefold.evaluation; sys.exit(bool({'torch', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
