import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from torch.nn import functional

from fivefold.core.types import Head
from fivefold.losses import (
    Balance,
    HeadWeights,
    build_loss,
    check_sample_weights,
    head_weights,
    with_penalty,
)

torch.set_num_threads(1)

ROOMS = Head("", "softmax", ("gym", "poolinside", "operating_room"))
COUNTS = np.array([148.0, 112.0, 92.0])  # of the walk-through of Ultimate Image Classification
TAGS = Head("tags", "sigmoid", ("red", "round", "never", "always"))


def weights(balance, head=ROOMS, counts=COUNTS, samples=352):
    return head_weights(balance, head, np.asarray(counts, np.float64), samples)


def test_balanced_is_scikit_learns_formula():
    labels = np.repeat([0, 1, 2], COUNTS.astype(int))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert weights(Balance("balanced")).true == pytest.approx(expected)
    assert weights(Balance("balanced")).true == pytest.approx((0.7928, 1.0476, 1.2754), abs=1e-4)


def test_the_mean_weight_of_balanced_samples_is_one():
    assert np.dot(weights(Balance("balanced")).true, COUNTS) / 352 == pytest.approx(1)


def test_log_has_the_published_values():
    assert weights(Balance("log")).true == pytest.approx((1.0, 1.1451, 1.3418), abs=1e-4)


def test_log_multiplies_inside_the_logarithm_and_never_goes_below_one():
    found = weights(Balance("log", positive_weights_multiply=0.15)).true
    assert found == (1.0, 1.0, 1.0)
    found = weights(Balance("log", positive_weights_multiply=10)).true
    assert found == pytest.approx(np.log(10 * 352 / COUNTS))


def test_inverse_is_the_largest_count_over_the_own():
    assert weights(Balance("inverse")).true == pytest.approx(148 / COUNTS)


def test_named_classes_have_their_weight_and_the_others_one():
    assert weights(Balance({"gym": 2.5})).true == (2.5, 1.0, 1.0)


@pytest.mark.parametrize("formula", ["balanced", "inverse", "log"])
def test_a_class_that_no_sample_has_weighs_one_and_changes_no_other(formula):
    head = Head("", "softmax", ("gym", "empty", "poolinside"))
    found = weights(Balance(formula), head, [148, 0, 112], 260).true
    of_two = weights(Balance(formula), Head("", "softmax", ("gym", "poolinside")), [148, 112], 260)
    assert found == pytest.approx((of_two.true[0], 1.0, of_two.true[1]))


def test_balanced_answers_of_a_sigmoid_are_scikit_learns_for_each_class():
    found = weights(Balance("balanced"), TAGS, [30, 5, 0, 50], 50)
    for i, count in ((0, 30), (1, 5)):
        answers = np.repeat([0, 1], [50 - count, count])
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=answers)
        assert (found.false[i], found.true[i]) == pytest.approx(tuple(expected))
    assert (found.false[2:], found.true[2:]) == ((1.0, 1.0), (1.0, 1.0))


def test_log_answers_of_a_sigmoid_are_ultimates():
    found = weights(Balance("log", 0.5), TAGS, [30, 5, 0, 50], 50)
    divisor = 0.5 * 20 + 30
    assert (found.false[0], found.true[0]) == pytest.approx((30 / divisor, 0.5 * 20 / divisor))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (3.0, (3, 3, 3, 3)),
        ((1.0, 2.0, 3.0, 4.0), (1, 2, 3, 4)),
        ({"round": 7.0}, (1, 7, 1, 1)),
        ("balanced", (20 / 30, 45 / 5, 1, 1)),
    ],
)
def test_pos_weight_is_a_factor_of_true_answers(wanted, expected):
    found = weights(Balance(pos_weight=wanted), TAGS, [30, 5, 0, 50], 50)
    assert found.true == pytest.approx(expected)
    assert found.false == (1.0,) * 4


def test_a_record_names_the_classes():
    assert HeadWeights((1.0, 2.0, 3.0)).by_class(ROOMS) == {
        "gym": 1.0,
        "poolinside": 2.0,
        "operating_room": 3.0,
    }
    tag = Head("tags", "sigmoid", ("red",))
    assert HeadWeights((2.0,), (0.5,)).by_class(tag) == {"tags.red": [0.5, 2.0]}


def batch(classes, samples=20, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(0, 2, (samples, classes)))
    return logits, rng


