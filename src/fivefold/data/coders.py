"""Masks as run-length text, row by row: Musket's `musket_core.coders`.

`fivefold.data.rle` has the form that most of Kaggle's competitions use, column by column.
"""

from collections.abc import Sequence

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Image
from fivefold.data.rle import SHAPE, filled, numbers_of, plane_of, runs_of


def rle_encode(img: AnyArray) -> str:
    """Write a mask [H, W] as pairs of start, from 1, and length; pixels are numbered by rows.

    Raises:
        DataError: If it is no mask.
    """
    return " ".join(f"{start + 1} {length}" for start, length in runs_of(plane_of(img)).tolist())


def rle_decode(mask_rle: str, shape: Sequence[int] = SHAPE) -> Image:
    """Read a mask from what `rle_encode` writes: [H, W], 1 where it is set.

    Args:
        mask_rle: The text.
        shape: Height and width.

    Raises:
        DataError: If the text is none of this form, or a run lies outside.
    """
    flat = filled(numbers_of(mask_rle), shape[0] * shape[1], mask_rle)
    return flat.reshape(shape[0], shape[1])


def mask2rle_relative(img: AnyArray, width: int | None = None, height: int | None = None) -> str:
    """Write a mask as pairs of gap and length.

    The gap is the number of pixels since the end of the run before, for the first run since the
    mask's start. Pixels are numbered along the last axis.

    Args:
        img: [width, height], as the competition's own functions have it: a picture is transposed
            before. What is not 0 is set.
        width: Length of the first axis, where it is to be checked.
        height: Length of the second axis.

    Raises:
        DataError: If it is no mask of that shape.

    References:
        Kaggle, "SIIM-ACR Pneumothorax Segmentation", 2019, `mask_functions.py`. That code loses a
        run that ends with the last pixel; this one writes it.
    """
    plane = plane_of(img)
    wanted = (width or plane.shape[0], height or plane.shape[1])
    if plane.shape != wanted:
        msg = f"mask: expected shape [width, height] {wanted}, got {plane.shape}"
        raise DataError(msg, hint="transpose a picture: `mask.T`", slug="data/rle")
    runs = runs_of(plane)
    ends = np.concatenate([[0], runs.sum(axis=1)[:-1]]) if len(runs) else runs[:, 0]
    gaps = (runs[:, 0] - ends).tolist()
    return " ".join(f"{gap} {n}" for gap, n in zip(gaps, runs[:, 1].tolist(), strict=True))


def rle2mask_relative(rle: str, width: int, height: int) -> Image:
    """Read a mask from what `mask2rle_relative` writes: [width, height], 255 where it is set.

    Args:
        rle: The text; empty or "-1" is a mask with nothing set.
        width: Length of the first axis.
        height: Length of the second axis.

    Raises:
        DataError: If the text is none of this form, or a run lies outside.
    """
    pairs = numbers_of("" if rle.strip() == "-1" else rle)
    starts = np.cumsum(pairs.ravel())[::2]  # the sum of all gaps and lengths so far
    absolute = np.stack([starts, pairs[:, 1]], axis=1)
    flat = filled(absolute, width * height, rle, first=0)
    return flat.reshape(width, height) * np.uint8(255)
