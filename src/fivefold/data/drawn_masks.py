"""Images in files whose masks are drawn from what is written of them: runs, or polygons."""

import zlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fivefold.core.masks import MaskKind
from fivefold.core.types import Floats, Image
from fivefold.data.decode import Decoded, Header
from fivefold.data.files import FileSource
from fivefold.data.mask_checks import wrong_size
from fivefold.data.mask_counts import CountedMasks
from fivefold.data.source import Fetched, Labels, Sample, joined_digest


class DrawnMasks(FileSource, CountedMasks):
    """Images in files; a subclass draws a mask when it is asked for.

    Of exclusive classes the first is the background: what nothing is drawn on.

    What classes it shows is told from what is written, without drawing it.
    """

    @abstractmethod
    def drawn(self, i: int, size: tuple[int, int]) -> Image:
        """Draw a sample's mask [h, w, P].

        Args:
            i: Which sample.
            size: Height and width of its image, upright.

        Raises:
            ImageProblem: If it cannot be drawn, or not at that size.
        """

    @abstractmethod
    def written(self, i: int) -> str:
        """Give all that a sample's mask is drawn from."""

    def sample(self, i: int) -> Sample:
        """Read and decode a file, and draw its mask."""
        image = self.image(i)
        mask = self.drawn(i, (image.shape[0], image.shape[1]))
        return Sample(self.sample_ids[i], image, self.target(i), mask)

    def mask(self, i: int) -> Image:
        """Draw a sample's mask, as large as its image [h, w, P]."""
        header = super().header(i)
        return self.drawn(i, (header.height, header.width))

    def fetch(self, i: int) -> Fetched:
        """Read a file once; the digest is of its bytes and of what the mask is drawn from."""
        fetched = super().fetch(i)
        digest = joined_digest(fetched.digest, repr(self.masks), self.written(i))

        def decode(at_least: tuple[int, int] | None) -> Decoded:
            found = fetched.decode(at_least)
            return replace(found, mask=self.drawn(i, (found.height, found.width)))

        return Fetched(digest, decode)

    def header(self, i: int) -> Header:
        """Read how a file begins."""
        found = super().header(i)
        return replace(found, stamp=self._marked(i, found.stamp))

    def stamp(self, i: int) -> str:
        """Tell a file's size and time, and a sum of what its mask is drawn from."""
        return self._marked(i, super().stamp(i))

    def is_positive(self, i: int) -> bool:
        """Say whether anything is drawn."""
        target = self.target(i)
        return target is not None and bool(target[1 if self.masks.exclusive else 0 :].any())

    def _marked(self, i: int, stamp: str) -> str:
        return f"{stamp}+{zlib.crc32(_bytes_of(self.written(i))):08x}" if stamp else ""


def kind_and_labels(
    names: Sequence[str], background: str | None
) -> tuple[MaskKind, tuple[Labels, ...]]:
    """Say how masks of some classes are written, and what targets mean.

    Args:
        names: Of what is drawn.
        background: What the first of exclusive classes is called; None where any number of classes
            may be true of a pixel.
    """
    known = tuple(names) if background is None else (background, *names)
    kind = MaskKind(len(known), exclusive=background is not None)
    return kind, (Labels("", known, exclusive=False),)


def with_background(targets: Floats, background: str | None) -> Floats:
    """Put the column of the background before those of what is drawn [N, C]: always true."""
    if background is None:
        return targets
    return np.concatenate([np.ones((len(targets), 1), dtype=np.float32), targets], axis=1)


def fitting(size: tuple[int, int], expected: tuple[int, int], where: str) -> None:
    """Make sure that an image has the size that its mask is written for.

    Args:
        size: Height and width of the image.
        expected: Those of the mask.
        where: What the message begins with.

    Raises:
        ImageProblem: If they differ.
    """
    if size != expected:
        raise wrong_size(expected, size, where)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
