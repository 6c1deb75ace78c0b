"""Marks of files and truths of samples in little memory: numbers instead of texts and floats."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from fivefold.core.types import AnyArray, Floats
from fivefold.data.packed import PackedTexts, Texts, small

_STAMP = re.compile(r"(0|[1-9][0-9]{0,17}):(0|[1-9][0-9]{0,17}|[1-8][0-9]{18})", re.ASCII)
"""As `Source.stamp` writes it, and small enough for 64 bits."""
_PART = 4096


class PackedStamps(Texts):
    """Marks of files such as "4711:1718000000123456789": sizes and times.

    Args:
        pairs: Size and time of each [N, 2].
    """

    def __init__(self, pairs: AnyArray) -> None:
        self._sizes = small(pairs[:, 0])
        # Times are near each other, and far from 0.
        self._since = int(pairs[:, 1].min())
        self._times = small(pairs[:, 1] - self._since)

    def __len__(self) -> int:
        return len(self._sizes)

    def at(self, k: int) -> str:
        """Give the mark at a place from 0 to the last."""
        return f"{self._sizes.item(k)}:{self._times.item(k) + self._since}"

    def __iter__(self) -> Iterator[str]:
        since = self._since
        for places in in_parts(len(self)):
            own = slice(places.start, places.stop)
            for size, time in zip(
                self._sizes[own].tolist(), self._times[own].tolist(), strict=True
            ):
                yield f"{size}:{time + since}"


def packed_stamps(stamps: Iterable[str]) -> Texts:
    """Pack marks of files: as numbers if all of them are such, else as texts."""
    numbers, left = array("q"), iter(stamps)
    for stamp in left:
        match = _STAMP.fullmatch(stamp)
        if match is None:
            return PackedTexts(
                chain(map("{}:{}".format, numbers[::2], numbers[1::2]), [stamp], left)
            )
        numbers.extend((int(match[1]), int(match[2])))
    if not numbers:
        return PackedTexts(())
    return PackedStamps(np.asarray(numbers, dtype=np.int64).reshape(-1, 2))


class PackedTargets:
    """Truths of 0 or 1 in one bit each; rows of them are made float32 when they are asked for.

    Args:
        bits: Eight classes a byte [N, ceil(C / 8)].
        num_classes: C.
    """

    def __init__(self, bits: AnyArray, num_classes: int) -> None:
        self._bits = bits
        self.shape = len(bits), num_classes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Floats:
        """Give what an array of float32 [N, C] would give, as a copy."""
        rows, *columns = key if isinstance(key, tuple) else (key,)
        bits = np.unpackbits(self._bits[rows], axis=-1, count=self.shape[1])
        values = bits.astype(np.float32)
        return values[..., columns[0]] if columns else values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:  # noqa: FBT001  NumPy's protocol
        """Give all of them [N, C]."""
        if copy is False:
            msg = "packed targets cannot be given without a copy"
            raise ValueError(msg)
        return self[:].astype(dtype or np.float32, copy=False)

    def take(self, rows: AnyArray) -> "PackedTargets":
        """Keep some rows."""
        return PackedTargets(self._bits[rows], self.shape[1])

    @staticmethod
    def joined(parts: Sequence["PackedTargets"]) -> "PackedTargets":
        """Put parts one after the other, at least one."""
        bits = np.concatenate([part._bits for part in parts])
        return PackedTargets(bits, parts[0].shape[1])

    def tobytes(self) -> bytes:
        """Give the bytes that an array of float32 [N, C] would give."""
        return self[:].tobytes()


def packed_targets(targets: Floats | PackedTargets) -> Floats | PackedTargets:
    """Pack truths [N, C] if each is exactly 0 or 1; give others as they are."""
    if isinstance(targets, PackedTargets):
        return targets
    if targets.ndim != 2 or targets.dtype != np.float32 or not targets.size:
        return targets
    packed = PackedTargets(np.packbits(targets == 1, axis=1), targets.shape[1])
    same = np.array_equal(packed[:].view(np.uint32), np.ascontiguousarray(targets).view(np.uint32))
    return packed if same else targets


def targets_in_parts(
    count: int, rows: Callable[[range], AnyArray | Sequence[AnyArray]]
) -> Floats | PackedTargets:
    """Pack truths that are never all unpacked at once.

    Args:
        count: N, at least 1.
        rows: Gives the truths [n, C] of some of the N places.
    """
    parts = [
        packed_targets(np.asarray(rows(places), dtype=np.float32)) for places in in_parts(count)
    ]
    packed = [part for part in parts if isinstance(part, PackedTargets)]
    if len(packed) == len(parts):
        return PackedTargets.joined(packed)
    return np.concatenate([part[:] for part in parts])


def in_parts(count: int, size: int = _PART) -> Iterator[range]:
    """Divide the places from 0 to the last into ranges that are worked on one after the other."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
