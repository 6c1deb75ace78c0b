"""What every metric promises, whoever wrote it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.errors import DataError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import find_metric, is_better, metrics

NAMES = [*metrics.names(), "top_1_accuracy", "top_2_accuracy"]
PERFECT = {"max": 1.0, "min": 0.0}
OTHERWISE = {  # what the formula says of a perfect answer of 8 classes, one true
    "hinge": 7 / 8,
    "squared_hinge": 7 / 8,
    "poisson": (1 - np.log(1 + 1e-7)) / 8,
    "cosine_similarity": -1.0,
    "iou_loss": -4 / 3,
}
BELOW_ZERO = {
    "matthews_correlation",
    "matthews_corrcoef",
    "cohen_kappa",
    "quadratic_weighted_kappa",
}
BELOW_ZERO |= {"cosine_similarity", "iou_loss"}


@pytest.fixture(params=NAMES)
def metric(request):
    return find_metric(request.param)


def predict(probs, targets, activation):
    probs = np.asarray(probs, dtype=np.float32)
    ids = tuple(f"s{i}" for i in range(len(probs)))
    head = Head("", activation, tuple(f"c{i}" for i in range(probs.shape[1])))
    return Predictions(ids, probs, (head,), np.asarray(targets, dtype=np.float32))


def random(seed, activation, samples=30, classes=3, digits=9):
    rng = np.random.default_rng(seed)
    targets = np.eye(classes)[rng.integers(0, classes, samples)]
    if activation == "sigmoid":
        return predict(rng.random((samples, classes)).round(digits), targets, activation)
    return predict(rng.dirichlet(np.ones(classes), samples).round(digits), targets, activation)


ACTIVATIONS = pytest.mark.parametrize("activation", ["softmax", "sigmoid"])


@ACTIVATIONS
def test_perfect_predictions_have_the_best_value(metric, activation):
    targets = np.eye(8)
    best = metric.make(predict(targets, targets, activation))
    expected = OTHERWISE.get(metric.name, PERFECT[metric.facts["best"]])
    assert best == pytest.approx(expected, abs=1e-5)
    worse = metric.make(predict(1 - targets, targets, activation))
    assert is_better(best, worse, metric.facts["best"])


@ACTIVATIONS
@pytest.mark.parametrize("digits", [9, 1])
def test_the_order_of_samples_does_not_matter(metric, activation, digits):
    predictions = random(1, activation, digits=digits)
    order = np.random.default_rng(2).permutation(30)
    assert metric.make(predictions.take(order)) == pytest.approx(metric.make(predictions))


@ACTIVATIONS
def test_every_sample_twice_is_the_same_value(metric, activation):
    p = random(3, activation)
    probs, targets = np.concatenate([p.probs] * 2), np.concatenate([p.targets] * 2)
    assert metric.make(predict(probs, targets, activation)) == pytest.approx(metric.make(p))


@ACTIVATIONS
def test_one_class_and_one_sample_are_answered(metric, activation):
    for targets in ([[1.0]], [[0.0]], [[1.0], [0.0]]):
        value = metric.make(predict(np.full((len(targets), 1), 0.7), targets, activation))
        assert isinstance(value, float)


@ACTIVATIONS
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nan_is_refused_by_name(metric, activation, wrong):
    predictions = random(4, activation)
    predictions.probs[7, 1] = wrong
    with pytest.raises(NumericError, match="metrics: s7: expected finite probabilities") as error:
        metric.make(predictions)
    assert error.value.slug == "numeric/predictions"


def test_missing_truth_is_a_data_error(metric):
    head = Head("", "softmax", ("a", "b"))
    with pytest.raises(DataError, match="expected targets, got none"):
        metric.make(Predictions(("s",), np.ones((1, 2), np.float32) / 2, (head,)))


def test_predictions_are_not_changed(metric):
    predictions = random(5, "softmax")
    probs, targets = predictions.probs.copy(), predictions.targets.copy()
    metric.make(predictions)
    np.testing.assert_array_equal(predictions.probs, probs)
    np.testing.assert_array_equal(predictions.targets, targets)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), samples=st.integers(2, 12), classes=st.integers(2, 5))
def test_values_stay_between_none_and_all(seed, samples, classes):
    for name in NAMES:
        metric = find_metric(name)
        value = metric.make(random(seed, "softmax", samples, classes, digits=1))
        assert np.isnan(value) or value >= 0 or metric.name in BELOW_ZERO
        assert metric.facts["best"] == "min" or not value > 1


def test_it_says_what_it_is(metric):
    assert metric.facts["best"] in ("min", "max")


@pytest.mark.parametrize("component", metrics.components())
def test_it_has_a_summary(component):
    assert component.summary
