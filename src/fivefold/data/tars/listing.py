"""Which samples tar files hold, and what their labels are."""

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.coco.targets import hot_rows
from fivefold.data.packed import GatheredTexts, PackedTexts, Texts, small
from fivefold.data.packed_numbers import PackedTargets, in_parts
from fivefold.data.source import Labels, in_class_order
from fivefold.data.tars.labels import LONGEST, BadLabelError, LabelReader, label_ending
from fivefold.data.tars.members import TarIndex

IMAGES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif")


@dataclass(frozen=True)
class Wanted:
    """What is looked for in each tar file.

    Attributes:
        image: The ending of the images; None for any of `IMAGES`.
        label: The ending of the members with labels, or a key of a JSON member; None to find one.
        separator: What stands between several classes in one text.
    """

    image: str | None = None
    label: str | None = None
    separator: str | None = None


@dataclass(frozen=True, eq=False)
class Listed:
    """The samples of all tar files [N].

    Attributes:
        ids: Their ids.
        shards: In which tar file each lies.
        starts: Where its image begins there, in bytes.
        sizes: How long its image is, in bytes.
        labels: What the targets' columns mean.
        targets: Truth [N, C]; None without labels.
        excluded: What was left out, each with the rule.
    """

    ids: Texts
    shards: AnyArray
    starts: AnyArray
    sizes: AnyArray
    labels: tuple[Labels, ...]
    targets: Floats | PackedTargets | None
    excluded: tuple[tuple[str, str], ...]


class Listing:
    """Gathers samples, one tar file after the other.

    Args:
        wanted: What is looked for.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._reader: LabelReader | None = None
        self._settled = False
        self._ids = GatheredTexts(PackedTexts)
        self._places, self._pairs = array("Q"), array("q")
        self._codes: dict[str, int] = {}
        self._excluded: list[tuple[str, str]] = []

    def add(self, number: int, name: str, path: Path, index: TarIndex) -> None:
        """Take a tar file's samples.

        Args:
            number: Of the tar file.
            name: What ids begin with.
            path: Where it lies.
            index: What it holds.

        Raises:
            DataError: If samples have several images, or labels that are none.
        """
        if index.damaged_at >= 0:
            self._excluded.append((f"{name} from byte {index.damaged_at} on", "damaged-shard"))
        images = self._images(path, index)
        without = np.setdiff1d(np.arange(len(index.keys)), images["sample"])
        self._excluded += [(f"{name}/{index.keys[k]}", "no-image") for k in without.tolist()]
        if not len(images):
            return
        self._settle(path, index)
        labels = _of_ending(index, self._reader.ending if self._reader else None)
        with path.open("rb") as file:
            for some in in_parts(len(images)):
                for sample, _, start, size in images[some.start : some.stop].tolist():
                    key = index.keys[sample]
                    rule = self._label(file, f"{path}: {key}", labels[sample])
                    if rule:
                        self._excluded.append((f"{name}/{key}", rule))
                        continue
                    self._ids.add(f"{name}/{key}")
                    self._places.extend((number, start, size))

    def _images(self, path: Path, index: TarIndex) -> AnyArray:
        asked = self.wanted.image
        fits = [
            k
            for k, ending in enumerate(index.endings)
            if (ending.rpartition(".")[2] in IMAGES if asked is None else ending == asked.lower())
        ]
        found = index.members[np.isin(index.members["ending"], fits)]
        again = np.flatnonzero(found["sample"][1:] == found["sample"][:-1])
        if len(again):
            first = int(again[0])
            endings = [index.endings[k] for k in found["ending"][first : first + 2].tolist()]
            key = index.keys[int(found["sample"][first])]
            msg = (
                f"{path}: {key!r}: expected one image for each sample, got {' and '.join(endings)}"
            )
            hint = f"say which ones are meant: `image_column: {endings[0]}`"
            raise DataError(msg, hint=hint, slug="data/bad-shard")
        return found

    def _settle(self, path: Path, index: TarIndex) -> None:
        """Find the labels in the first tar file that has images."""
        if self._settled:
            return
        self._settled, asked = True, self.wanted.label
        ending = label_ending(asked, index.endings)
        if ending is None and asked is not None:
            msg = f"{path}: expected members with labels that end in {asked!r}, got none"
            there = ", ".join(map(repr, index.endings[:8]))
            hint = did_you_mean(asked, index.endings, f"there are {there}")
            raise DataError(msg, hint=hint, slug="data/shard-labels")
        if ending is not None:
            key = asked if asked is not None and asked.lower() != ending else None
            self._reader = LabelReader(ending, key, self.wanted.separator)

    def _label(self, file: BinaryIO, where: str, place: AnyArray) -> str:
        """Read the labels of the next sample; gives the rule that leaves it out, or nothing."""
        if self._reader is None:
            return ""
        start, size = place.tolist()
        if size < 0:
            return "no-label"
        try:
            names = self._reader.names(_content(file, start, size), where)
        except BadLabelError:
            return "damaged-label"
        if names is None:
            return "no-label"
        row = len(self._places) // 3
        for name in names:
            self._pairs.extend((row, self._codes.setdefault(name, len(self._codes))))
        return ""

    def done(self) -> Listed:
        """Give all samples."""
        places = np.asarray(self._places, dtype=np.uint64).reshape(-1, 3).astype(np.int64)
        labels, targets = self._truth(len(places))
        shards, starts, sizes = (small(places[:, k]) for k in range(3))
        return Listed(
            self._ids.done(), shards, starts, sizes, labels, targets, tuple(self._excluded)
        )

    def _truth(self, count: int) -> tuple[tuple[Labels, ...], Floats | PackedTargets | None]:
        if self._reader is None or not count:
            return (), None
        names = in_class_order(self._codes)
        place = {name: k for k, name in enumerate(names)}
        column = np.asarray([place[name] for name in self._codes], dtype=np.int64)
        pairs: Indices = np.asarray(self._pairs, dtype=np.int64).reshape(-1, 2)
        targets = hot_rows(pairs[:, 0], column[pairs[:, 1]], count, len(names))
        return (Labels("", names, exclusive=not self._reader.several),), targets


def _of_ending(index: TarIndex, ending: str | None) -> AnyArray:
    """Find where each sample's member of an ending begins, and its size [N, 2]; -1 for none."""
    places = np.tile(np.asarray([0, -1], dtype=np.int64), (len(index.keys), 1))
    if ending in index.endings:
        found = index.members[index.members["ending"] == index.endings.index(ending)]
        places[found["sample"], 0] = found["start"]
        places[found["sample"], 1] = found["size"]
    return places


def _content(file: BinaryIO, start: int, size: int) -> bytes:
    """Read a member with a label.

    Raises:
        BadLabelError: If it is cut off, or too long to be a label.
    """
    if size > LONGEST:
        msg = f"{size:,} bytes"
        raise BadLabelError(msg)
    file.seek(start)
    content = file.read(size)
    if len(content) < size:
        msg = "cut off"
        raise BadLabelError(msg)
    return content
