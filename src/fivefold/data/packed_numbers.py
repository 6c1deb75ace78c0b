"""Marks of files and truths of samples in little memory: numbers instead of texts and floats."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from fivefold.core.types import AnyArray, Floats
from fivefold.data.packed import PackedTexts, Texts, small

_STAMP = re.compile(r"(0|[1-9][0-9]{0,17}):(0|[1-9][0-9]{0,17}|[1-8][0-9]{18})", re.ASCII)
"""As `Source.stamp` writes it, and small enough for 64 bits."""


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


def packed_stamps(stamps: Iterable[str]) -> Texts:
    """Pack marks of files: as numbers if all of them are such, else as texts."""
    known = list(stamps)
    found = [_STAMP.fullmatch(stamp) for stamp in known]
    if not known or not all(found):
        return PackedTexts(known)
    pairs = [[int(match[1]), int(match[2])] for match in found if match]
    return PackedStamps(np.asarray(pairs, dtype=np.int64))


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

    def tobytes(self) -> bytes:
        """Give the bytes that an array of float32 [N, C] would give."""
        return self[:].tobytes()


def packed_targets(targets: Floats) -> Floats | PackedTargets:
    """Pack truths [N, C] if each is exactly 0 or 1; give others as they are."""
    if targets.ndim != 2 or targets.dtype != np.float32 or not targets.size:
        return targets
    packed = PackedTargets(np.packbits(targets == 1, axis=1), targets.shape[1])
    same = np.array_equal(packed[:].view(np.uint32), np.ascontiguousarray(targets).view(np.uint32))
    return packed if same else targets
