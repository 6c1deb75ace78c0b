"""What became of each listed sample: millions of rows in columns, a row made when asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeAlias, overload

import numpy as np
from pydantic import Field

from fivefold.core.types import AnyArray, Indices
from fivefold.data.looks import LOOK, look_of_numbers, look_of_text
from fivefold.data.packed import JoinedTexts, Texts, packed, packed_beside, packed_digests, small
from fivefold.data.packed_numbers import packed_stamps

USED, QUARANTINED, EXCLUDED = "used", "quarantined", "excluded"

Side: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]
"""Of an image, in pixels."""

Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**62)]
"""Of pixels."""

LookText: TypeAlias = Annotated[str, Field(pattern=f"^(?:{LOOK})?$")]
"""What its file is and its pixels are; see `data.looks`."""

_BLOCK = 1024
"""How many rows are objects at a time."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What became of one listed sample.

    Attributes:
        sample_id: Its id.
        status: `used`, `quarantined` or `excluded`.
        reason: Why it is not used: an image's reason, `label_conflict`, or a listing's rule.
        detail: What exactly was met.
        stamp: "size:mtime_ns" of its file, or nothing.
        digest: SHA-256 of its content, in hex; empty where it could not be read.
        height: Height in pixels; 0 where it could not be decoded.
        width: Width in pixels.
        path: Where it lies, or nothing.
        look: What its file is and its pixels are; see `data.looks`. Nothing where it could not be
            decoded.
        counts: How many pixels of its mask show each class; none without masks, or where it could
            not be decoded.
    """

    sample_id: str
    status: str
    reason: str = ""
    detail: str = ""
    stamp: str = ""
    digest: str = ""
    height: Side = 0
    width: Side = 0
    path: str = ""
    look: LookText = ""
    counts: tuple[Count, ...] = ()


Verdict: TypeAlias = tuple[str, str, str]
"""Status, reason and detail of a row."""


@dataclass(frozen=True, eq=False)
class AuditRows(Sequence[AuditRow]):
    """N rows; equal to any tuple of the same.

    Attributes:
        ids: Of the samples [N].
        stamps: Of their files [N].
        digests: Of their contents [N].
        paths: Where they lie [N].
        sizes: Height and width [N, 2].
        looks: What they look like, as numbers [N, 4]; see `data.looks`.
        covered: How many pixels of its mask show each class [N, classes]; [N, 0] without masks.
        judged: For each row its place in `verdicts` [N].
        verdicts: What may become of a row.
    """

    ids: Texts
    stamps: Texts
    digests: Texts
    paths: Texts
    sizes: AnyArray
    looks: AnyArray
    covered: AnyArray
    judged: AnyArray
    verdicts: tuple[Verdict, ...]

    @classmethod
    def of(cls, rows: Iterable[AuditRow]) -> "AuditRows":
        """Pack rows, of which only some are there at a time."""
        gathered = GatheredRows()
        for row in rows:
            gathered.add(row)
        return gathered.done()

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, i: int) -> AuditRow: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[AuditRow, ...]: ...
    def __getitem__(self, i: int | slice) -> AuditRow | tuple[AuditRow, ...]:
        """Give a row, or some as a tuple."""
        if isinstance(i, slice):
            return tuple(self._at(k) for k in range(len(self))[i])
        return self._at(range(len(self))[i])

    def __iter__(self) -> Iterator[AuditRow]:
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | AuditRows):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _at(self, k: int) -> AuditRow:
        status, reason, detail = self.verdicts[self.judged.item(k)]
        height, width = self.sizes[k].tolist()
        return AuditRow(
            self.ids.at(k),
            status,
            reason,
            detail,
            self.stamps.at(k),
            self.digests.at(k),
            height,
            width,
            self.paths.at(k),
            str(look_of_numbers(*self.looks[k].tolist())),
            tuple(self.covered[k].tolist()) if height else (),
        )

    def with_status(self, status: str) -> Indices:
        """Find the rows of a status, ascending."""
        mask = np.asarray([verdict[0] == status for verdict in self.verdicts], dtype=bool)
        return np.flatnonzero(mask[self.judged])

    def counts(self) -> Mapping[Verdict, int]:
        """Count the rows of each verdict."""
        numbers = np.bincount(self.judged, minlength=len(self.verdicts)).tolist()
        return dict(zip(self.verdicts, numbers, strict=True))

    def judged_anew(self, verdicts: Iterable[tuple[Indices, Verdict]]) -> "AuditRows":
        """Replace the verdicts of some rows.

        Args:
            verdicts: Rows, each time with what becomes of them.
        """
        known, judged = list(self.verdicts), self.judged.astype(np.int64)
        for rows, verdict in verdicts:
            judged[rows] = len(known)
            known.append(verdict)
        return replace(self, judged=small(judged), verdicts=tuple(known))


@dataclass
class GatheredRows:
    """Rows that come one after the other, and are packed before there are many."""

    _waiting: list[AuditRow] = field(default_factory=list)
    _blocks: list[AuditRows] = field(default_factory=list)
    _places: dict[Verdict, int] = field(default_factory=dict)

    def add(self, row: AuditRow) -> None:
        """Take the next row."""
        self._waiting.append(row)
        if len(self._waiting) == _BLOCK:
            self._pack()

    def done(self) -> AuditRows:
        """Give all rows."""
        self._pack()
        blocks = self._blocks
        return AuditRows(
            ids=JoinedTexts([block.ids for block in blocks]),
            stamps=JoinedTexts([block.stamps for block in blocks]),
            digests=JoinedTexts([block.digests for block in blocks]),
            paths=JoinedTexts([block.paths for block in blocks]),
            sizes=np.concatenate([np.empty((0, 2), np.uint8), *(block.sizes for block in blocks)]),
            looks=np.concatenate([np.empty((0, 4), np.int16), *(block.looks for block in blocks)]),
            covered=_side_by_side([block.covered for block in blocks]),
            judged=np.concatenate([np.empty(0, np.uint8), *(block.judged for block in blocks)]),
            verdicts=tuple(self._places),
        )

    def _pack(self) -> None:
        rows, places = self._waiting, self._places
        if not rows:
            return
        judged = [
            places.setdefault((row.status, row.reason, row.detail), len(places)) for row in rows
        ]
        ids = packed(row.sample_id for row in rows)
        sizes = np.asarray([(row.height, row.width) for row in rows], dtype=np.int64)
        looks = [look_of_text(row.look).numbers for row in rows]
        block = AuditRows(
            ids=ids,
            stamps=packed_stamps(row.stamp for row in rows),
            digests=packed_digests([row.digest for row in rows]),
            paths=packed_beside((row.path for row in rows), ids),
            sizes=small(sizes),
            looks=np.asarray(looks, dtype=np.int16),
            covered=_filled([row.counts for row in rows]),
            judged=small(np.asarray(judged, dtype=np.int64)),
            verdicts=(),
        )
        self._blocks.append(block)
        self._waiting = []


def _filled(counts: Sequence[Sequence[int]]) -> AnyArray:
    """Write counts as rows of one length; those of what could not be decoded are 0."""
    length = max(map(len, counts))
    rows = [own if len(own) == length else [0] * length for own in counts]
    filled = np.asarray(rows, dtype=np.int64).reshape(len(rows), length)
    return small(filled) if length else filled


def _side_by_side(blocks: Sequence[AnyArray]) -> AnyArray:
    """Put counts one below the other; a block in which nothing could be decoded has none."""
    length = max((block.shape[1] for block in blocks), default=0)
    parts = [b if b.shape[1] else np.zeros((len(b), length), np.uint8) for b in blocks]
    return np.concatenate([np.empty((0, length), np.uint8), *parts])
