"""A folder of images and a folder of masks with the same names."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from fivefold.core.progress import Progress, Silent
from fivefold.core.types import Floats, Image
from fivefold.data.decode import Decoded, Header, opened_image, read_bytes, stamp_of, turn_of
from fivefold.data.files import FileSource
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.mask_checks import wrong_size
from fivefold.data.mask_counts import CountedMasks
from fivefold.data.mask_looks import AskedClasses, find_reading
from fivefold.data.mask_pairs import find_pairs
from fivefold.data.mask_values import values_of
from fivefold.data.name_twins import told_twins
from fivefold.data.packed import packed
from fivefold.data.source import Fetched, Labels, Sample, joined_digest, sources

_ANY = AskedClasses()


class MaskFiles(CountedMasks, FileSource):
    """Images in files, and masks in files of one folder.

    Args:
        ids: Unique ids.
        images: The file of each image.
        folder: Where the masks are.
        names: The path of each mask below it.
        asked: What is known of the classes; else it is found by looking at the masks.
        progress: Who watches them being looked at.

    Attributes:
        reading: What the values of masks mean.
    """

    def __init__(
        self,
        ids: Sequence[str],
        images: Iterable[Path],
        folder: Path,
        names: Sequence[str],
        asked: AskedClasses = _ANY,
        progress: Progress | None = None,
    ) -> None:
        paths = [folder / name for name in names]
        self.reading, note = find_reading(paths, asked, folder, progress or Silent())
        labels = (Labels("", self.reading.class_names, exclusive=False),)
        super().__init__(ids, images, labels)
        self.masks = self.reading.kind
        self._mask_folder = str(folder)
        self._mask_names = packed(names)
        self._mark = zlib.crc32(repr(self.reading).encode("utf-8", "surrogatepass"))
        self.notes = (note,) if note else ()

    def mask_path(self, i: int) -> Path:
        """Tell where a sample's mask lies."""
        return Path(self._mask_folder, self._mask_names[i])

    def sample(self, i: int) -> Sample:
        """Read and decode an image and its mask."""
        decoded = self.fetch(i).decode(None)
        return Sample(self.sample_ids[i], decoded.image, self.target(i), decoded.mask)

    def target(self, i: int) -> Floats | None:
        """Tell which classes a sample's mask shows [C]."""
        return CountedMasks.target(self, i)

    def mask(self, i: int) -> Image:
        """Read a mask [h, w, P], turned as its image is."""
        with _about(self.mask_path(i)):
            data = read_bytes(self.mask_path(i), limits=self._limits)
        header = super().header(i)
        return self._fitting(i, data, (header.height, header.width))

    def fetch(self, i: int) -> Fetched:
        """Read an image and its mask once; the digest is of both, and of how masks are read."""
        fetched = super().fetch(i)
        with _about(self.mask_path(i)):
            data = read_bytes(self.mask_path(i), limits=self._limits)
        mask_digest = hashlib.sha256(data).hexdigest()
        digest = joined_digest(fetched.digest, mask_digest, repr(self.reading))

        def decode(at_least: tuple[int, int] | None) -> Decoded:
            found = fetched.decode(at_least)
            return replace(found, mask=self._fitting(i, data, (found.height, found.width)))

        return Fetched(digest, decode)

    def header(self, i: int) -> Header:
        """Read how an image begins."""
        found = super().header(i)
        return replace(found, stamp=self._marked(i, found.stamp))

    def stamp(self, i: int) -> str:
        """Tell size and time of an image and of its mask, and how masks are read."""
        return self._marked(i, super().stamp(i))

    def _marked(self, i: int, stamp: str) -> str:
        try:
            own = stamp_of(self.mask_path(i).stat())
        except (OSError, ValueError):
            return ""
        return f"{stamp}+{own}+{self._mark:08x}" if stamp else ""

    def _fitting(self, i: int, data: bytes, size: tuple[int, int]) -> Image:
        """Decode a mask [h, w, P] for an image of a height and width.

        Raises:
            ImageProblem: If it cannot be decoded, has another size or says nothing that is known.
        """
        with _about(self.mask_path(i)):
            with opened_image(data, limits=self._limits) as (image, turn):
                upright = image if turn is None else image.transpose(turn)
                values = values_of(upright, colours=bool(self.reading.colours))
            if values.shape[:2] != size and values.shape[:2] == size[::-1]:
                values = self._turned(i, values)
            if values.shape[:2] != size:
                raise wrong_size(values.shape[:2], size)
            return self.reading.mask(values)

    def _turned(self, i: int, values: Image) -> Image:
        """Turn a mask as its image is turned, which was drawn before that."""
        turn = turn_of(read_bytes(Path(self.path(i)), limits=self._limits), limits=self._limits)
        return values if turn is None else np.array(Pillow.fromarray(values).transpose(turn))


@sources.add(name="masks")
class MaskFolderSource(MaskFiles):
    """Images, and masks of the same names.

    Args:
        images: The folder of the images.
        masks: The folder of the masks; see `find_pairs`.
        asked: What is known of the classes; else it is found by looking at the masks.
        progress: Who watches them being looked at.
    """

    def __init__(
        self,
        images: Path,
        masks: Path,
        asked: AskedClasses = _ANY,
        progress: Progress | None = None,
    ) -> None:
        pairs = find_pairs(images, masks)
        paths = (images / name for name in pairs.images)
        super().__init__(pairs.images, paths, masks, pairs.masks, asked, progress)
        self.excluded = pairs.excluded
        self.warnings = (*pairs.warnings, *told_twins(pairs.images))


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Say of a problem that it is one of a mask."""
    try:
        yield
    except ImageProblem as problem:
        reason, detail = problem.reason, problem.detail
        if not reason.startswith("mask_"):
            reason, detail = Reason.MASK_UNREADABLE, f"{reason}: {detail}"
        raise ImageProblem(reason, f"its mask {path}: {detail}") from problem
