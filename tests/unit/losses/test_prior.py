import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.types import Head
from fivefold.losses import Balance, HeadWeights, head_weights
from fivefold.losses.prior import prior_shift

SOFTMAX = Head("", "softmax", ("a", "b", "c"))
SIGMOID = Head("", "sigmoid", ("a", "b", "c"))
COUNTS = np.array([185.0, 140.0, 115.0])
EVEN = np.full(3, 115.0)


def weights_of(head, counts, samples):
    return [head_weights(Balance("balanced"), head, counts, samples)]


def test_weights_and_as_many_of_each_are_corrected_alike():
    weighted = prior_shift([SOFTMAX], weights_of(SOFTMAX, COUNTS, 440), COUNTS, COUNTS)
    drawn = prior_shift([SOFTMAX], [], COUNTS, EVEN)
    assert np.diff(weighted) == pytest.approx(np.diff(drawn), abs=1e-4)  # weights have 4 decimals


def test_the_probabilities_are_those_of_bayes_rule():
    rng = np.random.default_rng(0)
    likelihood = rng.random((20, 3))  # of what is seen, in each class
    seen = likelihood * EVEN / (likelihood * EVEN).sum(axis=1, keepdims=True)
    wanted = likelihood * COUNTS / (likelihood * COUNTS).sum(axis=1, keepdims=True)
    shift = torch.tensor(prior_shift([SOFTMAX], [], COUNTS, EVEN))
    found = (torch.tensor(np.log(seen)) + shift).softmax(dim=1)
    assert found.numpy() == pytest.approx(wanted)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 99), st.floats(0.01, 0.99))
def test_a_weighted_answer_comes_back_to_its_probability(positive, probability):
    counts = np.array([float(positive), 50.0, 50.0])
    own = HeadWeights((3.0, 1.0, 1.0), (0.25, 1.0, 1.0))
    weighed = 3 * probability / (3 * probability + 0.25 * (1 - probability))
    shift = prior_shift([SIGMOID], [own], counts, counts)
    logit = np.log(weighed / (1 - weighed)) + shift[0]
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(probability)
    assert shift[1:] == (0, 0)


def test_drawn_samples_of_a_sigmoid_head_are_corrected_by_their_odds():
    counts, drawn = np.array([90.0, 10.0]), np.array([50.0, 50.0])
    head = Head("", "sigmoid", ("a", "b"))
    assert prior_shift([head], [], counts, drawn) == pytest.approx((np.log(9), -np.log(9)))


def test_a_class_that_is_alone_has_only_its_weights_corrected():
    head, own = Head("", "sigmoid", ("a",)), HeadWeights((4.0,), (0.5,))
    count = np.array([30.0])
    assert prior_shift([head], [own], count, count) == pytest.approx((np.log(0.5 / 4),))


def test_classes_that_no_sample_has_are_left_alone():
    counts = np.array([30.0, 0.0, 10.0])
    shift = prior_shift([SOFTMAX], [], counts, np.array([20.0, 0.0, 20.0]))
    assert shift == pytest.approx((np.log(0.75 / 0.5), 0, np.log(0.25 / 0.5)))


def test_each_head_has_its_own_and_a_linear_one_none():
    heads = (Head("x", "softmax", ("a", "b")), Head("y", "linear", ("c",)))
    weights = [HeadWeights((2.0, 0.5)), HeadWeights(())]
    counts = np.array([1.0, 4.0, 2.0])
    assert prior_shift(heads, weights, counts, counts) == pytest.approx((-np.log(2), np.log(2), 0))
