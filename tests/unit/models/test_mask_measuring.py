import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import IGNORED
from fivefold.core.types import Head
from fivefold.models import probabilities
from fivefold.models.mask_measuring import measured

torch.set_num_threads(1)

HEADS = {
    "one": Head("", "sigmoid", ("cell",)),
    "planes": Head("", "sigmoid", ("cat", "dog", "sky")),
    "classes": Head("", "softmax", ("background", "cat", "dog", "sky")),
    "linear": Head("", "linear", ("cat", "dog")),
}
EVERY_HEAD = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())


def batch(head, *, images=4, size=(6, 5), seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.3, 2, (images, head.num_classes, *size)).astype(np.float32)
    exclusive = head.activation == "softmax"
    shape = (images, 1 if exclusive else head.num_classes, *size)
    masks = rng.integers(0, head.num_classes if exclusive else 2, shape).astype(np.uint8)
    ignored = rng.random((images, 1, *size)) < 0.2
    masks[ignored.repeat(shape[1], 1)] = IGNORED
    masks[-1] = IGNORED
    return torch.from_numpy(logits), torch.from_numpy(masks)


def counted_by_hand(logits, masks, head):
    """Count image by image and pixel by pixel, in NumPy."""
    probs = probabilities(logits, (head,)).double().numpy()
    found = {name: [] for name in ("hits", "said", "true", "soft_hits", "soft_said", "pixels")}
    for p, m in zip(probs, masks.numpy(), strict=True):
        counts = (m != IGNORED).all(0)
        if head.activation == "softmax":
            numbers = np.arange(head.num_classes)[:, None, None]
            said, true = p.argmax(0) == numbers, m[0] == numbers
        else:
            said, true = p > 0.5, m == 1
        said, true = said & counts, true & counts
        found["hits"].append((said & true).sum((1, 2)))
        found["said"].append(said.sum((1, 2)))
        found["true"].append(true.sum((1, 2)))
        found["soft_hits"].append((p * true).sum((1, 2)))
        found["soft_said"].append((p * counts).sum((1, 2)))
        found["pixels"].append(counts.sum())
    return {name: np.array(values) for name, values in found.items()}


@EVERY_HEAD
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_counts_are_those_of_every_pixel(head, order):
    logits, masks = batch(head)
    found = measured(logits.contiguous(memory_format=order), masks, head)
    expected = counted_by_hand(logits, masks, head)
    for name in ("hits", "said", "true", "pixels"):
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].dtype == np.int64
    for name in ("soft_hits", "soft_said"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
        assert found[name].dtype == np.float64


@EVERY_HEAD
def test_log_losses_are_torchs_cross_entropies_of_the_pixels_that_count(head):
    logits, masks = batch(head)
    for image, lost in enumerate(measured(logits, masks, head)["log_losses"]):
        counts = (masks[image] != IGNORED).all(0)
        own, mask = logits[image][:, counts].double(), masks[image][:, counts]
        if not counts.any():
            assert lost == 0
        elif head.activation == "softmax":
            assert lost == pytest.approx(functional.cross_entropy(own.T, mask[0].long()).item())
        elif head.activation == "sigmoid":
            expected = functional.binary_cross_entropy_with_logits(own, mask.double())
            assert lost == pytest.approx(expected.item())
        else:
            expected = functional.binary_cross_entropy(own.clamp(0, 1), mask.double())
            assert lost == pytest.approx(expected.item())


@EVERY_HEAD
def test_they_are_what_scores_are_made_of(head):
    found = measured(*batch(head), head)
    scores = MaskScores(("a", "b", "c", "d"), (head,), **found)
    assert scores.hits.shape == (4, head.num_classes)


@settings(max_examples=25, deadline=None)
@given(
    key=st.sampled_from(sorted(HEADS)),
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    by_pixel=st.booleans(),
)
def test_batches_of_any_size_give_the_same_bits(key, seed, sizes, by_pixel):
    head = HEADS[key]
    logits, masks = batch(head, images=sum(sizes), size=(7, 9), seed=seed)
    if by_pixel:
        logits = logits.contiguous(memory_format=torch.channels_last)
    whole = measured(logits, masks, head)
    parts = [
        measured(z, m, head) for z, m in zip(logits.split(sizes), masks.split(sizes), strict=True)
    ]
    for name, values in whole.items():
        joined = np.concatenate([part[name] for part in parts])
        assert joined.tobytes() == values.tobytes(), name


def test_several_images_at_once_give_the_same_bits(monkeypatch):
    """As on an accelerator."""
    head = HEADS["classes"]
    logits, masks = batch(head, size=(31, 17))
    one_by_one = measured(logits, masks, head)
    monkeypatch.setattr("fivefold.models.mask_measuring._parts", lambda z, m: [(z, m)])
    together = measured(logits, masks, head)
    for name, values in one_by_one.items():
        np.testing.assert_allclose(together[name], values, rtol=1e-6)
        if values.dtype == np.int64:
            np.testing.assert_array_equal(together[name], values)


def test_a_pixel_that_one_plane_ignores_counts_in_none():
    head = HEADS["planes"]
    logits, masks = torch.full((1, 3, 2, 2), 3.0), torch.ones((1, 3, 2, 2), dtype=torch.uint8)
    masks[0, 1, 0, 0] = IGNORED
    found = measured(logits, masks, head)
    assert found["pixels"].tolist() == [3]
    assert found["hits"].tolist() == found["true"].tolist() == [[3, 3, 3]]


def test_one_half_says_nothing_and_of_equal_classes_the_first_is_said():
    tiny = torch.tensor([0.0, 1e-30, -1e-30]).view(1, 1, 1, 3)
    found = measured(tiny, torch.ones(1, 1, 1, 3, dtype=torch.uint8), HEADS["one"])
    assert found["said"].tolist() == [[1]]
    found = measured(
        torch.zeros(1, 4, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.uint8), HEADS["classes"]
    )
    assert found["said"].tolist() == [[4, 0, 0, 0]]


def test_classes_that_are_equal_somewhere_change_nothing_elsewhere():
    head = HEADS["classes"]
    logits, masks = batch(head)
    logits[:, :2, 0] = 9.0
    found, expected = measured(logits, masks, head), counted_by_hand(logits, masks, head)
    for name in ("hits", "said", "true"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_counted_as_it_is(dtype):
    logits, masks = batch(HEADS["planes"])
    half = logits.to(dtype)
    expected = measured(half.float(), masks, HEADS["planes"])
    for name, values in measured(half, masks, HEADS["planes"]).items():
        np.testing.assert_array_equal(values, expected[name])


def test_no_gradient_is_kept_and_nothing_is_changed():
    logits, masks = batch(HEADS["classes"])
    logits.requires_grad_()
    before = logits.detach().clone(), masks.clone()
    measured(logits, masks, HEADS["classes"])
    assert torch.equal(logits, before[0])
    assert torch.equal(masks, before[1])
