"""Files of maps as Musket writes them, and their mean over several folders."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fivefold.core.arguments import as_path
from fivefold.core.durable import write_text
from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Floats, Head
from fivefold.data.files import list_files

_PICTURES = (1, 3, 4)
"""How many classes a PNG can hold: grey, RGB, RGB with opacity."""
_MARK = ".fivefold-maps"
"""The file that says that maps in a folder are results, which may be written again."""


class MapFiles:
    """What files of maps are called and hold.

    Args:
        ids: Of all images.
        head: What the classes are.
        binary: Whether they are arrays; else pictures.

    Raises:
        DataError: If two images would have one file, or a picture cannot hold the classes.
    """

    def __init__(self, ids: Sequence[str], head: Head, *, binary: bool) -> None:
        self._binary, self._ids = binary, ids
        count = head.num_classes
        if not binary and count not in _PICTURES:
            msg = f"predict_to_directory: expected 1, 3 or 4 classes in a PNG, got {count}"
            raise DataError(msg, hint="binaryArray=True writes any number", slug="data/map-files")
        known: dict[str, str] = {}
        for sample_id in ids:
            name = self.name(sample_id)
            other = known.setdefault(name.casefold(), sample_id)
            if other != sample_id:
                msg = (
                    "predict_to_directory: expected names that differ before their first dot, got "
                    f"{other!r} and {sample_id!r}"
                )
                hint = "rename an image, or use `predict_in_directory` with a function of your own"
                raise DataError(msg, hint=hint, slug="data/map-files")

    def name(self, sample_id: str) -> str:
        """Name the file of an image, relative to the folder."""
        return f"{stem_of(sample_id)}{'.npy' if self._binary else '.png'}"

    def claim(self, folder: Path) -> None:
        """Make sure that files in a folder are replaced only where they are maps, and say so there.

        Raises:
            DataError: If one of that name is there and no map was ever written into the folder.
        """
        if (folder / _MARK).is_file():
            return
        taken = next((n for n in map(self.name, self._ids) if (folder / n).exists()), None)
        if taken is not None:
            msg = f"tpath: expected a folder for maps, got {folder} with a file {taken!r} in it"
            hint = "files that are no such maps are not replaced: choose another folder"
            raise DataError(msg, hint=hint, slug="data/map-files")
        write_text(folder / _MARK, "maps in this folder are replaced by those predicted anew\n")

    def data(self, probs: AnyArray) -> bytes:
        """Give the bytes of a file: probabilities [H, W, K], 0-1."""
        buffer = io.BytesIO()
        if self._binary:
            np.save(buffer, probs, allow_pickle=False)
        else:
            levels = (probs * 255).astype(np.uint8)
            plane = levels[..., 0] if levels.shape[2] == 1 else levels
            Pillow.fromarray(np.ascontiguousarray(plane)).save(buffer, format="PNG")
        return buffer.getvalue()


def stem_of(sample_id: str) -> str:
    """Cut a file's name at its first dot; folders before it stay."""
    folder, slash, name = sample_id.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0] or name}"


def ansemblePredictions(
    sourceFolder: Path | str,
    folders: Sequence[Path | str],
    cb: Callable[[str, Floats, Any], object],
    data: Any,
    weights: Sequence[float] | None = None,
) -> None:
    """Average maps that `predict_to_directory(…, binaryArray=True)` has written.

    Args:
        sourceFolder: The images.
        folders: Where the maps are, of one experiment each.
        cb: Called with a file's name, the mean of its maps [H, W, classes] and `data`.
        data: Handed on.
        weights: How much each folder counts, from 0; all the same if not given.

    Raises:
        DataError: If a map is missing or of another shape, or weights and folders do not fit.
    """
    shares = np.ones(len(folders)) if weights is None else np.asarray(weights, np.float64)
    fits = shares.shape == (len(folders),) and (shares >= 0).all() and shares.sum() > 0
    if not fits:
        msg = f"weights: expected {len(folders)} numbers from 0, got {weights!r}"
        raise DataError(msg, slug="data/blend-weights")
    places = [as_path("folders", folder) for folder in folders]
    for name in list_files(as_path("sourceFolder", sourceFolder)).files:
        maps = [_read(place / f"{stem_of(name)}.npy") for place in places]
        shapes = sorted({one.shape for one in maps})
        if len(shapes) > 1:
            msg = f"{name}: expected maps of one shape in all folders, got {shapes}"
            raise DataError(msg, slug="data/map-files")
        mean = sum(one * share for one, share in zip(maps, shares, strict=True)) / shares.sum()
        cb(name, np.asarray(mean, np.float32), data)


def _read(path: Path) -> AnyArray:
    try:
        found: AnyArray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"{path}: expected a map that predict_to_directory has written, got {error}"
        hint = "predict_to_directory(…, binaryArray=True) writes them"
        raise DataError(msg, hint=hint, slug="data/map-files") from error
    return found.astype(np.float64)
