"""Bytes to pixels: the only place where an image file is opened.

The content decides the format, never the name. Grey becomes three equal channels, 16 bits are
scaled to 8, transparency is laid over white, EXIF orientation is applied, an animation is its
first frame, an ICC profile is not applied.
"""

import errno
import io
import os
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Image
from fivefold.data.pixel_budget import PixelBudget

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

# Pixels converted at a time: their copies in between stay small beside the image itself.
_STRIP = 1 << 20
# What threads decode at a time, all together: two of the largest images that are accepted.
_IN_FLIGHT = PixelBudget(200_000_000)

_WHITE = (255, 255, 255, 255)
_ORIENTATION = 0x0112
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8]}


@dataclass(frozen=True)
class Limits:
    """What is refused before it is read.

    Attributes:
        max_bytes: Size of a file in bytes.
        max_pixels: Height times width.
    """

    max_bytes: int = 100_000_000
    max_pixels: int = 100_000_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pixels, and how large the whole image is.

    Attributes:
        image: Pixels [H, W, C]; of a large JPEG it may be fewer than the file holds.
        height: Of the image as the file has it, upright.
        width: Likewise.
    """

    image: Image
    height: int
    width: int


class Reason(StrEnum):
    """Why one image cannot be used."""

    EMPTY = "empty"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_REGULAR_FILE = "not_regular_file"
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED = "truncated"
    DECODE_ERROR = "decode_error"
    OUTSIDE = "box_outside"  # what is to be cut out of an image
    DATASET_ERROR = "dataset_error"  # what the code of a Python data set raised


class ImageProblem(DataError):  # noqa: N818  a fact about one sample; the audit goes on
    """One image cannot be used.

    Attributes:
        reason: The kind of problem.
        detail: What exactly was met.
    """

    default_slug = "data/image"

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"expected a readable image, got {reason}: {detail}")


def read_image(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, draft_size: tuple[int, int] | None = None
) -> Image:
    """Read an image file; see `decode`."""
    return decode(read_bytes(path, limits=limits), limits=limits, draft_size=draft_size)


def read_bytes(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a regular file that is not too large.

    Raises:
        ImageProblem: If it is missing, unreadable, no regular file, too large or empty.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            _check_file(os.fstat(descriptor), limits)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(limits.max_bytes + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageProblem(Reason.MISSING, "there is no such file") from error
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            detail = "there is no such file: no name can be that long"
            raise ImageProblem(Reason.MISSING, detail) from error
        raise ImageProblem(Reason.UNREADABLE, f"{type(error).__name__}: {error}") from error


def _check_file(status: os.stat_result, limits: Limits) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        raise ImageProblem(Reason.NOT_REGULAR_FILE, kind)
    if status.st_size > limits.max_bytes:
        detail = f"{status.st_size:,} bytes, at most {limits.max_bytes:,} are read"
        raise ImageProblem(Reason.TOO_LARGE, detail)


def decode(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, draft_size: tuple[int, int] | None = None
) -> Image:
    """Turn the bytes of an image file into RGB pixels.

    Args:
        data: JPEG, PNG, WebP, BMP, TIFF or GIF.
        limits: What is refused before pixels are allocated.
        draft_size: Height and width that are enough; a JPEG that is at least twice as large is
            decoded at a half, a quarter or an eighth of its size, which is several times faster.

    Returns:
        Pixels [H, W, 3].

    Raises:
        ImageProblem: If the data cannot be used; no other exception leaves.
    """
    return decode_sized(data, limits=limits, draft_size=draft_size).image


def decode_sized(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS, draft_size: tuple[int, int] | None = None
) -> Decoded:
    """Turn the bytes of an image file into RGB pixels and its full size; see `decode`.

    All of the file is read however few pixels are wanted, so that a cut one is found.
    """
    if not data:
        raise ImageProblem(Reason.EMPTY, "0 bytes")
    if len(data) > limits.max_bytes:
        raise ImageProblem(Reason.TOO_LARGE, f"{len(data):,} bytes")
    _mute_pillow()
    try:
        with Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image.size, limits)
            width, height = image.size  # before a draft makes it smaller
            if draft_size:
                edge = max(draft_size)  # orientation may still swap height and width
                image.draft(None, (edge, edge))
            with _IN_FLIGHT.take(image.width * image.height):
                image.load()
                turn = _turn_of(image)
                upright = image if turn is None else image.transpose(turn)
                size = (width, height) if turn in _SIDEWAYS else (height, width)
                return Decoded(pixels_of(upright), *size)
    except ImageProblem:
        raise
    except UnidentifiedImageError as error:
        raise ImageProblem(Reason.FORMAT_NOT_ALLOWED, _looks_like(data)) from error
    except Pillow.DecompressionBombError as error:  # names its own limit, which is not ours
        detail = f"many more pixels than the {limits.max_pixels:,} that are decoded at most"
        raise ImageProblem(Reason.TOO_MANY_PIXELS, detail) from error
    # Pillow documents two exceptions and leaks a dozen: struct.error, ValueError, OverflowError,
    # SyntaxError, IndexError, RecursionError, … Each means that this file cannot be decoded.
    except Exception as error:
        raise _decode_problem(error) from error


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        detail = f"{width} x {height} pixels, at most {limits.max_pixels:,} are decoded"
        raise ImageProblem(Reason.TOO_MANY_PIXELS, detail)


def _looks_like(data: bytes) -> str:
    names = ", ".join(FORMATS)
    return f"the content is none of {names}; it begins with {data[:12]!r}"


def _decode_problem(error: Exception) -> ImageProblem:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, EOFError) or "truncated" in text.casefold():
        return ImageProblem(Reason.TRUNCATED, text)
    return ImageProblem(Reason.DECODE_ERROR, text)


def _mute_pillow() -> None:
    """Keep Pillow's remarks on metadata off the terminal; what matters comes as an exception.

    A filter for good, since `warnings.catch_warnings` is not safe in threads.
    """
    if _MUTED not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


with warnings.catch_warnings():
    warnings.filterwarnings("ignore", module=r"PIL\.")
    _MUTED = warnings.filters[0]


def _turn_of(image: Pillow.Image) -> Pillow.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF leaks anything, and the pixels are fine without it
        return None


def pixels_of(image: Pillow.Image) -> Image:
    """Convert a loaded image of any mode to RGB pixels [H, W, 3].

    Raises:
        ImageProblem: If its numbers have no agreed meaning as colours.
    """
    if image.mode.startswith("I;16"):
        return _three(_from_16_bits(np.asarray(image)))
    if image.mode == "I":
        return _three(to_uint8(np.asarray(image)))
    if image.mode == "F":
        return _three(to_uint8(np.asarray(image)))
    pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
    rows = max(1, _STRIP // max(1, image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(_rgb(image.crop((0, top, image.width, bottom))))
    return pixels


def _rgb(image: Pillow.Image) -> Pillow.Image:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        colours = image.convert("RGBA")
        white = Pillow.new("RGBA", colours.size, _WHITE)
        return Pillow.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")


def to_uint8(values: AnyArray) -> Image:
    """Scale numbers of any kind to 0-255 by one rule.

    True is 255. Floats up to 1 are multiplied by 255, floats up to 255 are rounded. Unsigned
    16-bit numbers are divided by 257. Other integers are taken as they are up to 255, and as
    16-bit numbers up to 65,535. All else is refused, never clipped.

    Args:
        values: Any shape.

    Returns:
        The same shape.

    Raises:
        ImageProblem: If values are negative, too large, NaN or infinite, or no numbers.
    """
    kind = values.dtype.kind
    if values.dtype == np.uint8 or not values.size:
        return values.astype(np.uint8)
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "uif":
        raise ImageProblem(Reason.DECODE_ERROR, f"expected numbers, got {values.dtype}")
    low, high = float(values.min()), float(values.max())
    top = 255 if kind == "f" else 65535
    if not (low >= 0 and high <= top):  # also true for NaN
        detail = f"values from {low:g} to {high:g} of type {values.dtype}; expected 0 to {top}"
        raise ImageProblem(Reason.DECODE_ERROR, detail)
    if kind == "f":
        factor = 255.0 if high <= 1 else 1.0
        return _rounded(values, lambda part: part * factor)
    return _from_16_bits(values) if _is_16_bits(values, high) else values.astype(np.uint8)


def _is_16_bits(values: AnyArray, high: float) -> bool:
    return values.dtype == np.uint16 or high > 255


def _from_16_bits(values: AnyArray) -> Image:
    return _rounded(values, lambda part: part / 257.0)


def _rounded(values: AnyArray, scale: Callable[[AnyArray], AnyArray]) -> Image:
    """Scale and round a part at a time, since floats are eight times as large."""
    flat, result = values.reshape(-1), np.empty(values.size, dtype=np.uint8)
    for start in range(0, len(flat), _STRIP):
        part = slice(start, start + _STRIP)
        result[part] = np.rint(scale(flat[part])).astype(np.uint8)
    return result.reshape(values.shape)


def _three(grey: Image) -> Image:
    return np.repeat(grey[:, :, None], 3, axis=2)


def to_channels(image: Image, channels: int, where: str = "shape") -> Image:
    """Convert between grey and RGB, by Pillow's weights (ITU-R 601).

    Args:
        image: Pixels [H, W, C].
        channels: How many are wanted.
        where: What a message begins with.

    Raises:
        DataError: If there is no agreed way from one number of channels to the other.
    """
    found = image.shape[2]
    if found == channels:
        return image
    if (found, channels) == (1, 3):
        return np.repeat(image, 3, axis=2)
    if (found, channels) == (3, 1):
        return np.array(Pillow.fromarray(image).convert("L"))[:, :, None]
    msg = f"{where}: expected an image with {channels} channels, got {found}"
    hint = f"the last number of `shape` must be {found}, or the data set must return {channels}"
    raise DataError(msg, hint=hint, slug="data/channels")
