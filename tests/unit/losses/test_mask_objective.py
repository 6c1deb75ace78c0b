import numpy as np
import pytest
import torch
from segmentation_models_pytorch import losses as smp
from torch.nn import functional

from fivefold import loss
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.masks import IGNORED
from fivefold.core.types import Head
from fivefold.losses import (
    HeadWeights,
    build_loss,
    build_mask_loss,
    losses,
    mask_losses,
    with_penalty,
)
from fivefold.losses.overlap import lovasz_loss

torch.set_num_threads(1)

HEADS = {
    "one": Head("", "sigmoid", ("cell",)),
    "planes": Head("", "sigmoid", ("cat", "dog", "sky")),
    "classes": Head("", "softmax", ("background", "cat", "dog", "sky")),
    "linear": Head("", "linear", ("cat", "dog")),
}
ORDERS = {"by class": torch.contiguous_format, "by pixel": torch.channels_last}
EVERY_HEAD = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
NAMES = sorted({*losses.names(), *mask_losses.names()})


def batch(head, *, images=3, size=(6, 5), seed=0, ignored=False):
    """Draw logits in double precision and masks, whose first image lacks the last class."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(0, 2, (images, head.num_classes, *size)))
    if head.activation == "softmax":
        masks = rng.integers(0, head.num_classes, (images, 1, *size))
        masks[0][masks[0] == head.num_classes - 1] = 0
    else:
        masks = rng.integers(0, 2, (images, head.num_classes, *size))
        masks[0, -1] = 0
    masks = masks.astype(np.uint8)
    if ignored:
        masks[rng.random((images, 1, *size)).repeat(masks.shape[1], 1) < 0.3] = IGNORED
    return logits.requires_grad_(), torch.from_numpy(masks)


def truth_of(masks, head):
    """Write the truth as planes of 0 and 1 [B, K, H, W]."""
    if head.activation != "softmax":
        return (masks == 1).double()
    return torch.stack([masks[:, 0] == k for k in range(head.num_classes)], dim=1).double()


def probs_of(logits, head):
    if head.activation == "linear":
        return logits
    return logits.softmax(1) if head.activation == "softmax" else logits.sigmoid()


def fits(name, head):
    facts = (mask_losses.find(name) or losses.get(name)).facts
    return facts.get("min_classes", 1) <= head.num_classes


PAIRS = [
    pytest.param(name, head, id=f"{name}-{key}")
    for name in NAMES
    for key, head in HEADS.items()
    if fits(name, head)
]


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_ignored_pixels_count_nowhere_and_have_no_gradient(name, head):
    if head.activation == "linear" and name == "poisson":
        pytest.skip("it is of positive numbers")
    logits, masks = batch(head, ignored=True)
    loss = build_mask_loss((name,), head)
    value = loss(logits, masks)
    (gradient,) = torch.autograd.grad(value, logits)
    ignored = (masks == IGNORED).any(dim=1, keepdim=True).expand_as(logits)
    assert ignored.any()
    assert (gradient[ignored] == 0).all()
    assert gradient[~ignored].abs().sum() > 0
    other = torch.where(ignored, -7.5, logits)
    torch.testing.assert_close(loss(other, masks), value, rtol=0, atol=0)


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_an_image_of_which_no_pixel_counts_has_a_loss_of_0(name, head):
    if head.activation == "linear" and name == "poisson":
        pytest.skip("it is of positive numbers")
    logits, masks = batch(head)
    loss = build_mask_loss((name,), head)
    expected = loss(logits[1:], masks[1:]) * 2 / 3
    masks[0, 0] = IGNORED
    value = loss(logits, masks)
    torch.testing.assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, logits)
    assert (gradient[0] == 0).all()


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_a_batch_is_the_mean_of_its_images(name, head):
    logits, masks = batch(head, ignored=True)
    loss = build_mask_loss((name,), head)
    alone = torch.stack([loss(logits[i : i + 1], masks[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(loss(logits, masks), alone.mean(), equal_nan=True)
    weights = torch.tensor([2.0, 0.0, 0.5], dtype=torch.float64)
    expected = (alone * weights).mean()
    torch.testing.assert_close(loss(logits, masks, weights), expected, equal_nan=True)


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_the_order_in_memory_changes_nothing(name, head):
    logits, masks = batch(head, ignored=True)
    loss = build_mask_loss((name,), head)
    found = [
        loss(
            logits.contiguous(memory_format=order),
            masks.contiguous(memory_format=order),
        )
        for order in ORDERS.values()
    ]
    torch.testing.assert_close(found[0], found[1], equal_nan=True)


MANY = Head("", "softmax", tuple(f"c{i}" for i in range(17)))


@pytest.mark.parametrize("name", mask_losses.names())
@pytest.mark.parametrize("ignored", [False, True])
def test_many_classes_are_looked_at_as_they_lie(name, ignored):
    logits, masks = batch(MANY, ignored=ignored)
    loss = build_mask_loss((name,), MANY)
    by_class, by_pixel = (
        loss(logits.contiguous(memory_format=order), masks) for order in ORDERS.values()
    )
    torch.testing.assert_close(by_class, by_pixel)
    gradients = [torch.autograd.grad(value, logits)[0] for value in (by_class, by_pixel)]
    torch.testing.assert_close(*gradients)
    assert gradients[0].any()


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_half_precision_is_close(name, head):
    logits, masks = batch(head)
    loss = build_mask_loss((name,), head)
    half = logits.detach().bfloat16()
    torch.testing.assert_close(loss(half, masks), loss(half.float(), masks), equal_nan=True)


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_an_image_of_which_nothing_counts_has_no_loss(name, head):
    logits, masks = batch(head)
    masks[:] = IGNORED
    loss = build_mask_loss((name,), head)(logits, masks)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not gradient.any()
    if name != "iou_loss":
        assert loss == 0


@EVERY_HEAD
def test_cross_entropies_are_torchs(head):
    logits, masks = batch(head, ignored=True)
    if head.activation == "softmax":
        every = functional.cross_entropy(
            logits, masks[:, 0].long(), ignore_index=IGNORED, reduction="none"
        )
        counted = masks[:, 0] != IGNORED
    else:
        every = functional.binary_cross_entropy_with_logits(
            logits, truth_of(masks, head), reduction="none"
        )
        counted = (masks != IGNORED).all(1, keepdim=True).expand_as(every)
    expected = torch.stack([v[c].mean() for v, c in zip(every, counted, strict=True)]).mean()
    name = "ce" if head.activation == "softmax" else "bce"
    torch.testing.assert_close(build_mask_loss((name,), head)(logits, masks), expected)
    if head.activation != "linear":
        torch.testing.assert_close(build_mask_loss((), head)(logits, masks), expected)


@EVERY_HEAD
@pytest.mark.parametrize("name", ["bce", "focal_loss", "mse", "ce", "binary_focal_crossentropy"])
def test_a_loss_of_pixels_is_that_of_images_with_pixels_for_samples(name, head):
    if not fits(name, head):
        pytest.skip("it needs two classes")
    logits, masks = batch(head)
    rows = logits.permute(0, 2, 3, 1).reshape(-1, head.num_classes)
    truth = truth_of(masks, head).permute(0, 2, 3, 1).reshape(rows.shape)
    torch.testing.assert_close(
        build_mask_loss((name,), head)(logits, masks), build_loss((name,), (head,))(rows, truth)
    )


@EVERY_HEAD
def test_label_smoothing_is_that_of_images(head):
    text = "ce(label_smoothing=0.2)" if head.activation == "softmax" else "bce(label_smoothing=0.2)"
    logits, masks = batch(head)
    rows = logits.permute(0, 2, 3, 1).reshape(-1, head.num_classes)
    truth = truth_of(masks, head).permute(0, 2, 3, 1).reshape(rows.shape)
    expected = build_loss((text,), (head,))(rows, truth)
    for order in ORDERS.values():
        seen = logits.contiguous(memory_format=order)
        torch.testing.assert_close(build_mask_loss((text,), head)(seen, masks), expected)


def overlaps(logits, masks, head):
    """Give sums of t p, p and t of each image and class, by loops over them."""
    probs, truth = probs_of(logits, head), truth_of(masks, head)
    counted = (masks != IGNORED).all(1)
    sums = []
    for p, t, c in zip(probs, truth, counted, strict=True):
        sums.append([[(p[k] * t[k])[c].sum(), p[k][c].sum(), t[k][c].sum()] for k in range(len(p))])
    return torch.tensor(sums, dtype=torch.float64).unbind(2)


FORMULAS = {
    "dice_loss": lambda b, s, t: (1 - (2 * b + 1) / (s + t + 1)).mean(),
    "dice_loss(smooth=5)": lambda b, s, t: (1 - (2 * b + 5) / (s + t + 5)).mean(),
    "jaccard_loss": lambda b, s, t: (1 - (b + 1) / (s + t - b + 1)).mean(),
    "jaccard_loss(smooth=0.5)": lambda b, s, t: (1 - (b + 0.5) / (s + t - b + 0.5)).mean(),
    "iou_loss": lambda b, s, t: (-2 * (b.sum(1) + 1) / (s.sum(1) + t.sum(1) + 1)).mean(),
    "tversky_loss(alpha=0.5, beta=0.5, smooth=2)": lambda b, s, t: (
        1 - (2 * b + 4) / (s + t + 4)
    ).mean(),
    "tversky_loss(alpha=1, beta=1)": lambda b, s, t: (1 - (b + 1) / (s + t - b + 1)).mean(),
    "tversky_loss": lambda b, s, t: (1 - (b + 1) / (b + 0.3 * (s - b) + 0.7 * (t - b) + 1)).mean(),
}


@EVERY_HEAD
@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("text", FORMULAS)
def test_losses_of_overlap_are_their_formulas_of_each_image_and_class(text, head, ignored):
    logits, masks = batch(head, ignored=ignored)
    expected = FORMULAS[text](*overlaps(logits.detach(), masks, head))
    torch.testing.assert_close(build_mask_loss((text,), head)(logits, masks).detach(), expected)


@EVERY_HEAD
def test_f1_is_over_the_classes_that_an_image_shows(head):
    logits, masks = batch(head, ignored=True)
    both, said, true = overlaps(logits.detach(), masks, head)
    scores = 1 - 2 * both / (said + true)
    expected = torch.stack(
        [
            s[t > 0].mean() if (t > 0).any() else s.sum() * 0
            for s, t in zip(scores, true, strict=True)
        ]
    ).mean()
    torch.testing.assert_close(
        build_mask_loss(("f1_loss",), head)(logits, masks).detach(), expected
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bce_dice_loss", "bce + dice_loss"),
        ("bce_jaccard_loss", "bce + jaccard_loss"),
        ("cce_dice_loss", "ce + dice_loss"),
        ("cce_jaccard_loss", "ce + jaccard_loss"),
    ],
)
@EVERY_HEAD
def test_composites_are_their_sums(text, parts, head):
    if not fits(text, head):
        pytest.skip("it needs two classes")
    logits, masks = batch(head, ignored=True)
    torch.testing.assert_close(
        build_mask_loss((text,), head)(logits, masks),
        build_mask_loss((parts,), head)(logits, masks),
    )


def test_factors_and_signs_count():
    logits, masks = batch(HEADS["planes"])
    value = build_mask_loss(("0.5*bce - 2*dice_loss",), HEADS["planes"])(logits, masks)
    bce = build_mask_loss(("bce",), HEADS["planes"])(logits, masks)
    dice = build_mask_loss(("dice_loss",), HEADS["planes"])(logits, masks)
    torch.testing.assert_close(value, 0.5 * bce - 2 * dice)


@pytest.mark.parametrize("ignored", [False, True])
def test_lovasz_softmax_is_smps(ignored):
    head = HEADS["classes"]
    logits, masks = batch(head, ignored=ignored)
    logits = logits.detach().float().requires_grad_()
    theirs = smp.LovaszLoss("multiclass", per_image=True, ignore_index=IGNORED)
    expected = theirs(logits, masks[:, 0].long())
    loss = build_mask_loss(("lovasz_loss",), head)(logits, masks)
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
    (reference,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(gradient, reference)


@pytest.mark.parametrize("ignored", [False, True])
def test_the_lovasz_hinge_is_smps_where_every_error_is_above_zero(ignored):
    head = HEADS["one"]
    logits, masks = batch(head, ignored=ignored)
    small = (logits / 20).detach().float().requires_grad_()
    theirs = smp.LovaszLoss("binary", per_image=True, ignore_index=IGNORED)
    expected = theirs(small, masks[:, 0].long())
    loss = build_mask_loss(("lovasz",), head)(small, masks)
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, small, retain_graph=True)
    (reference,) = torch.autograd.grad(expected, small)
    torch.testing.assert_close(gradient, reference)


@pytest.mark.parametrize("ignored", [False, True])
def test_the_lovasz_hinge_goes_through_elu_for_each_class_and_image(ignored):
    head = HEADS["planes"]
    logits, masks = batch(head, ignored=ignored)
    expected = []
    for own, mask in zip(logits, masks, strict=True):
        for plane, truth in zip(own, mask, strict=True):
            counted = truth != IGNORED
            seen, true = plane[counted][:, None], truth[counted][:, None].double()
            expected.append(lovasz_loss(seen, true))
    loss = build_mask_loss(("lovasz_loss",), head)(logits, masks)
    torch.testing.assert_close(loss, torch.stack(expected).mean())


def test_weights_of_classes_are_those_of_torch():
    head = HEADS["classes"]
    weights = (HeadWeights((1.0, 2.0, 0.5, 4.0)),)
    logits, masks = batch(head, ignored=True)
    every = functional.cross_entropy(
        logits,
        masks[:, 0].long(),
        weight=torch.tensor(weights[0].true, dtype=torch.float64),
        ignore_index=IGNORED,
        reduction="none",
    )
    counted = masks[:, 0] != IGNORED
    expected = torch.stack([v[c].mean() for v, c in zip(every, counted, strict=True)]).mean()
    for name in ("ce", "categorical_focal_crossentropy(gamma=0, alpha=1)"):
        loss = build_mask_loss((name,), head, weights)
        torch.testing.assert_close(loss(logits, masks), expected)


@pytest.mark.parametrize("name", ["ce", "ce(label_smoothing=0.2)"])
def test_a_pixel_is_weighed_by_its_class_as_an_image_is(name):
    head = HEADS["classes"]
    weights = (HeadWeights((1.0, 2.0, 0.5, 4.0)),)
    logits, masks = batch(head)
    expected = build_loss((name,), (head,), weights)(
        logits.movedim(1, 3).flatten(0, 2), truth_of(masks, head).movedim(1, 3).flatten(0, 2)
    )
    torch.testing.assert_close(build_mask_loss((name,), head, weights)(logits, masks), expected)


def test_weights_of_answers_multiply_each_class():
    head = HEADS["planes"]
    weights = (HeadWeights((1.0, 2.0, 3.0), (0.5, 1.0, 0.25)),)
    logits, masks = batch(head)
    truth = truth_of(masks, head)
    true, false = (torch.tensor(w)[:, None, None] for w in (weights[0].true, weights[0].false))
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    expected = (each * (truth * true + (1 - truth) * false)).mean()
    for name in ("bce", "binary_focal_crossentropy(gamma=0)"):
        torch.testing.assert_close(build_mask_loss((name,), head, weights)(logits, masks), expected)


@pytest.fixture
def own(monkeypatch):
    """Let a test add losses that are gone after it."""
    for kept in ("_by_name", "_by_key"):
        monkeypatch.setattr(losses, kept, dict(getattr(losses, kept)))


def test_a_loss_of_ones_own_is_shown_the_pixels_of_one_image(own):
    shapes = []

    @loss(inputs="probabilities")
    def own_dice(probs, targets):
        shapes.append(tuple(probs.shape))
        both, total = (probs * targets).sum(0), (probs + targets).sum(0)
        return (1 - (2 * both + 1) / (total + 1)).mean()

    for head in (HEADS["planes"], HEADS["classes"]):
        logits, masks = batch(head, ignored=True)
        value = build_mask_loss(("own_dice",), head)(logits, masks)
        torch.testing.assert_close(value, build_mask_loss(("dice_loss",), head)(logits, masks))
        counted = (masks != IGNORED).all(1).flatten(1).sum(1).tolist()
        assert shapes[-3:] == [(pixels, head.num_classes) for pixels in counted]


def test_a_loss_of_ones_own_for_each_answer_is_shown_all_pixels(own):
    @loss(inputs="sigmoid", gives="class")
    def own_bce(logits, targets):
        return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")

    logits, masks = batch(HEADS["planes"], ignored=True)
    weights = (HeadWeights((1.0, 2.0, 3.0), (0.5, 1.0, 0.25)),)
    for kept in ((), weights):
        torch.testing.assert_close(
            build_mask_loss(("own_bce",), HEADS["planes"], kept)(logits, masks),
            build_mask_loss(("bce",), HEADS["planes"], kept)(logits, masks),
        )


def test_penalties_are_added():
    layer = torch.nn.Conv2d(3, 1, 1).double()
    images, (_, masks) = torch.ones(3, 3, 6, 5, dtype=torch.float64), batch(HEADS["one"])
    plain = build_mask_loss(("bce",), HEADS["one"])
    penalised = with_penalty(plain, layer.named_parameters(), 0.5, 2.0)
    logits = layer(images)
    weight = layer.weight
    expected = plain(logits, masks) + 0.5 * weight.abs().sum() + 2 * weight.square().sum()
    torch.testing.assert_close(penalised(logits, masks), expected)


def test_other_shapes_than_those_of_the_head_are_told():
    logits, masks = batch(HEADS["planes"])
    loss = build_mask_loss((), HEADS["planes"])
    for wrong in (masks[:, :1], masks[:2], masks[:, :, :3], masks[0]):
        with pytest.raises(
            DataError, match=r"loss: expected logits \[images, 3, height, width\] and masks"
        ) as error:
            loss(logits, wrong)
        assert error.value.slug == "data/mask-loss-shape"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dice_los", "expected the name of a known loss, got 'dice_los'"),
        ("dice_loss(smooth=0)", "loss.dice_loss.smooth: expected greater than 0, got 0.0"),
        ("dice", "loss: expected a loss to train with, got 'dice'"),
        ("ce", "loss: ce: expected a head with at least 2 classes, got 1"),
    ],
)
def test_what_cannot_be_trained_with_is_told(text, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(").replace(")", r"\)")):
        build_mask_loss((text,), HEADS["one"])
