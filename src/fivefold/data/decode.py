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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from fivefold.core.arguments import refuse_argument
from fivefold.core.types import Image
from fivefold.data.file_kinds import kind_of
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.looks import FORMATS, PIXELS
from fivefold.data.pixel_budget import PixelBudget
from fivefold.data.pixels import pixels_of
from fivefold.data.quick_headers import PART, QuickHeader, Read, quick_header

# What threads decode at a time, all together: two of the largest images that are accepted.
_IN_FLIGHT = PixelBudget(200_000_000)

_ORIENTATION = 0x0112
_HEAD = 32  # bytes that tell more of a file than Pillow does
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
MOST_PIXELS = 178_956_970
"""What Pillow decodes at most, whatever is asked for."""


def limits_of(max_pixels: int) -> Limits:
    """Allow images of so many pixels, and files as large as such images may be.

    Raises:
        ConfigError: If that is no number of pixels, or more than can be decoded.
    """
    if not 1 <= max_pixels <= MOST_PIXELS:
        refuse_argument("max_pixels", f"from 1 to {MOST_PIXELS:,}", max_pixels)
    return Limits(max(DEFAULT_LIMITS.max_bytes, 4 * max_pixels), max_pixels)


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pixels, and how large the whole image is.

    Attributes:
        image: Pixels [H, W, C]; of a large JPEG it may be fewer than the file holds.
        height: Of the image as the file has it, upright.
        width: Likewise.
        kind: What file it was; see `data.looks`.
        mask: What the image shows where, [height, width, P] as `core.masks` has it; None where
            nobody says.
    """

    image: Image
    height: int
    width: int
    kind: str = PIXELS
    mask: Image | None = None


@dataclass(frozen=True)
class Header:
    """What a file's beginning says.

    Attributes:
        height: Of the image, upright.
        width: Likewise.
        kind: What file it is; see `data.looks`.
        stamp: Of the file, as `Source.stamp` has it.
    """

    height: int
    width: int
    kind: str
    stamp: str = ""


def read_image(
    path: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    draft_size: tuple[int, int] | None = None,
    alpha: bool = False,
) -> Image:
    """Read an image file; see `decode`."""
    data = read_bytes(path, limits=limits)
    return decode(data, limits=limits, draft_size=draft_size, alpha=alpha)


def read_bytes(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a regular file that is not too large.

    Raises:
        ImageProblem: If it is missing, unreadable, no regular file, too large or empty.
    """
    with _opened(path, limits) as (descriptor, _), open(descriptor, "rb", closefd=False) as file:
        return file.read(limits.max_bytes + 1)