def test_a_weighted_cross_entropy_is_the_mean_of_weight_times_loss():
    logits, rng = batch(3)
    labels = rng.integers(0, 3, 20)
    targets = torch.eye(3, dtype=torch.float64)[labels]
    of_classes = weights(Balance({"gym": 0.5, "poolinside": 3.0}))
    of_samples = compute_sample_weight({0: 0.5, 1: 3.0, 2: 1.0}, labels)
    each = functional.cross_entropy(logits, torch.tensor(labels), reduction="none")
    expected = (each * torch.tensor(of_samples)).mean()
    for text in ("ce", "2*ce - ce"):
        found = build_loss((text,), (ROOMS,), [of_classes])(logits, targets)
        torch.testing.assert_close(found, expected)


def test_a_softmax_with_a_loss_of_each_class_is_weighted_by_sample():
    logits, rng = batch(3)
    targets = torch.eye(3, dtype=torch.float64)[rng.integers(0, 3, 20)]
    found = build_loss(("mse",), (ROOMS,), [HeadWeights((0.5, 3.0, 1.0))])(logits, targets)
    of_samples = targets @ torch.tensor([0.5, 3.0, 1.0], dtype=torch.float64)
    errors = ((logits.softmax(1) - targets) ** 2).mean(dim=1)
    torch.testing.assert_close(found, (of_samples * errors).mean())


def test_pos_weight_is_torchs():
    logits, rng = batch(4)
    targets = torch.tensor((rng.random((20, 4)) < 0.4).astype(float))
    wanted = (0.5, 2.0, 1.0, 7.0)
    loss = build_loss(("bce",), (TAGS,), [weights(Balance(pos_weight=wanted), TAGS, [9] * 4, 20)])
    expected = functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=torch.tensor(wanted, dtype=torch.float64)
    )
    torch.testing.assert_close(loss(logits, targets), expected)


def test_each_head_has_its_own_weights():
    heads = (Head("kind", "softmax", ("a", "b")), Head("flag", "sigmoid", ("c",)))
    logits, rng = batch(3)
    targets = torch.tensor(np.c_[np.eye(2)[rng.integers(0, 2, 20)], rng.integers(0, 2, 20)])
    loss = build_loss((), heads, [HeadWeights((2.0, 2.0)), HeadWeights((3.0,), (3.0,))])
    plain = build_loss((), (heads[0],))(logits[:, :2], targets[:, :2])
    flag = build_loss((), (heads[1],))(logits[:, 2:], targets[:, 2:])
    torch.testing.assert_close(loss(logits, targets), 2 * plain + 3 * flag)


def test_penalties_are_kerass_and_leave_biases_norms_and_frozen_weights_alone():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3), torch.nn.Linear(3, 2)
    )
    net[0].weight.requires_grad_(requires_grad=False)
    loss = with_penalty(lambda z, t: z.sum() * 0, net.named_parameters(), l1=0.1, l2=0.01)
    value = loss(torch.zeros(1), torch.zeros(1))
    w = net[2].weight
    torch.testing.assert_close(value, 0.1 * w.abs().sum() + 0.01 * (w**2).sum())
    value.backward()
    torch.testing.assert_close(w.grad, (0.1 * w.sign() + 0.02 * w).detach())
    assert [n for n, p in net.named_parameters() if p.grad is not None] == ["2.weight"]


def test_without_a_penalty_the_loss_is_left_alone():
    def loss(logits, targets):
        return logits.sum()

    assert with_penalty(loss, [], 0.0, 0.0) is loss


@pytest.mark.parametrize(("activation", "loss"), [("softmax", "ce"), ("sigmoid", "bce")])
def test_weights_of_samples_multiply_their_losses(activation, loss):
    heads = (Head("", activation, ("a", "b")),)
    logits = torch.tensor([[1.0, -1.0], [0.5, 2.0], [0.0, 0.3]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    weights = torch.tensor([2.0, 0.0, 0.5])
    measured = build_loss((loss,), heads)
    alone = [measured(logits[i : i + 1], targets[i : i + 1]) for i in range(3)]
    expected = sum(w * one for w, one in zip(weights, alone, strict=True)) / 3
    assert torch.allclose(measured(logits, targets, weights), expected)
    ones = measured(logits, targets, torch.ones(3))
    assert torch.equal(ones, measured(logits, targets))


def test_losses_of_a_whole_batch_cannot_weigh_samples():
    heads = (Head("", "sigmoid", ("a", "b")),)
    assert check_sample_weights(("bce",), heads) == []
    (problem,) = check_sample_weights(("bce+f1_loss",), heads)
    assert problem.slug == "config/sample-weights"
    assert "expected one with a number for each sample, since the data weigh" in problem.message
    assert "got 'f1_loss', which has one for a whole batch" in problem.message
