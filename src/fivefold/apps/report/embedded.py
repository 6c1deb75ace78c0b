"""Pictures inside the page: encoded anew, so that only pixels enter it."""

import base64
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from fivefold.data.decode import Limits, decode, read_bytes
from fivefold.data.image_problem import ImageProblem

_SIDE = 96  # pixels; shown at half of it, for fine screens
_LIMITS = Limits(max_bytes=20_000_000, max_pixels=40_000_000)  # a page is made in seconds


def sheet_url(path: Path) -> str:
    """Read a picture that a run has drawn.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no PNG.
    """
    try:
        with Pillow.open(path, formats=["PNG"]) as image:
            return _data_url(image.convert("RGB"))
    except (SyntaxError, Pillow.DecompressionBombError) as error:  # Pillow's for broken chunks
        raise ValueError(str(error)) from error


def thumbnails(root: Path, audit: Mapping[str, Any], ids: Iterable[str]) -> dict[str, str]:
    """Make small pictures of samples whose files are still what the audit has read.

    Args:
        root: The run folder.
        audit: What the audit found, in any state.
        ids: The samples.

    Returns:
        Id to URL; a sample whose file is gone, changed or huge has none.
    """
    listed = audit.get("rows")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    by_id = {row["sample_id"]: row for row in rows if isinstance(row.get("sample_id"), str)}
    urls = {name: _thumbnail(root, by_id[name]) for name in ids if name in by_id}
    return {name: url for name, url in urls.items() if url}


def _thumbnail(root: Path, row: Mapping[str, Any]) -> str:
    for path in _places(root, row.get("path")):
        try:
            data = read_bytes(path, limits=_LIMITS)
            # Only what was trained on: never another file that lies there now.
            if hashlib.sha256(data).hexdigest() != row.get("digest"):
                continue
            pixels = decode(data, limits=_LIMITS, draft_size=(_SIDE, _SIDE))
        except ImageProblem:
            continue
        picture = Pillow.fromarray(pixels)
        picture.thumbnail((_SIDE, _SIDE))
        return _data_url(picture)
    return ""


def _places(root: Path, recorded: object) -> Iterator[Path]:
    """Say where a file may lie: as recorded, else seen from a run folder that was moved."""
    if not isinstance(recorded, str) or not recorded:
        return
    path = Path(recorded)
    yield path
    if path.is_absolute():
        return
    yield root / path
    name = root.resolve().name
    if name in path.parts:
        yield root.joinpath(*path.parts[path.parts.index(name) + 1 :])


def _data_url(picture: Pillow.Image) -> str:
    picture.info.clear()
    file = io.BytesIO()
    picture.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
