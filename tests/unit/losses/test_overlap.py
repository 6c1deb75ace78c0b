import numpy as np
import pytest
import sklearn.metrics
import torch
from torch.nn import functional

from fivefold.losses import losses

torch.set_num_threads(1)


def batch(seed=0, samples=9, classes=4):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (samples, classes))
    return logits, (rng.random((samples, classes)) < 0.4).astype(float)


def value(name, seen, targets):
    return losses.get(name).make(torch.tensor(seen), torch.tensor(targets)).mean().item()


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def softmax(logits):
    e = np.exp(logits)
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_dice_and_jaccard_losses_are_muskets_formulas(seed):
    logits, targets = batch(seed)
    probs = sigmoid(logits)
    dice, jaccard, iou = [], [], []
    for p, t in zip(probs, targets, strict=True):
        both, total = sum(abs(t * p)), sum(abs(t) + abs(p))
        dice.append(1 - (2 * both + 1) / (sum(t**2) + sum(p**2) + 1))
        jaccard.append((1 - (both + 100) / (total - both + 100)) * 100)
        iou.append(-2 * (both + 1) / (total + 1))
    assert value("dice_loss", probs, targets) == pytest.approx(np.mean(dice))
    assert value("jaccard_loss", probs, targets) == pytest.approx(np.mean(jaccard))
    assert value("iou_loss", probs, targets) == pytest.approx(np.mean(iou))


@pytest.mark.parametrize("seed", range(3))
def test_sums_of_a_cross_entropy_and_an_overlap(seed):
    logits, targets = batch(seed)
    one = np.eye(4)[targets.argmax(1)]
    bce = sklearn.metrics.log_loss(targets.ravel(), sigmoid(logits).ravel())
    cce = sklearn.metrics.log_loss(one.argmax(1), softmax(logits), labels=range(4))

    def overlap(p, t, kind):
        both, total = (t * p).sum(1), (t + p).sum(1)
        if kind == "dice":
            return (1 - (2 * both + 1) / (total + 1)).mean()
        return (1 - (both + 1) / (total - both + 1)).mean()

    for kind in ("dice", "jaccard"):
        found = value(f"bce_{kind}_loss", logits, targets)
        assert found == pytest.approx(bce + overlap(sigmoid(logits), targets, kind))
        found = value(f"cce_{kind}_loss", logits, one)
        assert found == pytest.approx(cce + overlap(softmax(logits), one, kind))


def test_f1_loss_of_certain_answers_is_one_minus_scikit_learns_macro_f1():
    rng = np.random.default_rng(0)
    answers, targets = rng.integers(0, 2, (2, 30, 4)).astype(float)
    expected = 1 - sklearn.metrics.f1_score(targets, answers, average="macro", zero_division=0)
    assert value("f1_loss", answers, targets) == pytest.approx(expected, abs=1e-6)


def test_f1_loss_of_a_class_that_is_nowhere_is_one():
    assert value("f1_loss", np.zeros((3, 1)), np.zeros((3, 1))) == 1.0


def jaccard_loss_of(wrong, truth):
    """Compute 1 - intersection over union when these answers are wrong and the others right."""
    answers = truth ^ wrong
    union = (answers | truth).sum()
    return 1 - (answers & truth).sum() / union if union else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_lovasz_is_the_extension_of_the_jaccard_loss(seed):
    """By its definition: errors from the largest, each times what it adds to the loss."""
    rng = np.random.default_rng(seed)
    logits, truth = rng.normal(0, 2, 12), rng.random(12) < 0.4
    errors = 1 - np.where(truth, 1, -1) * logits
    elu = np.where(errors > 0, errors, np.expm1(errors))
    wrong, before, expected = np.zeros(12, bool), 0.0, 0.0
    for i in np.argsort(-errors):
        wrong[i] = True
        after = jaccard_loss_of(wrong, truth)
        expected += elu[i] * (after - before)
        before = after
    found = value("lovasz_loss", logits[:, None], truth[:, None].astype(float))
    assert found == pytest.approx(expected)


def test_lovasz_of_one_sample_is_its_hinge_through_elu():
    for z in (-2.0, 0.3, 4.0):
        expected = functional.elu(torch.tensor(1 - z)).item()
        assert value("lovasz_loss", [[z]], [[1.0]]) == pytest.approx(expected, rel=1e-6)
