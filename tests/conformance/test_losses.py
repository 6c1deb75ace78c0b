"""What every loss promises, whoever wrote it."""

import pytest
import torch

from fivefold.core.errors import DataError
from fivefold.losses import losses

torch.set_num_threads(1)


@pytest.fixture(params=losses.names())
def component(request):
    return losses.get(request.param)


def batch(samples=8, classes=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(samples, classes, generator=generator)
    truth = torch.randint(classes, (samples,), generator=generator)
    return logits, torch.eye(classes)[truth]


def test_it_is_one_finite_number_with_a_gradient(component):
    logits, targets = batch()
    logits.requires_grad_()
    loss = component.make(logits, targets)
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().sum() > 0


def test_right_beats_wrong(component):
    _, targets = batch()
    right = component.make(8 * targets - 4, targets)
    wrong = component.make(4 - 8 * targets, targets)
    assert right < wrong


def test_a_step_down_the_gradient_helps(component):
    logits, targets = batch()
    logits.requires_grad_()
    loss = component.make(logits, targets)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert component.make(logits - 0.1 * gradient, targets) < loss


def test_the_order_of_samples_does_not_matter(component):
    logits, targets = batch()
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        component.make(logits[order], targets[order]), component.make(logits, targets)
    )


def test_twice_the_batch_is_the_same_loss(component):
    logits, targets = batch()
    torch.testing.assert_close(
        component.make(logits.repeat(2, 1), targets.repeat(2, 1)), component.make(logits, targets)
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close_and_has_a_gradient(component, dtype):
    logits, targets = batch()
    half = logits.to(dtype).requires_grad_()
    loss = component.make(half, targets)
    torch.testing.assert_close(loss, component.make(half.detach().float(), targets))
    loss.backward()
    assert half.grad.isfinite().all()


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_stay_finite(component, size):
    logits, targets = batch()
    assert component.make(logits * size, targets).isfinite()


def test_a_wrong_shape_is_a_data_error(component):
    logits, targets = batch()
    for wrong in (targets[:, :3], targets[:3], targets[0], targets.argmax(1)):
        with pytest.raises(DataError, match="expected logits and targets of one shape"):
            component.make(logits, wrong)


def test_it_says_what_it_is(component):
    assert component.facts["inputs"] in ("softmax", "sigmoid")
    assert component.summary
