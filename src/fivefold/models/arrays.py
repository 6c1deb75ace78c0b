"""Predicting an array of images at once, as Keras's models do."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Floats, Head, head_slices


def predict_array(
    images: AnyArray,
    heads: tuple[Head, ...],
    device: torch.device,
    probs_of: Callable[[Tensor], Tensor],
) -> Floats | list[Floats]:
    """Predict images as they enter a network.

    Args:
        images: Pixels [N, H, W, C], 0-255, at the network's size.
        heads: What the columns of the probabilities mean.
        device: Where the network is.
        probs_of: From pixels [N, C, H, W] on the device to probabilities [N, all classes], or of
            masks [N, classes, H, W].

    Returns:
        Probabilities [N, classes]; of several outputs a list of such arrays; of masks
        [N, H, W, classes].

    Raises:
        DataError: If they are no images.
    """
    if np.ndim(images) != 4:
        msg = f"images: expected an array [N, H, W, C], got shape {np.shape(images)}"
        raise DataError(msg, hint="one image is `image[None]`", slug="data/image-array")
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found: Floats = probs_of(pixels.to(device)).float().cpu().numpy()
    if found.ndim == 4:
        return np.ascontiguousarray(np.moveaxis(found, 1, 3))
    if len(heads) == 1:
        return found
    return [found[:, part] for part in head_slices(heads)]
