"""Pictures inside the page: encoded anew, so that only pixels enter it."""

import base64
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fivefold.apps.report.kept_pixels import KeptPixels
from fivefold.core.masks import MaskKind
from fivefold.core.types import Image
from fivefold.data.decode import Limits, decode, read_bytes, stamp_of
from fivefold.data.image_problem import ImageProblem

_SIDE = 128  # pixels
_DRAWN = 256  # of an image below a mask
_LOSSLESS = 32  # up to this side each pixel is seen
_LIMITS = Limits(max_bytes=20_000_000, max_pixels=40_000_000)  # a page is made in seconds
_MOST_READ = 400_000_000  # bytes of files, all together: some seconds
_QUALITY = 80
_MOST_OF_A_SHEET = 150_000  # bytes of a URL; sheets of photographs are ten times as large


def sheet_url(path: Path) -> str:
    """Read a picture that a run has drawn; a large one is made smaller by JPEG.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no PNG.
    """
    try:
        with Pillow.open(path, formats=["PNG"]) as image:
            pixels = image.convert("RGB")
    except (SyntaxError, Pillow.DecompressionBombError) as error:  # Pillow's for broken chunks
        raise ValueError(str(error)) from error
    url = _url(pixels, "PNG")
    return url if len(url) <= _MOST_OF_A_SHEET else _url(pixels, "JPEG")


def jpeg_url(data: bytes) -> str:
    """Encode the JPEG of an overlay anew.

    Raises:
        ValueError: If it is no JPEG, or a damaged one.
    """
    try:
        with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as image:
            return _url(image.convert("RGB"), "JPEG")
    except (OSError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


class Thumbnails:
    """Small pictures of samples.

    They are made from files that are still what the audit has read; else, as for samples of a
    Python data set, from the pixels that the run has kept in the cache.

    Args:
        root: The run folder.
        audit: What the audit found, in any state.
        kept: Pixels in the cache.
    """

    def __init__(self, root: Path, audit: Mapping[str, Any], kept: KeptPixels) -> None:
        self._root = root
        self._kept = kept
        listed = audit.get("rows")
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        self._rows = {
            row["sample_id"]: row for row in rows if isinstance(row.get("sample_id"), str)
        }
        self._left = _MOST_READ

    def __call__(self, ids: Sequence[str]) -> dict[str, str]:
        """Make pictures.

        Args:
            ids: Of the samples.

        Returns:
            Id to URL; a sample whose file is gone, changed or huge has none, and none has one
            once very much was read.
        """
        rows = [self._rows[name] for name in ids if name in self._rows]
        affordable = [row for row in rows if self._takes(row)]
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:  # decoding frees the lock
            urls = list(threads.map(self._url_of, affordable))
        found = zip(affordable, urls, strict=True)
        return {row["sample_id"]: url for row, url in found if url}

    def images(self, ids: Sequence[str], masks: MaskKind) -> dict[str, Image]:
        """Read images as masks lie over them: what the network has seen, or else the file.

        Args:
            ids: Of the samples.
            masks: How their masks are written, which lie beside them in the cache.

        Returns:
            Id to pixels [H, W, C], of those that are still what was trained on.
        """
        rows = [self._rows[name] for name in ids if name in self._rows]
        kept = self._kept.beside(masks)
        found = {}
        for row in [row for row in rows if self._takes(row)]:
            pixels = kept.read(row.get("digest"))
            pixels = _unchanged(self._root, row) if pixels is None else pixels
            if pixels is not None:
                found[row["sample_id"]] = pixels
        return found

    def _takes(self, row: Mapping[str, Any]) -> bool:
        """Say whether a file may still be read; by its recorded size, so always in the same way."""
        size = str(row.get("stamp") or "").partition(":")[0]
        self._left -= int(size) if size.isdecimal() else 0
        return self._left >= 0

    def _url_of(self, row: Mapping[str, Any]) -> str:
        pixels = self._pixels(row)
        if pixels is None:
            return ""
        picture = Pillow.fromarray(pixels)
        picture.thumbnail((_SIDE, _SIDE))
        return _url(picture, "PNG" if max(picture.size) <= _LOSSLESS else "JPEG")

    def _pixels(self, row: Mapping[str, Any]) -> Image | None:
        for path in _places(self._root, row.get("path")):
            try:
                data = read_bytes(path, limits=_LIMITS)
                # Only what was trained on: never another file that lies there now.
                if hashlib.sha256(data).hexdigest() == row.get("digest"):
                    return decode(data, limits=_LIMITS, draft_size=(_SIDE, _SIDE))
            except ImageProblem:
                continue
        pixels = self._kept.read(row.get("digest"))
        return None if pixels is None else _drawable(pixels)


def _unchanged(root: Path, row: Mapping[str, Any]) -> Image | None:
    """Decode a file that has still the size and time that the audit has read."""
    stamp = str(row.get("stamp") or "")
    for path in _places(root, row.get("path")):
        try:
            if not stamp.startswith(stamp_of(path.stat())):
                continue
            data = read_bytes(path, limits=_LIMITS)
            return decode(data, limits=_LIMITS, draft_size=(_DRAWN, _DRAWN))
        except (ImageProblem, OSError, ValueError):
            continue
    return None


def _drawable(pixels: Image) -> Image:
    """Show what Pillow can draw: of 2 channels the first, of 4 and more the first three."""
    channels = pixels.shape[2]
    return np.ascontiguousarray(pixels[:, :, :3] if channels >= 3 else pixels[:, :, 0])


def _places(root: Path, recorded: object) -> Iterator[Path]:
    """Say where a file may lie: as recorded, else below a run folder that was moved or renamed.

    What lies there is held against its digest, so a wrong place does no harm.
    """
    if not isinstance(recorded, str) or not recorded:
        return
    path = Path(recorded)
    yield path
    if not path.is_absolute():
        yield from (root.joinpath(*path.parts[start:]) for start in range(len(path.parts)))


def picture_url(pixels: Image) -> str:
    """Encode a drawn picture, RGB [H, W, 3], with its colours as they are."""
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _url(picture: Pillow.Image, kind: str) -> str:
    picture.info.clear()
    file = io.BytesIO()
    options = {"quality": _QUALITY} if kind == "JPEG" else {}
    picture.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
