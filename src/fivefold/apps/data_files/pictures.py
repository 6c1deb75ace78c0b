"""Image files as they are: their size from the header."""

import os

from PIL import Image as Pillow

from fivefold.data.looks import FORMATS


def size_of(path: str) -> tuple[int, int] | None:
    """Read an image's height and width in pixels, as stored; None if it cannot be read."""
    if not os.path.isfile(path):  # noqa: PTH113  pathlib's raises where a name is too long
        return None
    try:
        with Pillow.open(path, formats=FORMATS) as image:
            return image.height, image.width
    except Exception:  # Pillow leaks a dozen kinds for broken files
        return None
