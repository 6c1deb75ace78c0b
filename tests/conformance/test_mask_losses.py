"""What every loss of masks promises, whoever wrote it."""

import pytest
import torch

from fivefold.core.types import Head
from fivefold.losses import build_mask_loss, losses, mask_losses

torch.set_num_threads(1)

CLASSES = 3
HEADS = ("sigmoid", "softmax")


@pytest.fixture(params=mask_losses.names())
def name(request):
    return request.param


@pytest.fixture(params=HEADS)
def head(request):
    return Head("", request.param, tuple(f"c{i}" for i in range(CLASSES)))


def masks_of(head, images=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randint(CLASSES, (images, 1, 8, 7), generator=generator)
    if head.activation == "softmax":
        return numbers.byte()
    return torch.cat([numbers == k for k in range(CLASSES)], dim=1).byte()


def logits_of(masks, head, certainty):
    """Give logits that say what masks say, or with a negative certainty the opposite."""
    if head.activation == "softmax":
        masks = torch.cat([masks == k for k in range(CLASSES)], dim=1)
    return certainty * (2 * masks.float() - 1)


def test_right_beats_wrong(name, head):
    masks, loss = masks_of(head), build_mask_loss((name,), head)
    right = loss(logits_of(masks, head, 4), masks)
    assert right < loss(logits_of(masks, head, -4), masks)


def test_a_small_step_down_the_gradient_helps(name, head):
    masks, loss = masks_of(head), build_mask_loss((name,), head)
    logits = torch.randn(4, CLASSES, 8, 7, generator=torch.Generator().manual_seed(1))
    logits.requires_grad_()
    value = loss(logits, masks)
    (gradient,) = torch.autograd.grad(value, logits)
    assert gradient.isfinite().all()
    assert loss(logits - 1e-2 * gradient / gradient.abs().max(), masks) < value


def test_twice_the_batch_is_the_same_loss(name, head):
    masks, loss = masks_of(head), build_mask_loss((name,), head)
    logits = torch.randn(4, CLASSES, 8, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        loss(logits.repeat(2, 1, 1, 1), masks.repeat(2, 1, 1, 1)), loss(logits, masks)
    )


def test_mirrored_images_have_the_same_loss(name, head):
    masks, loss = masks_of(head), build_mask_loss((name,), head)
    logits = torch.randn(4, CLASSES, 8, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss(logits.flip(3), masks.flip(3)), loss(logits, masks))


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_stay_finite(name, head, size):
    masks, loss = masks_of(head), build_mask_loss((name,), head)
    logits = torch.randn(4, CLASSES, 8, 7, generator=torch.Generator().manual_seed(1))
    huge = (size * logits).requires_grad_()
    value = loss(huge, masks)
    value.backward()
    assert value.isfinite()
    assert huge.grad.isfinite().all()


def test_images_without_objects_are_answered(name, head):
    masks = torch.zeros_like(masks_of(head))
    logits = torch.zeros(4, CLASSES, 8, 7, requires_grad=True)
    value = build_mask_loss((name,), head)(logits, masks)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_it_says_what_it_is(name):
    component = mask_losses.get(name)
    assert component.facts["gives"] in ("class", "sample", "image")
    assert component.summary


def test_it_has_the_spellings_of_the_loss_of_whole_images(name):
    other = losses.find(name)
    if other is not None:
        assert mask_losses.get(name).aliases == other.aliases
        assert mask_losses.get(name).facts.get("min_classes") == other.facts.get("min_classes")
