"""Losses of masks that differ from what the loss of that name is for an image as a whole.

A loss of masks is `def name(pixels, *, options)`; it gives one number for each image [B]. Every
other loss of the catalog `losses` is taken for each pixel (`losses.each_pixel`). Its fact `gives`:
`class` or `sample` where it is a mean over pixels and classes, or over pixels; `image` where it
looks at an image as a whole. Class weights need to know.

`both` is the sum over an image's pixels of t p, `said` that of p, `true` that of t: p is the
probability of a class and t 1 where it is true, else 0.
"""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fivefold.core.catalog import Catalog
from fivefold.core.masks import IGNORED
from fivefold.core.optional import late
from fivefold.losses.classification import Smoothing, losses
from fivefold.losses.each_pixel import of_each_pixel
from fivefold.losses.mask_pixels import MaskPixels
from fivefold.losses.objective import weighted

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any

mask_losses: Catalog[Tensor] = Catalog("loss", ("pixels",))


def _aliases(name: str) -> tuple[str, ...]:
    return losses.get(name).aliases


Smooth = Annotated[float, Field(gt=0, le=1e6)]
Part = Annotated[float, Field(ge=0, le=1)]


@mask_losses.add(*_aliases("categorical_crossentropy"), gives="sample", min_classes=2)
def categorical_crossentropy(pixels: MaskPixels, *, label_smoothing: Smoothing = 0.0) -> Tensor:
    """Minus the log-probability of a pixel's class, averaged over the pixels of each image."""
    # torch weighs what is smoothed by the class that gets it, and not by the one that is true
    if pixels.head.activation != "softmax" or (label_smoothing and pixels.weights):
        own = losses.get("categorical_crossentropy")
        return of_each_pixel(own, {"label_smoothing": label_smoothing}, pixels)
    options: dict[str, Any] = {
        "ignore_index": IGNORED,
        "reduction": "none",
        "label_smoothing": label_smoothing,
        "weight": pixels.logits.new_tensor(pixels.weights.true) if pixels.weights else None,
    }
    logits, numbers = pixels.logits, pixels.planes[..., 0]
    if pixels.lies_by_class:
        # only of pixels that lie one below the other torch takes bytes for classes
        return pixels.mean(functional.cross_entropy(logits.mT, numbers.long(), **options))
    values = functional.cross_entropy(logits.flatten(0, 1), numbers.flatten(), **options)
    return pixels.mean(values.view(numbers.shape))


@mask_losses.add(*_aliases("binary_crossentropy"), gives="class")
def binary_crossentropy(pixels: MaskPixels, *, label_smoothing: Smoothing = 0.0) -> Tensor:
    """Cross-entropy of each class by itself, averaged over the pixels and classes of each image."""
    if pixels.head.activation == "softmax":
        own = losses.get("binary_crossentropy")
        return of_each_pixel(own, {"label_smoothing": label_smoothing}, pixels)
    truth = pixels.truth
    if label_smoothing:
        truth = truth * (1 - label_smoothing) + label_smoothing / 2
    values = functional.binary_cross_entropy_with_logits(pixels.logits, truth, reduction="none")
    if pixels.weights:
        values = weighted(values, pixels.truth, pixels.weights)
    return pixels.mean(values)


@mask_losses.add(gives="image")
def dice_loss(pixels: MaskPixels, *, smooth: Smooth = 1.0) -> Tensor:
    """1 - (2 both + smooth) / (said + true + smooth) of each image and class, averaged.

    A class that an image lacks costs 1 - smooth / (said + smooth): next to nothing where nothing is
    said to show it. It is segmentation_models' loss; Musket's own of this name is a mean over
    pixels, each of which has an overlap of its classes.

    Args:
        pixels: With their truth.
        smooth: Pixels that are added above and below.

    Returns:
        One number for each image, the mean over its classes [B].
    """
    both, said, true = pixels.overlap
    return (1 - (2 * both + smooth) / (said + true + smooth)).mean(dim=1)


@mask_losses.add(gives="image")
def jaccard_loss(pixels: MaskPixels, *, smooth: Smooth = 1.0) -> Tensor:
    """1 - (both + smooth) / (said + true - both + smooth) of each image and class, averaged.

    A class that an image lacks costs as in `dice_loss`. It is segmentation_models' loss; Musket's
    own of this name is 100 times a mean over pixels, smoothed by 100.

    Args:
        pixels: With their truth.
        smooth: Pixels that are added above and below.

    Returns:
        One number for each image, the mean over its classes [B].
    """
    both, said, true = pixels.overlap
    return (1 - (both + smooth) / (said + true - both + smooth)).mean(dim=1)


@mask_losses.add(gives="image")
def iou_loss(pixels: MaskPixels) -> Tensor:
    """Musket's: -2 (both + 1) / (said + true + 1), sums over all classes of an image.

    It is no intersection over union but a smoothed Dice, in -2 to 0; see `jaccard_loss`.
    """
    both, said, true = (sums.sum(dim=1) for sums in pixels.overlap)
    return -2 * (both + 1) / (said + true + 1)


