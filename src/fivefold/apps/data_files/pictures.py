"""Image files made smaller or larger, in the format that they have."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from fivefold.data.decode import opened_image

_ORIENTATION = 0x0112
_UPRIGHT = 1
_OPTIONS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}}
_FORMATS = {"MPO": "JPEG"}
"""A camera's JPEG with a second picture in it becomes one with the first."""
_WITH_ALPHA = ("PNG", "WEBP", "TIFF", "GIF")


@dataclass(frozen=True)
class Picture:
    """An image file.

    Attributes:
        data: All of it.
        height: In pixels.
        width: In pixels.
        before: Its longer side before.
        first_only: Whether there were further pictures in the file, which are gone.
    """

    data: bytes
    height: int
    width: int
    before: int
    first_only: bool


def resized(
    data: bytes,
    longest: int,
    *,
    grayscale: bool = False,
    keep_metadata: bool = False,
    nearest: bool = False,
) -> Picture:
    """Give an image's longer side a length, upright, in the same format.

    Lanczos' filter; transparency is kept, and so are 16 bits. JPEG and WebP have the quality 95.
    Masks keep their values.

    Args:
        data: The file.
        longest: The longer side in pixels; smaller images are made larger.
        grayscale: Whether colours become grey.
        keep_metadata: Whether EXIF and the colour profile stay; EXIF then says that the image is
            upright.
        nearest: Whether it is a mask: each pixel takes the nearest value, and palettes stay.

    Raises:
        ImageProblem: If it cannot be used.
    """
    with opened_image(data) as (image, turn):
        kind = _FORMATS.get(str(image.format), str(image.format))
        kept = _metadata(image) if keep_metadata else {}
        before, first_only = max(image.size), bool(getattr(image, "is_animated", False))
        upright = image.copy() if turn is None else image.transpose(turn)
        if nearest:
            changed = _fitting(upright, longest, Pillow.Resampling.NEAREST)
        else:
            changed = _fitting(_resizable(upright, kind, grayscale=grayscale), longest)
        changed.info.clear()  # a comment or a profile would be written again
        file = io.BytesIO()
        changed.save(file, kind, **_OPTIONS.get(kind, {}), **kept)
        return Picture(file.getvalue(), changed.height, changed.width, before, first_only)


def _fitting(
    image: Pillow.Image, longest: int, way: Pillow.Resampling = Pillow.Resampling.LANCZOS
) -> Pillow.Image:
    scale = longest / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    if (width, height) == image.size:
        return image
    return image.resize((width, height), way)


def _resizable(image: Pillow.Image, kind: str, *, grayscale: bool) -> Pillow.Image:
    """Give an image a mode whose values can be averaged."""
    has_alpha = image.has_transparency_data and kind in _WITH_ALPHA
    if image.mode.startswith("I;16"):
        return image.convert("I;16") if image.mode != "I;16" else image
    if image.mode in ("I", "F"):
        return image
    if grayscale or image.mode in ("1", "L", "LA"):
        return image.convert("LA" if has_alpha else "L")
    if image.mode == "CMYK":
        return image
    return image.convert("RGBA" if has_alpha else "RGB")


def _metadata(image: Pillow.Image) -> dict[str, Any]:
    found = {"icc_profile": image.info.get("icc_profile")}
    exif = image.getexif()
    if exif:
        exif[_ORIENTATION] = _UPRIGHT
        found["exif"] = exif.tobytes()
    return {key: value for key, value in found.items() if value}
