import logging
import math

import numpy as np
import pytest
import sklearn.metrics
from drawn_predictions import multi_label, predict, single_label

from fivefold.evaluation import compute
from fivefold.evaluation.ranking import _warn_undefined, auc

SEEDS = range(6)
BOTH = pytest.mark.parametrize("make", [single_label, multi_label])


def value(name, predictions):
    return compute(predictions, [name])[name]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("digits", [9, 1])
def test_auc_of_a_softmax_is_scikit_learns_one_against_the_rest(seed, digits):
    p = single_label(seed, digits=digits)
    each = [sklearn.metrics.roc_auc_score(p.targets[:, i], p.probs[:, i]) for i in range(4)]
    assert value("auc", p) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_of_a_sigmoid_is_scikit_learns_macro_average(seed):
    p = multi_label(seed, digits=1)
    expected = sklearn.metrics.roc_auc_score(p.targets, p.probs, average="macro")
    assert value("auc", p) == pytest.approx(expected)


@BOTH
@pytest.mark.parametrize("digits", [9, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_average_precision_is_scikit_learns(seed, digits, make):
    p = make(seed, digits=digits)
    for average, name in (("macro", "pr_auc"), ("micro", "micro_average_precision")):
        expected = sklearn.metrics.average_precision_score(p.targets, p.probs, average=average)
        assert value(name, p) == pytest.approx(expected)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_micro_auc_is_scikit_learns(seed, make):
    p = make(seed, digits=1)
    expected = sklearn.metrics.roc_auc_score(p.targets.ravel(), p.probs.ravel())
    assert value("micro_auc", p) == pytest.approx(expected)


def test_auc_leaves_out_classes_without_a_curve():
    p = predict([[0.9, 0.1, 0.3], [0.2, 0.8, 0.4]], [[1, 0, 0], [0, 0, 0]], "sigmoid")
    assert auc(p) == 1.0


def test_auc_without_any_curve_is_nan_and_said_once(caplog):
    _warn_undefined.cache_clear()
    p = predict([[0.9, 0.1], [0.2, 0.8]], [[1, 0], [1, 0]])
    with caplog.at_level(logging.WARNING):
        assert math.isnan(auc(p))
        assert math.isnan(auc(p))
    assert caplog.messages == ["auc: no class is true of some samples and false of others: NaN"]
