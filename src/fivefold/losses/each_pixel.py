"""Losses of an image as a whole, taken for each pixel of its mask."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fivefold.core.catalog import Component
from fivefold.core.optional import late
from fivefold.losses.mask_pixels import MaskPixels
from fivefold.losses.objective import adapter, weighted

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:  # a config is checked without it
    torch, Tensor = late("torch"), Any


def of_each_pixel(
    loss: Component[Tensor], options: Mapping[str, Any], pixels: MaskPixels
) -> Tensor:
    """Compute a loss with every pixel being a sample, and average it over those of each image.

    A loss that has one number for a whole batch is shown the pixels of one image after the other.

    Args:
        loss: Of the catalog `losses`.
        options: Checked.
        pixels: With their truth.

    Returns:
        One number for each image [B]; 0 where no pixel counts.
    """
    adapt = adapter(pixels.head.activation, loss.facts)
    if not loss.facts.get("gives"):
        return _of_each_image(loss, options, pixels)
    batch, number, classes = pixels.logits.shape
    logits, truth = pixels.logits.reshape(-1, classes), pixels.truth.reshape(-1, classes)
    values = loss.make(adapt(logits) if adapt else logits, truth, **options)
    if pixels.weights:
        values = weighted(values, truth, pixels.weights)
    return pixels.mean(values.view(batch, number, *values.shape[1:]))


def _of_each_image(
    loss: Component[Tensor], options: Mapping[str, Any], pixels: MaskPixels
) -> Tensor:
    adapt = adapter(pixels.head.activation, loss.facts)
    found = []
    for image, (logits, truth) in enumerate(zip(pixels.logits, pixels.truth, strict=True)):
        if pixels.counted is not None:
            counted = pixels.counted[image, :, 0]
            logits, truth = logits[counted], truth[counted]
        seen = adapt(logits) if adapt else logits
        found.append(loss.make(seen, truth, **options).mean() if len(seen) else logits.sum())
    return torch.stack(found)
