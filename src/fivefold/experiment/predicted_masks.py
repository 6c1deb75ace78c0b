"""From probabilities of pixels to masks: of one image, and of many."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from fivefold.core.masks import MaskKind, counts_of
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Floats, Head, Image, Indices
from fivefold.data import Source
from fivefold.engine.whole_maps import WholeMap
from fivefold.evaluation.mask_answers import said_of, without_small_parts
from fivefold.experiment.mask_inference import MaskEnsemble
from fivefold.experiment.mask_rules import MaskRule

logger = logging.getLogger(__name__)

_FINE = 65535
"""Steps of a probability that is kept until small parts are gone."""

_PART = 1 << 20
_MUCH = 1.5  # times the side

SeeRows = Callable[[Floats], object]
"""Is shown rows of probabilities [n, W, K], from top to bottom, while a mask is made of them."""


@dataclass(frozen=True, eq=False)
class Mask:
    """Which pixels of an image show what.

    Attributes:
        pixels: As `core.masks` writes it, uint8 [H, W, P].
        kind: How that is.
        counts: How many pixels show each class [K].
        sureness: The mean probability of a class over the pixels that show it, 0-1 [K]; NaN where
            there is none.
    """

    pixels: Image
    kind: MaskKind
    counts: Indices
    sureness: AnyArray

    def plane(self, k: int) -> AnyArray:
        """Say of each pixel whether it shows a class, true or false [H, W]."""
        found: AnyArray = (
            self.pixels[..., 0] == k if self.kind.exclusive else self.pixels[..., k] > 0
        )
        return found


class PredictedMask:
    """An image with what the models say of its pixels; everything is made when it is asked for.

    Args:
        sample_id: Of the image.
        image: What the network saw [H, W, C], 0-255; of tiles the whole image.
        probs: The probabilities.
        head: What the classes are.
        rule: What makes a mask of them.
        read: Reads the image again, at its own size; None: `image` has that.

    Attributes:
        sample_id: The same.
        image: The same.
        probs: The same.
        head: The same.
    """

    def __init__(
        self,
        sample_id: str,
        image: Image,
        probs: WholeMap,
        head: Head,
        rule: MaskRule,
        read: Callable[[], Image] | None = None,
    ) -> None:
        self.sample_id, self.image, self.probs, self.head = sample_id, image, probs, head
        self._rule, self._read = rule, read

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.probs.size

    def original(self) -> Image:
        """Give the image at its own size [H, W, C]: read again, or, in tiles, as it is there."""
        return self.image if self._read is None else self._read()

    @property
    def arr(self) -> Floats:
        """The probabilities at the image's own size [H, W, K], 0-1."""
        return self.probs.arr

    @cached_property
    def decided(self) -> Mask:
        """The mask, with its numbers."""
        return self.decide()

    @property
    def mask(self) -> Image:
        """The mask at the image's own size, uint8 [H, W, P]; see `core.masks.MaskKind`."""
        return self.decided.pixels

    def decide(self, see: SeeRows | None = None) -> Mask:
        """Make the mask in one pass over the probabilities.

        Args:
            see: Is shown them on the way.
        """
        kind, rule = MaskKind.of_head(self.head), self._rule
        pixels = np.empty((*self.size, kind.planes), dtype=np.uint8)
        # What too small parts become is known only in the end; a pixel that becomes the first of
        # exclusive classes has that one's probability.
        planes = 2 if kind.exclusive else kind.planes
        kept = np.empty((*self.size, planes), dtype=np.uint16) if any(rule.areas) else None
        sums, top = np.zeros(kind.num_classes), 0
        for probs in self.probs.strips():
            rows = slice(top, top + len(probs))
            said = pixels[rows] = said_of(probs, self.head, rule.thresholds)
            own = probs.max(axis=-1, keepdims=True) if kind.exclusive else probs
            if kept is None:
                sums += _sums(said, own, kind)
            else:
                both = np.concatenate([own, probs[..., :1]], axis=2) if kind.exclusive else own
                kept[rows] = np.rint(both * _FINE)
            if see:
                see(probs)
            top = rows.stop
        if kept is not None:
            scale = rule.scale(self.size)
            pixels = without_small_parts(pixels, self.head, rule.areas, scale=scale)
            if kind.exclusive:
                np.copyto(kept[..., :1], kept[..., 1:], where=pixels == 0)
            sums = _sums(pixels, kept[..., : kind.planes], kind) / _FINE
        counts = counts_of(pixels, kind)
        with np.errstate(invalid="ignore"):
            return Mask(pixels, kind, counts, sums / counts)


