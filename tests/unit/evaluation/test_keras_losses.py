import numpy as np
import pytest
import sklearn.metrics
import torch
from drawn_predictions import multi_label, predict, single_label

from fivefold.core.errors import DataError
from fivefold.evaluation import compute, metrics
from fivefold.evaluation.keras_losses import log_loss
from fivefold.losses import build_loss, losses

SEEDS = range(4)
SHARED = sorted({c.name for c in losses.components()} & {c.name for c in metrics.components()})


def value(name, predictions):
    return compute(predictions, [name])[name]


@pytest.mark.parametrize("seed", SEEDS)
def test_log_loss_of_a_softmax_is_scikit_learns(seed):
    p = single_label(seed)
    expected = sklearn.metrics.log_loss(
        p.targets.argmax(1), p.probs.astype(float) / p.probs.sum(1, keepdims=True, dtype=float)
    )
    for name in ("log_loss", "crossentropy", "ce", "categorical_crossentropy"):
        assert value(name, p) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_log_loss_of_a_sigmoid_is_the_mean_of_scikit_learns(seed):
    p = multi_label(seed)
    each = [
        sklearn.metrics.log_loss(p.targets[:, i], p.probs[:, i].astype(float), labels=[0, 1])
        for i in range(3)
    ]
    for name in ("log_loss", "binary_crossentropy"):
        assert value(name, p) == pytest.approx(np.mean(each))


def test_the_cross_entropy_of_a_truth_between_0_and_1_is_its_formula():
    t, p = np.array([[0.4, 0.9], [0.5, 0.0]]), np.array([[0.3, 0.8], [0.6, 0.1]])
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    found = value("binary_crossentropy", predict(p, t, "sigmoid"))
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_log_loss_of_certain_errors_is_finite(activation):
    assert 30 < log_loss(predict([[0, 1], [1, 0]], [[1, 0], [0, 1]], activation)) < 40


@pytest.mark.parametrize("name", ["log_loss", "binary_crossentropy", "poisson", "focal_loss"])
def test_what_is_no_probability_has_no_logarithm(name):
    p = predict([[3, -2]], [[1, 0]], "linear")
    with pytest.raises(DataError, match=f"{name}: expected probabilities 0-1, got -2 to 3") as e:
        value(name, p)
    assert e.value.slug == "data/not-probabilities"


def test_squared_and_absolute_errors_are_scikit_learns():
    p = multi_label(0)
    assert value("mse", p) == pytest.approx(sklearn.metrics.mean_squared_error(p.targets, p.probs))
    assert value("mae", p) == pytest.approx(sklearn.metrics.mean_absolute_error(p.targets, p.probs))


def test_most_losses_can_be_measured_too():
    assert len(SHARED) >= 20
    assert {"hinge", "kl_divergence", "f1_loss", "focal_loss", "dice_loss"} <= set(SHARED)


@pytest.mark.parametrize("make", [single_label, multi_label])
@pytest.mark.parametrize("name", SHARED)
def test_a_metric_is_the_loss_of_its_name_over_all_samples(name, make):
    """The losses have oracles of their own; here torch computes what NumPy does."""
    p = make(3)
    probs = torch.tensor(p.probs, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    softmax = make is single_label
    logits = probs.log() if softmax else probs.logit()
    expected = build_loss((name,), p.heads)(logits, torch.tensor(p.targets, dtype=torch.float64))
    assert value(name, p) == pytest.approx(expected.item(), rel=1e-5, abs=1e-7)
