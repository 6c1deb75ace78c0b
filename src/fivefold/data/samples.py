"""The table of usable samples that splits, batches and predictions refer to."""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.audit import Audit
from fivefold.data.packed import PackedDigests, Texts, chosen, packed, small
from fivefold.data.packed_numbers import PackedTargets, packed_stamps, packed_targets
from fivefold.data.source import Labels, Source


@dataclass(frozen=True, eq=False)
class SampleTable:
    """What is known of N usable samples; a row number stands for a sample everywhere.

    There may be millions, and every process reads them: what `table_of` puts here is packed.

    Attributes:
        ids: Unique ids [N].
        indices: Their positions in the source [N].
        targets: One 0 or 1 for each class of all labels [N, C]; None without labels.
        labels: What the targets' columns mean.
        groups: Keys [N]; samples with the same key must stay in one fold.
        digests: SHA-256 of the contents [N], in hex.
        stamps: Cheap marks of the files [N], as they were when they were audited.
    """

    ids: Sequence[str]
    indices: AnyArray
    targets: Floats | PackedTargets | None
    labels: tuple[Labels, ...]
    groups: Sequence[str]
    digests: Sequence[str]
    stamps: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all ids, contents and labels, whatever their order."""
        hasher = hashlib.sha256()
        for row in range(len(self)) if self.order is None else self.order.tolist():
            text = "\x1f".join((self.ids[row], self.digests[row], self.label_text(row)))
            hasher.update(text.encode("utf-8", "surrogateescape") + b"\x1e")
        return hasher.hexdigest()

    @cached_property
    def order(self) -> AnyArray | None:
        """The rows sorted by their ids [N]; None if they are."""
        ids = list(self.ids)
        if all(a < b for a, b in pairwise(ids)):
            return None
        return small(np.asarray(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64))

    @cached_property
    def sorted_ids(self) -> Sequence[str]:
        """All ids, sorted [N]."""
        return self.ids if self.order is None else chosen(self.ids, self.order)

    @property
    def ranks(self) -> Indices:
        """Each row's place among all rows when they are sorted by their ids [N]."""
        ranks = np.arange(len(self))
        if self.order is not None:
            ranks[self.order] = np.arange(len(self))
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
        wanted = np.flatnonzero(asked) if asked.dtype == bool else asked.astype(np.int64)
        targets = self.targets
        if targets is not None:
            targets = (
                targets.take(wanted) if isinstance(targets, PackedTargets) else targets[wanted]
            )
        return replace(
            self,
            ids=chosen(self.ids, wanted),
            indices=self.indices[wanted],
            targets=targets,
            groups=chosen(self.groups, wanted) if self.groups else self.groups,
            digests=chosen(self.digests, wanted) if self.digests else self.digests,
            stamps=chosen(self.stamps, wanted) if self.stamps else self.stamps,
        )


def table_of(source: Source, audit: Audit) -> SampleTable:
    """Collect what an audit has found usable, in the source's order."""
    position = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    rows = [row for row in audit.rows if row.status == "used"]
    indices = np.asarray([position[row.sample_id] for row in rows], dtype=np.int64)
    targets = [source.target(i) for i in indices] if source.labels else []
    known = [target for target in targets if target is not None]
    ids = packed(chosen(source.sample_ids, indices))
    return SampleTable(
        ids=ids,
        indices=small(indices),
        targets=packed_targets(np.stack(known).astype(np.float32)) if known else None,
        labels=source.labels,
        groups=_groups(source, ids, indices, [row.digest for row in rows]),
        digests=PackedDigests(row.digest for row in rows),
        stamps=packed_stamps(row.stamp for row in rows),
    )


def _groups(source: Source, ids: Texts, indices: Indices, digests: Sequence[str]) -> Sequence[str]:
    """Join samples that share the source's group or their content, named after the first id."""
    names = list(ids)
    keys: list[Iterable[Hashable]] = [[("content", digest)] for digest in digests]
    if source.groups is not None:
        keys = [
            (("group", source.groups[i]), ("content", digest))
            for i, digest in zip(indices, digests, strict=True)
        ]
    row_of = {name: row for row, name in enumerate(names)}
    return chosen(ids, np.asarray([row_of[name] for name in joined(names, keys)], dtype=np.int64))


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