@contextmanager
def _opened(path: Path | str, limits: Limits) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file that is not too large: its descriptor, and what it is."""
    # Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            status = os.fstat(descriptor)
            _check_file(status, limits)
            yield descriptor, status
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
    data: bytes,
    *,
    limits: Limits = DEFAULT_LIMITS,
    draft_size: tuple[int, int] | None = None,
    alpha: bool = False,
) -> Image:
    """Turn the bytes of an image file into RGB pixels.

    Args:
        data: JPEG, PNG, WebP, BMP, TIFF or GIF.
        limits: What is refused before pixels are allocated.
        draft_size: Height and width that are enough; a JPEG that is at least twice as large is
            decoded at a half, a quarter or an eighth of its size, which is several times faster.
        alpha: Keep opacities as a fourth channel; else images that have them are laid on white.

    Returns:
        Pixels [H, W, 3], or [H, W, 4] with opacities.

    Raises:
        ImageProblem: If the data cannot be used; no other exception leaves.
    """
    return decode_sized(data, limits=limits, draft_size=draft_size, alpha=alpha).image


def decode_sized(
    data: bytes,
    *,
    limits: Limits = DEFAULT_LIMITS,
    draft_size: tuple[int, int] | None = None,
    alpha: bool = False,
) -> Decoded:
    """Turn the bytes of an image file into RGB pixels and its full size; see `decode`.

    All of the file is read however few pixels are wanted, so that a cut one is found.
    """
    if not data:
        raise ImageProblem(Reason.EMPTY, "0 bytes")
    if len(data) > limits.max_bytes:
        raise ImageProblem(Reason.TOO_LARGE, f"{len(data):,} bytes")
    with _worded(data[:_HEAD], limits), Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(image.size, limits)
        width, height = image.size  # before a draft makes it smaller
        if draft_size:
            edge = max(draft_size)  # orientation may still swap height and width
            image.draft(None, (edge, edge))
        with _IN_FLIGHT.take(image.width * image.height):
            image.load()
            turn = _turn_of(image)
            size = (width, height) if turn in _SIDEWAYS else (height, width)
            if turn is None:
                pixels = pixels_of(image, alpha=alpha)
                # last, since looking for a second picture moves on in the file
                return Decoded(pixels, *size, kind_of(image, data[:_HEAD], rotated=False))
            upright = image.transpose(turn)
            kind = kind_of(image, data[:_HEAD], rotated=True)
            image.close()  # so that no more than two of the three are in memory at a time
            return Decoded(pixels_of(upright, alpha=alpha), *size, kind)


@contextmanager
def opened_image(
    data: bytes, *, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[Pillow.Image, Pillow.Transpose | None]]:
    """Open an image with the mode and the metadata that it has.

    Yields:
        The image, loaded, and how it has to be turned to be upright. What Pillow raises until the
        block ends is an `ImageProblem`.

    Raises:
        ImageProblem: As `decode`.
    """
    if not data:
        raise ImageProblem(Reason.EMPTY, "0 bytes")
    with _worded(data[:_HEAD], limits), Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(image.size, limits)
        with _IN_FLIGHT.take(image.width * image.height):
            image.load()
            yield image, _turn_of(image)


def turn_of(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Pillow.Transpose | None:
    """Say how an image has to be turned to be upright; None where it is.

    Raises:
        ImageProblem: If it is no image.
    """
    with _worded(data[:_HEAD], limits), Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
        return _turn_of(image)


def read_header(path: Path | str, *, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read how a file begins: what it is and how large its image is, but none of its pixels.

    A file that is cut off later, or damaged, looks whole.

    Raises:
        ImageProblem: As `decode`, as far as the beginning tells.
    """
    with _opened(path, limits) as (descriptor, status):
        head = os.read(descriptor, PART)
        if not head:
            raise ImageProblem(Reason.EMPTY, "0 bytes")
        found = quick_header(head, lambda start, count: _bytes_at(descriptor, start, count))
        if found:
            _check_size((found.width, found.height), limits)
        else:
            os.lseek(descriptor, 0, os.SEEK_SET)
            with open(descriptor, "rb", closefd=False) as file:
                found = _pillows_header(file, head[:_HEAD], limits)
        return Header(*found, stamp=stamp_of(status))


def header_within(read: Read, size: int, stamp: str, *, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read how an image begins that is a part of a larger file, as `read_header` does.

    Args:
        read: Gives bytes of that part from a place of it on, or fewer where it ends.
        size: How long the part is, in bytes.
        stamp: Of the larger file.
        limits: What is decoded at most.

    Raises:
        ImageProblem: As `decode`, as far as the beginning tells.
    """
    head = read(0, PART)
    if not head:
        raise ImageProblem(Reason.EMPTY, "0 bytes")
    found = quick_header(head, read)
    if found:
        _check_size((found.width, found.height), limits)
    else:
        found = _pillows_header(io.BytesIO(read(0, size)), head[:_HEAD], limits)
    return Header(*found, stamp=stamp)


def stamp_of(status: os.stat_result) -> str:
    """Write a file's size and modification time, as `Source.stamp` has it."""
    return f"{status.st_size}:{status.st_mtime_ns}"


def _bytes_at(descriptor: int, start: int, count: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, count)


def _pillows_header(file: BinaryIO, head: bytes, limits: Limits) -> QuickHeader:
    with _worded(head, limits), Pillow.open(file, formats=FORMATS) as image:
        _check_size(image.size, limits)
        turn = _turn_of(image)
        width, height = image.size[::-1] if turn in _SIDEWAYS else image.size
        return QuickHeader(height, width, kind_of(image, head, rotated=turn is not None))


@contextmanager
def _worded(head: bytes, limits: Limits) -> Iterator[None]:
    """Make a reason of whatever Pillow raises."""
    _mute_pillow()
    try:
        yield
    except ImageProblem:
        raise
    except UnidentifiedImageError as error:
        raise ImageProblem(Reason.FORMAT_NOT_ALLOWED, _looks_like(head)) from error
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