@mask_losses.add(gives="image")
def f1_loss(pixels: MaskPixels) -> Tensor:
    """1 - 2 both / (said + true), averaged over the classes that an image shows; 0 without any.

    Nothing is smoothed, so a class that an image lacks teaches nothing: add a cross-entropy.
    """
    both, said, true = pixels.overlap
    lost = 1 - 2 * both / (said + true).clamp(min=1e-7)
    return _over_shown(lost, true)


@mask_losses.add(gives="image")
def tversky_loss(
    pixels: MaskPixels, *, alpha: Part = 0.3, beta: Part = 0.7, smooth: Smooth = 1.0
) -> Tensor:
    """`dice_loss` in which false alarms and misses count differently.

    1 - (both + smooth) / (both + alpha (said - both) + beta (true - both) + smooth); with 0.5 and
    0.5 that is Dice, with 1 and 1 Jaccard.

    Args:
        pixels: With their truth.
        alpha: What a false alarm counts.
        beta: What a miss counts.
        smooth: Pixels that are added above and below.

    Returns:
        One number for each image, the mean over its classes [B].

    References:
        Salehi et al., 2017, https://arxiv.org/abs/1706.05721
    """
    both, said, true = pixels.overlap
    below = both + alpha * (said - both) + beta * (true - both) + smooth
    return (1 - (both + smooth) / below).mean(dim=1)


@mask_losses.add(gives="image")
def bce_dice_loss(pixels: MaskPixels) -> Tensor:
    """`binary_crossentropy` plus `dice_loss`."""
    return binary_crossentropy(pixels) + dice_loss(pixels)


@mask_losses.add(gives="image")
def bce_jaccard_loss(pixels: MaskPixels) -> Tensor:
    """`binary_crossentropy` plus `jaccard_loss`."""
    return binary_crossentropy(pixels) + jaccard_loss(pixels)


@mask_losses.add(gives="image", min_classes=2)
def cce_dice_loss(pixels: MaskPixels) -> Tensor:
    """`categorical_crossentropy` plus `dice_loss`."""
    return categorical_crossentropy(pixels) + dice_loss(pixels)


@mask_losses.add(gives="image", min_classes=2)
def cce_jaccard_loss(pixels: MaskPixels) -> Tensor:
    """`categorical_crossentropy` plus `jaccard_loss`."""
    return categorical_crossentropy(pixels) + jaccard_loss(pixels)


@mask_losses.add(*_aliases("lovasz_loss"), gives="image")
def lovasz_loss(pixels: MaskPixels) -> Tensor:
    """Lovász's extension of 1 - intersection over union, of each image and class, averaged.

    Errors of pixels are sorted from the largest, and each is multiplied by how much it lowers the
    intersection over union when it joins those before it. Of a softmax head the errors are |t - p|,
    and the mean is over the classes that an image shows: the Lovász-softmax. Of other heads they
    are those of the Lovász hinge, 1 - s z of the logit z, s being 1 where the class is true and -1
    elsewhere, which go through ELU as Musket has it; and the mean is over all classes.

    Returns:
        One number for each image [B].

    References:
        Berman et al., 2018, https://arxiv.org/abs/1705.08790
    """
    if pixels.kind.exclusive:
        columns = [
            _lovasz((pixels.truth[..., k] - pixels.probs[..., k]).abs(), pixels, k)
            for k in range(pixels.kind.num_classes)
        ]
        return _over_shown(torch.stack(columns, dim=1), pixels.overlap.true)
    errors = 1 - (2 * pixels.truth - 1) * pixels.logits
    columns = [_lovasz(errors[..., k], pixels, k) for k in range(pixels.kind.num_classes)]
    return torch.stack(columns, dim=1).mean(dim=1)


def _lovasz(errors: Tensor, pixels: MaskPixels, column: int) -> Tensor:
    """Compute the extension [B] from the errors of a class's pixels [B, N]."""
    truth, ranked = pixels.shows[..., column], errors.detach()
    if pixels.counted is not None:
        ranked = torch.where(pixels.counted[..., 0], ranked, -torch.inf)
    order = ranked.argsort(dim=1, descending=True, stable=True)
    ordered = _lovasz_weights(truth.gather(1, order)).to(errors.dtype)
    weights = torch.empty_like(ordered).scatter_(1, order, ordered)
    bounded = errors if pixels.kind.exclusive else functional.elu(errors)
    return (pixels.only_counted(bounded) * weights).sum(dim=1)


def _lovasz_weights(truth: Tensor) -> Tensor:
    """Say how much each of the answers [B, N], sorted, lowers the overlap when it is wrong too.

    With I true ones left and a union of U: 1 / U for a true one; else I / (U (U - 1)), which is the
    difference of two quotients without their rounding. Where no class is true the first has it all.
    """
    total = truth.sum(dim=1, keepdim=True)
    left, union = total - truth.cumsum(dim=1), total + (~truth).cumsum(dim=1)
    weights = torch.where(truth, 1 / union, left / (union * (union - 1)).clamp(min=1))
    weights[:, 0] = torch.where(total[:, 0] > 0, weights[:, 0], 1.0)
    return weights


def _over_shown(values: Tensor, true: Tensor) -> Tensor:
    """Average [B, K] over the classes that an image shows; 0 where it shows none."""
    shown = true > 0
    return torch.where(shown, values, 0).sum(dim=1) / shown.sum(dim=1).clamp(min=1)
