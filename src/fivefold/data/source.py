"""The waist that all data goes through: samples with ids, labels and groups."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from fivefold.core.catalog import Catalog
from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind, counts_of
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.channels import AT_START
from fivefold.data.decode import Decoded, Header
from fivefold.data.forked import Trust


@dataclass(frozen=True)
class Labels:
    """One question that the labels answer; its columns lie side by side in the targets.

    Attributes:
        name: Empty for the only one; else such as the name of a table's column.
        class_names: Its classes in the order of the columns.
        exclusive: Whether exactly one class is true for every sample.
    """

    name: str
    class_names: tuple[str, ...]
    exclusive: bool


@dataclass(frozen=True, eq=False)
class Sample:
    """One image and what is known about it.

    Attributes:
        sample_id: Unique in its source.
        image: Pixels [H, W, C], RGB where C is 3.
        target: One 0 or 1 for each class of all labels [C]; None when it is not known.
        mask: What each pixel shows [H, W, P], as `core.masks` has it; None where there are none.
    """

    sample_id: str
    image: Image
    target: Floats | None = None
    mask: Image | None = None


@dataclass(frozen=True, eq=False)
class Fetched:
    """A sample's content, read but not yet decoded.

    Attributes:
        digest: SHA-256 of it, in hex; of a mask too, and of how it is read, where there is one.
        decode: Makes pixels of it; takes a height and width that are enough, or None for all, and
            raises `ImageProblem` if its image cannot be used.
    """

    digest: str
    decode: Callable[[tuple[int, int] | None], Decoded]


class Source(ABC):
    """Samples that can be read in any order, from several threads at once.

    Attributes:
        sample_ids: Unique and stable, such as paths relative to the root with forward slashes.
        labels: What the targets' columns mean; empty when there are no labels.
        masks: How the masks are written; None where there are none. The one entry of `labels` then
            names their classes and is not exclusive, and a target says which of them occur.
        groups: For each sample a key; samples with the same key must stay in one fold.
        weights: How much each sample counts in training [N], at least 0; None: all the same.
        excluded: Ids that were listed but left out, each with the rule that did it.
        warnings: What a user should know about the listing.
        notes: What was found by looking at the data, where nobody has said it.
        one_at_a_time: Whether samples are read one after the other however many threads ask, so
            that only processes make it faster.
        fold_lists: Folds of the data's own: positions to train on and to validate on, of each.
        fold_numbers: Likewise, as the fold of each sample, HOLDOUT or TRAIN_ONLY [N].
        folds_where: Who says the folds, for messages.
        held_out: Positions of the data's own holdout.
        train_only: Positions of samples that every fold is trained on and none is validated on.
    """

    sample_ids: Sequence[str] = ()
    labels: tuple[Labels, ...] = ()
    masks: MaskKind | None = None
    groups: Sequence[str] | None = None
    weights: AnyArray | None = None
    excluded: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    one_at_a_time: bool = False
    fold_lists: Sequence[tuple[Sequence[int], Sequence[int]]] | None = None
    fold_numbers: AnyArray | None = None
    folds_where: str = "folds or holdout of the data set"
    held_out: Sequence[int] | None = None
    train_only: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.sample_ids)

    def show_alpha(self, wanted: bool) -> None:  # noqa: B027, FBT001  there may be no files
        """Say whether images with opacities get a fourth channel, or are laid on white.

        Args:
            wanted: Four channels, as a network of that many sees them.
        """

    @property
    def trust(self) -> Trust:
        """Whether it may be read in forks: one object for as long as the source is there."""
        # An object that came from Python may own whatever was open before.
        usual = Trust(() if self.one_at_a_time else AT_START)
        return cast("Trust", vars(self).setdefault("_trust", usual))

    @abstractmethod
    def sample(self, i: int) -> Sample:
        """Read a sample.

        Raises:
            ImageProblem: If its image cannot be used.
        """

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:  # noqa: ARG002  only files can use it
        """Read a sample's pixels.

        Args:
            i: Which sample.
            at_least: Height and width that are enough, so that a large JPEG is decoded smaller.
        """
        return self.sample(i).image

    def mask(self, i: int) -> Image:
        """Read a sample's mask [h, w, P] at the size of its whole image.

        Raises:
            ImageProblem: If it cannot be used.
            DataError: If the data set has no masks.
        """
        mask = self.sample(i).mask
        if mask is None:
            msg = f"{self.name_of(i)}: expected a mask, got a data set that has none"
            raise DataError(msg, hint="this is a defect of fivefold; please report it")
        return mask

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask [C]; reads it unless they are known."""
        if self.masks is None:
            return np.zeros(0, dtype=np.int64)
        return counts_of(self.mask(i), self.masks)

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:  # noqa: B027  few remember them
        """Hear what `counts` would give, from who has read the mask; wrappers pass it on.

        Args:
            i: Which sample.
            counts: Of its mask [C].
        """

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C] without reading its image."""
        return self.sample(i).target

    def targets(self, positions: Sequence[int]) -> Floats:
        """Tell the truths [n, C] of some samples, at least one, all of which have one."""
        return np.stack([np.asarray(self.target(i), dtype=np.float32) for i in positions])

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for; here, whether any class is true."""
        target = self.target(i)
        return target is not None and bool(target.any())

    def fetch(self, i: int) -> Fetched:
        """Read a sample's content once, to be known by its digest and decoded if need be.

        Raises:
            ImageProblem: If it cannot be read.
        """
        sample = self.sample(i)
        height, width = sample.image.shape[:2]
        decoded = Decoded(sample.image, height, width, mask=sample.mask)
        return Fetched(digest_of(sample, self.masks), lambda _: decoded)

    def header(self, i: int) -> Header | None:  # noqa: ARG002  the protocol's names
        """Read how a sample's file begins; None where a sample is not one image file.

        Raises:
            ImageProblem: If that tells that it cannot be used.
        """
        return None

    def stamp(self, i: int) -> str:  # noqa: ARG002  the protocol's names
        """Tell cheaply whether a sample may have changed: "size:mtime_ns", or nothing."""
        return ""

    def path(self, i: int) -> str:  # noqa: ARG002  the protocol's names
        """Tell where a sample lies, or nothing."""
        return ""

    def name_of(self, i: int) -> str:
        """Name a sample for a message: its id, and where it lies."""
        sample_id, path = self.sample_ids[i], self.path(i)
        return f"{sample_id} ({path})" if path else sample_id


sources: Catalog[Source] = Catalog("source")
"""Sources by the name that a config's `dataset` section uses."""


def pixel_digest(image: Image) -> str:
    """Compute the SHA-256 of pixels and their shape, in hex."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def digest_of(sample: Sample, masks: MaskKind | None) -> str:
    """Compute the SHA-256 of a sample's pixels and mask, in hex."""
    digest = pixel_digest(sample.image)
    if masks is None or sample.mask is None:
        return digest
    return joined_digest(digest, pixel_digest(sample.mask), repr(masks))


def joined_digest(*parts: str) -> str:
    """Compute the SHA-256 of several digests or texts, in hex."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def in_class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort class names: by value where all of them are whole numbers, else as text."""
    unique = set(names)
    if all(name.isascii() and name.isdigit() for name in unique):
        return tuple(sorted(unique, key=lambda name: (int(name), name)))
    return tuple(sorted(unique))
