import pytest
import timm.loss
import torch
import torchvision.ops

from fivefold.losses.classification import categorical_crossentropy
from fivefold.losses.focal import (
    asymmetric_loss,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    focal_loss,
)

torch.set_num_threads(1)


def batch(seed=0, samples=12, classes=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(samples, classes, generator=generator, dtype=dtype)
    return logits, (torch.rand(samples, classes, generator=generator) < 0.3).to(dtype)


def with_gradient(loss, logits, *rest):
    logits = logits.clone().requires_grad_()
    value = loss(logits, *rest)
    return value, torch.autograd.grad(value, logits)[0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.0, 0.25), (1.5, None), (3.0, 0.9)])
def test_focal_loss_is_torchvisions_summed_over_classes(seed, gamma, alpha):
    logits, targets = batch(seed)

    def ours(z):
        return focal_loss(z, targets, gamma=gamma, alpha=alpha).mean()

    def theirs(z):
        each = torchvision.ops.sigmoid_focal_loss(z, targets, -1 if alpha is None else alpha, gamma)
        return each.sum(dim=1).mean()

    for found, expected in zip(
        with_gradient(ours, logits), with_gradient(theirs, logits), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_focal_loss_is_muskets_formula_for_each_sample():
    logits, targets = batch()
    p = logits.sigmoid()
    positive = -(0.25 * (1 - p) ** 2 * p.log())[targets == 1].sum()
    negative = -(0.75 * p**2 * (1 - p).log())[targets == 0].sum()
    torch.testing.assert_close(focal_loss(logits, targets).mean(), (positive + negative) / 12)


def test_keras_binary_focal_crossentropy_is_the_mean_over_classes():
    logits, targets = batch()
    expected = torchvision.ops.sigmoid_focal_loss(logits, targets, -1, 2.0).mean()
    torch.testing.assert_close(binary_focal_crossentropy(logits, targets).mean(), expected)


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_a_reduced_focal_loss_leaves_what_is_wrong_alone(threshold):
    logits, targets = batch()
    q = torch.where(targets == 1, logits.sigmoid(), 1 - logits.sigmoid())
    factor = torch.where(q < threshold, torch.ones_like(q), ((1 - q) / threshold) ** 2)
    expected = (-factor * q.log()).sum(dim=1).mean()
    found = focal_loss(logits, targets, alpha=None, reduced_threshold=threshold)
    torch.testing.assert_close(found.mean(), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_categorical_focal_crossentropy_is_the_published_formula(gamma):
    logits, _ = batch()
    targets = torch.eye(5, dtype=torch.float64)[torch.arange(12) % 5]
    p = (logits.softmax(1) * targets).sum(1)
    expected = -(0.25 * (1 - p) ** gamma * p.log())
    found = categorical_focal_crossentropy(logits, targets, gamma=gamma)
    torch.testing.assert_close(found, expected)


def test_without_discount_it_is_the_cross_entropy():
    logits, _ = batch()
    targets = torch.eye(5, dtype=torch.float64)[torch.arange(12) % 5]
    torch.testing.assert_close(
        categorical_focal_crossentropy(logits, targets, gamma=0, alpha=1),
        categorical_crossentropy(logits, targets),
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gamma_neg": 2.0, "gamma_pos": 0.0, "clip": 0.1},
        {"gamma_neg": 4.0, "gamma_pos": 1.0, "clip": 0.0},
    ],
)
def test_asymmetric_loss_is_timms_as_a_mean_over_samples(options):
    logits, targets = batch()
    theirs = timm.loss.AsymmetricLossMultiLabel(
        **{"gamma_neg": 4.0, "gamma_pos": 1.0, "clip": 0.05, **options}
    )
    expected = with_gradient(lambda z: theirs(z, targets), logits)
    found = with_gradient(lambda z: asymmetric_loss(z, targets, **options).mean(), logits)
    for ours, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.float(), reference.float(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("clip", [1e-12, 1e-9, 1e-3, 0.05, 0.9])
def test_asymmetric_loss_of_certain_answers_is_finite_whatever_is_clipped(clip):
    logits = torch.tensor([[200.0, -200.0], [20.0, -20.0]], requires_grad=True)
    for targets in (torch.zeros(2, 2), torch.ones(2, 2), torch.eye(2)):
        value = asymmetric_loss(logits, targets, clip=clip).mean()
        (gradient,) = torch.autograd.grad(value, logits)
        assert value.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("loss", [focal_loss, binary_focal_crossentropy])
def test_a_small_exponent_keeps_the_gradient_of_certain_answers_finite(loss):
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss(logits, torch.tensor([[1.0, 0.0]]), gamma=0.5).mean().backward()
    assert logits.grad.isfinite().all()
