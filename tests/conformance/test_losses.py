"""What every loss promises, whoever wrote it."""

import pytest
import torch

from fivefold.core.errors import DataError
from fivefold.losses import losses

torch.set_num_threads(1)


@pytest.fixture(params=losses.names())
def component(request):
    return losses.get(request.param)


def batch(component, samples=8, seed=0):
    """Draw what a loss is shown, and the truth."""
    classes = component.facts.get("max_classes", 4)
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(samples, classes, generator=generator)
    truth = torch.randint(max(classes, 2), (samples,), generator=generator)
    return shown(component, logits), torch.eye(max(classes, 2))[truth][:, :classes]


def shown(component, logits):
    return logits.softmax(1) if component.facts["inputs"] == "probabilities" else logits


def answers(component, targets, certainty=4):
    """Say what targets say."""
    return shown(component, 2 * certainty * targets - certainty)


SHAPES = {"class": (8, 4), "sample": (8,), "": ()}


def test_it_gives_the_numbers_that_it_says_and_a_gradient(component):
    seen, targets = batch(component)
    seen.requires_grad_()
    loss = component.make(seen, targets)
    assert loss.shape == SHAPES[component.facts.get("gives", "")]
    assert loss.isfinite().all()
    loss.mean().backward()
    assert seen.grad.isfinite().all()
    assert seen.grad.abs().sum() > 0


def test_right_beats_wrong(component):
    _, targets = batch(component)
    right = component.make(answers(component, targets), targets)
    wrong = component.make(answers(component, 1 - targets), targets)
    assert right.mean() < wrong.mean()


def test_a_small_step_down_the_gradient_helps(component):
    seen, targets = batch(component)
    seen.requires_grad_()
    loss = component.make(seen, targets).mean()
    (gradient,) = torch.autograd.grad(loss, seen)
    step = 1e-3 * gradient / gradient.abs().max()
    assert component.make(seen - step, targets).mean() < loss


def test_the_order_of_samples_does_not_matter(component):
    seen, targets = batch(component)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        component.make(seen[order], targets[order]).mean(), component.make(seen, targets).mean()
    )


def test_twice_the_batch_is_the_same_loss(component):
    seen, targets = batch(component)
    torch.testing.assert_close(
        component.make(seen.repeat(2, 1), targets.repeat(2, 1)).mean(),
        component.make(seen, targets).mean(),
    )


def test_a_sample_has_the_number_that_it_has_alone(component):
    if "gives" not in component.facts:
        pytest.skip("it is one number for a batch")
    seen, targets = batch(component)
    alone = [component.make(seen[i : i + 1], targets[i : i + 1]) for i in range(8)]
    torch.testing.assert_close(component.make(seen, targets), torch.cat(alone))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close_and_has_a_gradient(component, dtype):
    seen, targets = batch(component)
    half = seen.to(dtype).requires_grad_()
    loss = component.make(half, targets)
    torch.testing.assert_close(loss, component.make(half.detach().float(), targets))
    loss.mean().backward()
    if component.name != "mean_absolute_percentage_error":  # 100 / 1e-7 is beyond float16
        assert half.grad.isfinite().all()


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_stay_finite(component, size):
    generator = torch.Generator().manual_seed(0)
    seen, targets = batch(component)
    huge = shown(component, size * torch.randn(seen.shape, generator=generator)).requires_grad_()
    loss = component.make(huge, targets).mean()
    loss.backward()
    assert loss.isfinite()
    assert huge.grad.isfinite().all()


def test_a_wrong_shape_is_a_data_error(component):
    seen, targets = batch(component)
    for wrong in (targets[:, 1:], targets[:3], targets[0], targets.argmax(1)):
        with pytest.raises(DataError, match="expected logits and targets of one shape"):
            component.make(seen, wrong)


def test_it_says_what_it_is(component):
    assert component.facts["inputs"] in ("softmax", "sigmoid", "probabilities")
    assert component.facts.get("gives", "") in SHAPES
    assert component.summary
