"""The table of usable samples that splits, batches and predictions refer to."""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.audit import Audit
from fivefold.data.packed import PackedDigests, PackedTexts
from fivefold.data.source import Labels, Source

_Texts = TypeVar(
    "_Texts", tuple[str, ...], tuple[str, ...] | PackedDigests, tuple[str, ...] | PackedTexts
)


@dataclass(frozen=True, eq=False)
class SampleTable:
    """What is known of N usable samples; a row number stands for a sample everywhere.

    Attributes:
        ids: Unique ids [N].
        indices: Their positions in the source [N].
        targets: One 0 or 1 for each class of all labels [N, C]; None without labels.
        labels: What the targets' columns mean.
        groups: Keys [N]; samples with the same key must stay in one fold.
        digests: SHA-256 of the contents [N], in hex.
        stamps: Cheap marks of the files [N], as they were when they were audited.
    """

    ids: tuple[str, ...]
    indices: Indices
    targets: Floats | None
    labels: tuple[Labels, ...]
    groups: tuple[str, ...]
    digests: tuple[str, ...] | PackedDigests
    stamps: tuple[str, ...] | PackedTexts = ()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all ids, contents and labels, whatever their order."""
        hasher = hashlib.sha256()
        for row in sorted(range(len(self)), key=self.ids.__getitem__):
            text = "\x1f".join((self.ids[row], self.digests[row], self.label_text(row)))
            hasher.update(text.encode("utf-8", "surrogateescape") + b"\x1e")
        return hasher.hexdigest()

    @cached_property
    def ranks(self) -> Indices:
        """Each row's place among all rows when they are sorted by their ids [N]."""
        order = np.asarray(sorted(range(len(self)), key=self.ids.__getitem__), dtype=np.int64)
        ranks = np.empty_like(order)
        ranks[order] = np.arange(len(order))
        return ranks

    def label_text(self, row: int) -> str:
        """Write a sample's true classes as text: "cat", "red|round", "cat;indoors"."""
        if self.targets is None:
            return ""
        parts, start = [], 0
        for labels in self.labels:
            true = self.targets[row, start : start + len(labels.class_names)] > 0
            names = [name for name, holds in zip(labels.class_names, true, strict=True) if holds]
            parts.append("|".join(names))
            start += len(labels.class_names)
        return ";".join(parts)

    def without_labels(self) -> "SampleTable":
        """Forget the truth, such as for predictions of unlabelled use."""
        return replace(self, targets=None, labels=())

    def take(self, rows: AnyArray | Sequence[int]) -> "SampleTable":
        """Keep some rows: by a mask [N], or by row numbers in the order given."""
        asked = np.asarray(rows)
        chosen = np.flatnonzero(asked) if asked.dtype == bool else asked.astype(np.int64)

        def some(values: _Texts) -> _Texts:
            return type(values)(values[row] for row in chosen) if values else values

        return replace(
            self,
            ids=some(self.ids),
            indices=self.indices[chosen],
            targets=None if self.targets is None else self.targets[chosen],
            groups=some(self.groups),
            digests=some(self.digests),
            stamps=some(self.stamps),
        )


def table_of(source: Source, audit: Audit) -> SampleTable:
    """Collect what an audit has found usable, in the source's order."""
    position = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    rows = [row for row in audit.rows if row.status == "used"]
    indices = np.asarray([position[row.sample_id] for row in rows], dtype=np.int64)
    targets = [source.target(i) for i in indices] if source.labels else []
    known = [target for target in targets if target is not None]
    return SampleTable(
        ids=tuple(source.sample_ids[i] for i in indices),
        indices=indices,
        targets=np.stack(known).astype(np.float32) if known else None,
        labels=source.labels,
        groups=_groups(source, indices, [row.digest for row in rows]),
        digests=PackedDigests(row.digest for row in rows),
        stamps=PackedTexts(row.stamp for row in rows),
    )


def _groups(source: Source, indices: Indices, digests: Sequence[str]) -> tuple[str, ...]:
    """Join samples that share the source's group or their content, named after the first id."""
    ids = [source.sample_ids[i] for i in indices]
    keys: list[Iterable[Hashable]] = [[("content", digest)] for digest in digests]
    if source.groups is not None:
        keys = [
            (("group", source.groups[i]), ("content", digest))
            for i, digest in zip(indices, digests, strict=True)
        ]
    return joined(ids, keys)


def joined(ids: Sequence[str], keys: Sequence[Iterable[Hashable]]) -> tuple[str, ...]:
    """Put ids that share a key, directly or through others, into one group.

    Args:
        ids: Unique ids [N].
        keys: What each of them holds [N].

    Returns:
        For each id the smallest id of its group [N].
    """
    parent = {sample_id: sample_id for sample_id in ids}

    def root_of(sample_id: str) -> str:
        while parent[sample_id] != sample_id:
            parent[sample_id] = parent[parent[sample_id]]
            sample_id = parent[sample_id]
        return sample_id

    holder: dict[Hashable, str] = {}
    for sample_id, own in zip(ids, keys, strict=True):
        for key in own:
            first, second = sorted((root_of(sample_id), root_of(holder.setdefault(key, sample_id))))
            parent[second] = first
    return tuple(root_of(sample_id) for sample_id in ids)
