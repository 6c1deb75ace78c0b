"""Musket's `BackgroundReplacer`: what a mask marks, in front of other pictures."""

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, WithMask, size_after
from fivefold.augment.children import OptionalChildren
from fivefold.augment.draws import Probability, Values, draw_whole, whole_between
from fivefold.augment.frames import resized
from fivefold.augment.preprocess import resize
from fivefold.core.errors import DataError
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Erosion = Annotated[Values, whole_between(0, 1000)]


@augmenters.add("Background Augmenter", name="BackgroundReplacer", needs_mask=True, folder="path")
def background_replacer(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    path: str,
    rate: Probability = 0.5,
    erosion: Erosion = 0,
    augmenters: OptionalChildren = None,
) -> Change:
    """Put what the mask marks in front of a picture from a folder.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        path: A folder; each file in it is a background, unless its name begins with a dot.
        rate: Share of the images that keep their own background.
        erosion: How many pixels of the mask's rim are left out: the side of a square, or a range
            [a, b]. The mask that is learned stays as it is.
        augmenters: What happens to image and mask before that.

    Raises:
        ValueError: If there is no such folder, or no file in it.
    """
    files = _files_in(path)
    if rng.random() <= rate:
        return NOTHING
    file = files[int(rng.integers(len(files)))]
    side = int(draw_whole(rng, erosion))
    drawn = augmenters.draw(rng, height, width) if augmenters else ()
    is_kept = size_after(drawn, (height, width)) == (height, width)
    back = () if is_kept else resized((height, width))
    return drawn, back, WithMask("BackgroundReplacer", partial(_replaced, file=file, side=side))


def _replaced(image: Image, mask: Image, file: Path, side: int) -> tuple[Image, Image]:
    shown = (mask > 0).astype(np.uint8)
    shown = shown if shown.ndim == 2 else shown.max(axis=2)
    if side > 1:
        shown = np.asarray(cv2.erode(shown, np.ones((side, side), np.uint8)), np.uint8)
    background = resize(_read(file, image.shape[2]), *image.shape[:2])
    colours = background.shape[2]
    result = image.copy()
    result[..., :colours] = np.where(shown[..., None] > 0, image[..., :colours], background)
    return result, mask


def _read(file: Path, channels: int) -> Image:
    """Read a background: RGB, or grey for images of fewer channels [H, W, 3 or 1]."""
    try:
        with Pillow.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB" if channels >= 3 else "L"), np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        msg = f"{file}: expected a background that can be read, got {error}"
        hint = "the folder of `BackgroundReplacer` may hold nothing but pictures"
        raise DataError(msg, hint=hint, slug="data/background") from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


@cache
def _files_in(path: str) -> tuple[Path, ...]:
    """List a folder once, in the order of the names."""
    folder = Path(path)
    found = folder.iterdir() if folder.is_dir() else ()
    files = sorted(file for file in found if file.is_file() and not file.name.startswith("."))
    if not files:
        msg = f"a folder with pictures, got {path!r}"
        raise ValueError(msg)
    return tuple(files)
