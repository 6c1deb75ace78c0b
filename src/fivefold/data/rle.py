"""Masks as run-length text, column by column: Kaggle's form and Musket's `impl.rle`.

A text is pairs of numbers, "start length start length …": pixels are numbered from 1, down the
first column, then down the second. `fivefold.data.coders` has the forms that go row by row.

References:
    Kaggle, "Airbus Ship Detection Challenge", 2018, evaluation page: how masks are written.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Floats, Image, Indices

_PART = 1 << 20
"""Pixels, or numbers, at a time: masks of a hundred million pixels are not copied whole."""

SHAPE = (768, 768)
"""Height and width that Musket's helpers take where none are given."""


def rle_encode(img: AnyArray) -> str:
    """Write a mask as text.

    Args:
        img: [H, W] or [H, W, 1]; what is not 0 is set.

    Returns:
        Pairs of start, from 1, and length; empty where nothing is set.

    Raises:
        DataError: If it is no mask.
    """
    return _joined(runs_of(plane_of(img).T))


def rle_decode(mask_rle: str, shape: Sequence[int] = SHAPE) -> Image:
    """Read a mask from text.

    Args:
        mask_rle: What `rle_encode` writes.
        shape: Height and width.

    Returns:
        [H, W], 1 where it is set and 0 elsewhere.

    Raises:
        DataError: If the text is none of this form, or a run lies outside.
    """
    height, width = shape[0], shape[1]
    flat = filled(numbers_of(mask_rle), height * width, mask_rle)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def multi_rle_encode(img: AnyArray) -> list[str]:
    """Write each connected part of a mask by itself, in the order of their first pixels by rows.

    Pixels that touch at a side or at a corner belong together.

    Args:
        img: [H, W] or [H, W, C], of which the first channel counts.

    Raises:
        DataError: If it is no mask.
    """
    import cv2  # noqa: PLC0415  who lists data needs none of it

    first = np.asarray(img)
    plane = plane_of(first[:, :, 0] if first.ndim == 3 else first)
    count, parts = cv2.connectedComponents(plane.astype(np.uint8), connectivity=8)
    numbers, places = np.unique(parts, return_index=True)
    in_order = numbers[np.argsort(places)]
    return [rle_encode(parts == number) for number in in_order if 0 < number < count]


def masks_as_image(in_mask_list: Iterable[Any], shape: Sequence[int] = SHAPE) -> AnyArray:
    """Lay masks over each other.

    Args:
        in_mask_list: Texts; what is no text, such as a table's empty cell, is no mask.
        shape: Height and width.

    Returns:
        How many masks cover each pixel, int16 [H, W, 1].

    Raises:
        DataError: If a text is none of this form.
    """
    total = np.zeros((shape[0], shape[1]), dtype=np.int16)
    for text in in_mask_list:
        if isinstance(text, str):
            total += rle_decode(text, shape)
    return total[:, :, None]


def masks_as_images(in_mask_list: Iterable[Any], shape: Sequence[int] = SHAPE) -> list[Floats]:
    """Read masks one by one: a float32 array [H, W] of 0 and 1 for each text.

    Args:
        in_mask_list: Texts; what is no text, such as a table's empty cell, is left out.
        shape: Height and width.

    Raises:
        DataError: If a text is none of this form.
    """
    texts = [text for text in in_mask_list if isinstance(text, str)]
    return [rle_decode(text, shape).astype(np.float32) for text in texts]


def plane_of(img: AnyArray) -> AnyArray:
    """Check a mask and take it as true and false [H, W].

    Raises:
        DataError: If it is no mask of one channel.
    """
    mask = np.asarray(img)
    if mask.ndim == 3 and mask.shape[2] == 1:
        mask = mask[:, :, 0]
    if mask.ndim != 2 or mask.dtype == object:
        msg = f"mask: expected shape [H, W] or [H, W, 1], got {mask.shape} of {mask.dtype}"
        raise DataError(msg, hint="encode the channels one by one", slug="data/rle")
    plane: AnyArray = mask if mask.dtype == bool else mask != 0
    return plane


def runs_of(plane: AnyArray) -> Indices:
    """Find the runs of true values [H, W], row by row: starts from 0 and lengths [R, 2]."""
    width = plane.shape[1]
    rows = max(1, _PART // max(width, 1))
    found, last = list[Indices](), 0
    for top in range(0, len(plane), rows):
        part = plane[top : top + rows]
        flat = np.empty(part.size + 1, dtype=np.int8)
        flat[0], flat[1:] = last, part.ravel()
        found.append(np.flatnonzero(np.diff(flat)) + top * width)
        last = int(flat[-1])
    edges = np.concatenate([*found, np.full(last, plane.size, np.int64)])
    runs: Indices = np.stack([edges[::2], edges[1::2] - edges[::2]], axis=1).astype(np.int64)
    return runs


def numbers_of(text: str) -> Indices:
    """Read pairs of whole numbers [R, 2].

    Raises:
        DataError: If they are none.
    """
    words = text.split()
    if len(words) % 2 or not all(w.isascii() and w.isdigit() and len(w) < 13 for w in words):
        raise _wrong(text, "pairs of start and length in whole numbers")
    return np.array(words, dtype=np.int64).reshape(-1, 2)


def filled(pairs: Indices, size: int, text: str, *, first: int = 1) -> Image:
    """Set the pixels of runs: 0 or 1 [size].

    Args:
        pairs: Start and length of each [R, 2].
        size: How many pixels there are.
        text: What the runs were read from, for a message.
        first: The number of the first pixel.

    Raises:
        DataError: If a run is empty or lies outside, or two share a pixel.
    """
    starts, ends = pairs[:, 0] - first, pairs.sum(axis=1) - first
    if (starts < 0).any() or (ends > size).any() or (ends <= starts).any():
        raise _wrong(text, f"runs of at least 1 pixel inside {size} pixels")
    change = np.zeros(size + 1, dtype=np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, ends, -1)
    depth = np.cumsum(change[:-1])
    if (depth > 1).any():
        raise _wrong(text, "runs that share no pixel")
    return depth.astype(np.uint8)


def _joined(runs: Indices) -> str:
    numbers = (runs + np.array([1, 0])).ravel()
    parts = (numbers[k : k + _PART].tolist() for k in range(0, len(numbers), _PART))
    return " ".join(" ".join(map(str, part)) for part in parts)


def _wrong(text: str, expected: str) -> DataError:
    shown = text if len(text) <= 60 else text[:57] + "…"
    msg = f"run-length text: expected {expected}, got {shown!r}"
    hint = "is the shape (height, width), and does the text go by columns or by rows?"
    return DataError(msg, hint=hint, slug="data/rle")