class PredictedMasks:
    """The masks of a data set; each pass over them predicts anew, image by image.

    Args:
        ensemble: The models.
        source: The images.
        rule: What makes masks of probabilities.
        progress: Who watches.
        largest: Height and width of the largest image that was trained on; None if nobody knows.

    Attributes:
        head: What the classes are.
    """

    def __init__(
        self,
        ensemble: MaskEnsemble,
        source: Source,
        rule: MaskRule,
        progress: Progress,
        largest: tuple[int, int] | None = None,
    ) -> None:
        self._ensemble, self._source, self._rule = ensemble, source, rule
        self._progress, self._largest = progress, largest
        self.head = ensemble.head

    @property
    def ids(self) -> Sequence[str]:
        """The ids of all images, those that turn out to be unreadable among them."""
        return self._source.sample_ids

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of probabilities and planes."""
        return self.head.class_names

    @property
    def told(self) -> str:
        """What masks are made by, in one line."""
        return self._rule.told(self.head)

    @property
    def tiles_told(self) -> str:
        """How large tiles are, in one line; empty without tiles."""
        ensemble = self._ensemble
        if ensemble.tile is None:
            return ""
        (height, width), seen = ensemble.tile, ensemble.spec.shape[:2]
        resized = "" if (height, width) == seen else f", resized to {seen[0]} x {seen[1]}"
        return f"{height} x {width} pixels each{resized}"

    @property
    def kind(self) -> MaskKind:
        """How masks are written."""
        return MaskKind.of_head(self.head)

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[PredictedMask]:
        known = self._largest if self._ensemble.tiles is None else None
        with closing(self._ensemble.maps(self._source, self._progress)) as found:
            for one in found:
                sample_id = self.ids[one.position]
                if known and _is_much_larger(one.probs.size, known):
                    _tell_larger(sample_id, one.probs.size, known)
                    known = None
                whole = self._ensemble.tiles is not None
                read = None if whole else partial(self._source.image, one.position)
                yield PredictedMask(sample_id, one.image, one.probs, self.head, self._rule, read)
                del one  # its pixels, before the next image is read


def _is_much_larger(size: tuple[int, int], known: tuple[int, int]) -> bool:
    return size[0] * size[1] > _MUCH**2 * known[0] * known[1]


def _tell_larger(sample_id: str, size: tuple[int, int], known: tuple[int, int]) -> None:
    logger.warning(
        "%s has %d x %d pixels, the largest image trained on %d x %d: resized, it shows things "
        "smaller than they were learnt; in tiles (--tiles, tiles=True) they keep that size",
        sample_id,
        *size,
        *known,
    )


def _sums(said: Image, own: AnyArray, kind: MaskKind) -> AnyArray:
    """Add up the probabilities of the pixels that show each class [K], some rows at a time."""
    total, step = np.zeros(kind.num_classes), max(1, _PART // said.shape[1])
    for top in range(0, len(said), step):
        shown, probs = said[top : top + step], own[top : top + step]
        if kind.exclusive:
            total += np.bincount(shown.ravel(), probs.ravel(), kind.num_classes)
        else:
            total += probs.sum(axis=(0, 1), where=shown > 0, dtype=np.float64)
    return total
