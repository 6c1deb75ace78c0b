"""The table of usable samples that splits, batches and predictions refer to."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, repeat

import numpy as np

from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.audit_rows import USED, AuditRows
from fivefold.data.audited import Audit
from fivefold.data.packed import PackedDigests, Texts, chosen, packed, small
from fivefold.data.packed_numbers import PackedTargets, in_parts, packed_stamps, targets_in_parts
from fivefold.data.source import Labels, Source
from fivefold.data.text_order import first_alike, joined, order_of


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
        weights: How much each counts in training [N]; None: all the same.
        masks: How the samples' masks are written; None without masks.
        areas: Which share of its pixels shows each class [N, C], 0-1; None without masks, or where
            nobody has counted them.
    """

    ids: Sequence[str]
    indices: AnyArray
    targets: Floats | PackedTargets | None
    labels: tuple[Labels, ...]
    groups: Sequence[str]
    digests: Sequence[str]
    stamps: Sequence[str] = ()
    weights: Floats | None = None
    masks: MaskKind | None = None
    areas: Floats | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all ids, contents, labels and weights, whatever their order."""
        hasher = hashlib.sha256()
        for mark in self.marks():
            hasher.update("\x1f".join(mark).encode("utf-8", "surrogateescape") + b"\x1e")
        if self.weights is not None:
            weights = self.weights if self.order is None else self.weights[self.order]
            hasher.update(weights.tobytes())
        return hasher.hexdigest()

    @cached_property
    def order(self) -> AnyArray | None:
        """The rows sorted by their ids [N]; None if they are."""
        return order_of(self.ids)

    @cached_property
    def sorted_ids(self) -> Sequence[str]:
        """All ids, sorted [N]."""
        return self.ids if self.order is None else chosen(self.ids, self.order)

    @property
    def units(self) -> Indices:
        """Each row's group as a number [N]; numbers sort as the groups' names do."""
        if self.groups is self.ids:
            return self.ranks
        first = first_alike(self.groups)
        names = np.unique(first)
        order = order_of(chosen(self.groups, names))
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[names if order is None else names[order]] = np.arange(len(names))
        return ranks[first]

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

    def marks(self) -> Iterator[tuple[str, str, str]]:
        """Give id, digest and label as text of each sample, in the order of the ids."""
        for places in in_parts(len(self)):
            rows = np.arange(places.start, places.stop)
            rows = rows if self.order is None else self.order[rows].astype(np.int64)
            ids = chosen(self.ids, rows)
            yield from zip(ids, chosen(self.digests, rows), self._label_texts(rows), strict=True)

    def _label_texts(self, rows: Indices) -> Iterator[str]:
        """Write the labels of some samples as `label_text` does."""
        if self.targets is None:
            return repeat("", len(rows))
        true, start = self.targets[rows] > 0, 0
        columns = []
        for labels in self.labels:
            names, own = labels.class_names, true[:, start : start + len(labels.class_names)]
            start += len(names)
            if len(names) and (own.sum(axis=1) == 1).all():
                columns.append([names[k] for k in own.argmax(axis=1).tolist()])
            else:
                columns.append(["|".join(compress(names, held)) for held in own.tolist()])
        return map(";".join, zip(*columns, strict=True)) if columns else repeat("", len(rows))

    def without_labels(self) -> "SampleTable":
        """Forget the truth, such as for predictions of unlabelled use."""
        return replace(self, targets=None, labels=(), masks=None, areas=None)

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
            weights=None if self.weights is None else self.weights[wanted],
            areas=None if self.areas is None else self.areas[wanted],
        )


def table_of(source: Source, audit: Audit) -> SampleTable:
    """Collect what an audit of this source has found usable, in the source's order."""
    rows = audit.rows
    indices = rows.with_status(USED)  # the source's samples are the audit's first rows
    ids = packed(chosen(source.sample_ids, indices))
    digests = PackedDigests(chosen(rows.digests, indices))
    return SampleTable(
        ids=ids,
        indices=small(indices),
        targets=_targets(source, indices),
        labels=source.labels,
        groups=_groups(source, ids, indices, digests),
        digests=digests,
        stamps=packed_stamps(chosen(rows.stamps, indices)),
        weights=None if source.weights is None else source.weights[indices].astype(np.float32),
        masks=source.masks,
        areas=_areas(rows, indices) if source.masks else None,
    )


def _areas(rows: AuditRows, indices: Indices) -> Floats | None:
    """Tell which share of its pixels shows each class [N, C], as far as masks were read."""
    if not rows.covered.shape[1]:
        return None
    pixels = np.maximum(rows.sizes[indices].astype(np.int64).prod(axis=1), 1)
    areas: Floats = (rows.covered[indices] / pixels[:, None]).astype(np.float32)
    return areas


def table_of_all(source: Source, digests: Sequence[str]) -> SampleTable:
    """Collect all samples of a source that nobody has audited, in its order.

    Args:
        source: At least one sample.
        digests: SHA-256 of the contents [N], in hex; of something else where samples need not stay
            together with their copies.
    """
    indices = np.arange(len(source))
    ids, packed_ones = packed(source.sample_ids), PackedDigests(digests)
    return SampleTable(
        ids=ids,
        indices=small(indices),
        targets=_targets(source, indices),
        labels=source.labels,
        groups=_groups(source, ids, indices, packed_ones),
        digests=packed_ones,
        masks=source.masks,
    )


def _targets(source: Source, indices: Indices) -> Floats | PackedTargets | None:
    if not source.labels or not len(indices) or source.target(int(indices[0])) is None:
        return None

    def rows(places: range) -> Floats:
        return source.targets(indices[places.start : places.stop].tolist())

    return targets_in_parts(len(indices), rows)


def _groups(source: Source, ids: Texts, indices: Indices, digests: Texts) -> Sequence[str]:
    """Join samples that share the source's group or their content, named after the first id."""
    shared = [first_alike(digests)]
    if source.groups is not None:
        shared.append(first_alike(chosen(source.groups, indices)))
    group = joined(*shared)
    order = order_of(ids)
    if order is None:
        return chosen(ids, group)
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[order] = np.arange(len(ids))
    lowest = np.full(len(ids), len(ids))
    np.minimum.at(lowest, group, ranks)
    return chosen(ids, order[lowest[group]].astype(np.int64))
