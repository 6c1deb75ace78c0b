"""Several sources one after the other, and one source several times."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.channels import AT_START
from fivefold.data.decode import Header
from fivefold.data.forked import Trust
from fivefold.data.packed import packed
from fivefold.data.source import Fetched, Labels, Sample, Source
from fivefold.data.text_order import first_alike


class JoinedSource(Source):
    """Sources one after the other; labels are put into common columns by the classes' names.

    Whoever makes one checks that the labels fit, and that `repeated_id` finds nothing.

    Args:
        parts: The sources, at least one.
        names: For each what its ids begin with, before a slash; nothing to leave them as they are.
        labels: The common labels: as many outputs as each part has, with all of its classes.
    """

    def __init__(
        self, parts: Sequence[Source], names: Sequence[str], labels: tuple[Labels, ...]
    ) -> None:
        self._parts = tuple(parts)
        self._names = tuple(names)
        self._ends = tuple(accumulate(len(part) for part in parts))
        self.labels = labels
        self.masks = _common_masks(parts, names)
        self._columns = [_columns(labels, part.labels) for part in parts]
        self._width = sum(len(output.class_names) for output in labels)
        self.sample_ids = packed(self._begun(part.sample_ids for part in parts))
        self.groups = self._all_groups()
        self.weights = _all_weights(parts)
        self.excluded = [
            (f"{name}/{own}" if name else own, rule)
            for name, part in zip(names, parts, strict=True)
            for own, rule in part.excluded
        ]
        self.warnings = tuple(
            f"{name}: {text}" if name else text
            for name, part in zip(names, parts, strict=True)
            for text in part.warnings
        )
        self.notes = tuple(
            f"{name}: {text}" if name else text
            for name, part in zip(names, parts, strict=True)
            for text in part.notes
        )
        self.one_at_a_time = any(part.one_at_a_time for part in parts)

    def _begun(self, texts: Iterator[Sequence[str]]) -> Iterator[str]:
        for name, own in zip(self._names, texts, strict=True):
            yield from (f"{name}/{text}" for text in own) if name else own

    def _all_groups(self) -> Sequence[str] | None:
        if all(part.groups is None for part in self._parts):
            return None
        alone = (part.sample_ids if part.groups is None else part.groups for part in self._parts)
        return packed(self._begun(alone))

    def show_alpha(self, wanted: bool) -> None:  # noqa: FBT001  the protocol
        """Say whether images with opacities get a fourth channel, or are laid on white."""
        for part in self._parts:
            part.show_alpha(wanted)

    @property
    def trust(self) -> Trust:
        """Whether all may be read in forks."""
        owned = any(part.trust.before == () for part in self._parts)
        usual = Trust(() if owned else AT_START)
        found = vars(self).setdefault("_trust", usual)
        return found if isinstance(found, Trust) else usual

    def _part(self, i: int) -> int:
        return bisect_right(self._ends, i)

    def _place(self, i: int) -> tuple[Source, int]:
        """Find a sample's source, and its position there."""
        part = self._part(i)
        return self._parts[part], i - (self._ends[part - 1] if part else 0)

    def sample(self, i: int) -> Sample:
        """Read a sample."""
        source, position = self._place(i)
        sample = source.sample(position)
        return Sample(self.sample_ids[i], sample.image, self.target(i), sample.mask)

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read a sample's pixels."""
        source, position = self._place(i)
        return source.image(position, at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C] without reading its image."""
        source, position = self._place(i)
        own = source.target(position)
        if own is None:
            return None
        target = np.zeros(self._width, dtype=np.float32)
        target[self._columns[self._part(i)]] = own
        return target

    def mask(self, i: int) -> Image:
        """Read a sample's mask."""
        source, position = self._place(i)
        return source.mask(position)

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask."""
        source, position = self._place(i)
        return source.counts(position)

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:
        """Hear how many pixels of each class a sample's mask has."""
        source, position = self._place(i)
        source.tell_counts(position, counts)

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for."""
        source, position = self._place(i)
        return source.is_positive(position)

    def fetch(self, i: int) -> Fetched:
        """Read a sample's content once."""
        source, position = self._place(i)
        return source.fetch(position)

    def header(self, i: int) -> Header | None:
        """Read how a sample's file begins."""
        source, position = self._place(i)
        return source.header(position)

    def stamp(self, i: int) -> str:
        """Tell cheaply whether a sample may have changed."""
        source, position = self._place(i)
        return source.stamp(position)

    def path(self, i: int) -> str:
        """Tell where a sample lies, or nothing."""
        source, position = self._place(i)
        return source.path(position)

    def name_of(self, i: int) -> str:
        """Name a sample for a message."""
        source, position = self._place(i)
        name = self._names[self._part(i)]
        return f"{name}: {source.name_of(position)}" if name else source.name_of(position)


def _common_masks(parts: Sequence[Source], names: Sequence[str]) -> MaskKind | None:
    """Say how the masks of all parts are written, which must be the same.

    Raises:
        DataError: If some have no masks, or masks of other classes.
    """
    first = parts[0]
    for part, name in zip(parts, names, strict=True):
        alike = part.masks == first.masks
        if not alike or (first.masks and part.labels[0] != first.labels[0]):
            expected, got = _masks_of(first), _masks_of(part)
            msg = f"{name or 'sources to join'}: expected {expected} as the first has, got {got}"
            hint = "the same classes in the same order: `mask_classes` says them of both"
            raise DataError(msg, hint=hint, slug="data/view-masks")
    return first.masks


def _masks_of(source: Source) -> str:
    if source.masks is None:
        return "no masks"
    kind = "numbers" if source.masks.exclusive else "planes"
    return f"masks with {kind} of {', '.join(map(repr, source.labels[0].class_names[:8]))}"


def _all_weights(parts: Sequence[Source]) -> AnyArray | None:
    """Put weights one after the other; samples of a part without them count once."""
    if all(part.weights is None for part in parts):
        return None
    return np.concatenate(
        [np.ones(len(part)) if part.weights is None else part.weights for part in parts]
    )


def _all_numbers(parts: Sequence[Source]) -> AnyArray | None:
    """Put numbers of folds one after the other.

    Raises:
        DataError: If only some have such numbers, or they count to different folds.
    """
    numbers = [part.fold_numbers for part in parts if part.fold_numbers is not None]
    if not numbers:
        return None
    counts = [
        0 if part.fold_numbers is None else int(part.fold_numbers.max(initial=-1)) + 1
        for part in parts
    ]
    if len(numbers) < len(parts) or len(set(counts)) > 1:
        msg = f"concatenate: expected as many folds of its own in each source, got {counts}"
        hint = "name `split_column` and `fold_column` for all tables or for none"
        raise DataError(msg, hint=hint, slug="data/view-parts")
    return np.concatenate(numbers)


def repeated_id(ids: Sequence[str]) -> str | None:
    """Find an id that stands for several samples; None where all are unique."""
    again = np.flatnonzero(first_alike(ids) != np.arange(len(ids)))
    return ids[int(again[0])] if len(again) else None


def _columns(common: Sequence[Labels], own: Sequence[Labels]) -> list[int]:
    columns, start = [], 0
    for mine, theirs in zip(own, common, strict=True):
        columns += [start + theirs.class_names.index(name) for name in mine.class_names]
        start += len(theirs.class_names)
    return columns


def concatenate(sources: Sequence[Source], names: Sequence[str] | None = None) -> Source:
    """Put sources one after the other.

    A class is one class wherever it has the same name; classes of later sources come behind those
    of earlier ones. Exactly one is true of each sample if that is so in all sources. Samples with
    the same group stay together, whichever source they come from.

    Args:
        sources: At least one.
        names: What to call them: ids of each then begin with its name and a slash. Needed where
            the same id occurs in two of them.

    Raises:
        DataError: If labels do not fit together, an id occurs twice, or some have folds of their
            own that do not go together.
    """
    if not sources or (names is not None and len(names) != len(sources)):
        got = f"{len(sources)} sources" + ("" if names is None else f" and {len(names)} names")
        msg = f"concatenate: expected at least 1 source, and a name for each or none, got {got}"
        raise DataError(msg, slug="data/view-option")
    joined = _Concatenated(sources, names or [""] * len(sources), _common_labels(sources))
    twice = repeated_id(joined.sample_ids)
    if twice is not None:
        msg = f"concatenate: expected each id once, got {twice!r} twice"
        hint = "give the sources different names: `names=[…]` puts them before the ids"
        raise DataError(msg, hint=hint, slug="data/duplicate-id")
    return joined


class _Concatenated(JoinedSource):
    """With the groups, folds and holdouts of all parts."""

    def __init__(
        self, parts: Sequence[Source], names: Sequence[str], labels: tuple[Labels, ...]
    ) -> None:
        super().__init__(parts, names, labels)
        starts = [0, *self._ends[:-1]]
        pairs = list(zip(parts, starts, strict=True))
        self.train_only = [k + i for part, k in pairs for i in part.train_only]
        if any(part.held_out is not None for part in parts):
            self.held_out = [k + i for part, k in pairs for i in part.held_out or ()]
        self.fold_numbers, self.folds_where = _all_numbers(parts), parts[0].folds_where
        lists = [part.fold_lists for part in parts]
        if all(own is None for own in lists):
            return
        counts = [0 if own is None else len(own) for own in lists]
        if len(set(counts)) > 1:
            msg = f"concatenate: expected as many folds of its own in each source, got {counts}"
            raise DataError(msg, slug="data/view-parts")
        self.fold_lists = [
            (
                [
                    k + i
                    for (_, k), own in zip(pairs, lists, strict=True)
                    for i in (own or ())[n][0]
                ],
                [
                    k + i
                    for (_, k), own in zip(pairs, lists, strict=True)
                    for i in (own or ())[n][1]
                ],
            )
            for n in range(counts[0])
        ]

    def _all_groups(self) -> Sequence[str] | None:
        """Leave the names of groups as they are: a patient is the same one in every source."""
        if all(part.groups is None for part in self._parts):
            return None
        alone = self._begun(part.sample_ids for part in self._parts)
        return packed(self._kept_groups(alone))

    def _kept_groups(self, alone: Iterator[str]) -> Iterator[str]:
        for part in self._parts:
            own = part.groups
            for i in range(len(part)):
                sample_id = next(alone)
                yield sample_id if own is None else own[i]


def _common_labels(sources: Sequence[Source]) -> tuple[Labels, ...]:
    outputs = [tuple(labels.name for labels in source.labels) for source in sources]
    if len(set(outputs)) > 1:
        different = next(names for names in outputs if names != outputs[0])
        msg = "concatenate: expected the same outputs in each source, got "
        msg += f"{_listed(outputs[0])} and {_listed(different)}"
        raise DataError(msg, hint="label them alike", slug="data/view-parts")
    common = []
    for k, first in enumerate(sources[0].labels):
        parts = [source.labels[k] for source in sources]
        names = dict.fromkeys(name for part in parts for name in part.class_names)
        exclusive = all(part.exclusive for part in parts)
        common.append(Labels(first.name, tuple(names), exclusive=exclusive))
    return tuple(common)


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "no labels"
    return ", ".join(repr(name) if name else "one without a name" for name in names)


def repeat(source: Source, times: int) -> Source:
    """Take every sample several times, as an epoch would; copies stay in one fold.

    The second copy of `a.jpg` is called `a.jpg#2`, and so on.

    Args:
        source: The samples.
        times: At least 1.

    Raises:
        DataError: If `times` is below 1, or a copy's id is another sample's.
    """
    if times < 1:
        msg = f"repeat: expected at least 1 time, got {times}"
        raise DataError(msg, slug="data/view-option")
    return source if times == 1 else _Repeated(source, times)


class _Repeated(_Concatenated):
    def __init__(self, source: Source, times: int) -> None:
        self._once = source
        super().__init__([source] * times, [""] * times, source.labels)
        # What was left out and what is said of it is so once.
        self.excluded, self.warnings = source.excluded, source.warnings
        self.notes = source.notes
        twice = repeated_id(self.sample_ids)
        if twice is not None:
            msg = f"repeat: expected no id like that of a copy, got {twice!r}"
            raise DataError(msg, hint="rename that sample", slug="data/duplicate-id")

    def _begun(self, texts: Iterator[Sequence[str]]) -> Iterator[str]:
        for copy, own in enumerate(texts, start=1):
            yield from own if copy == 1 else (f"{text}#{copy}" for text in own)

    def _all_groups(self) -> Sequence[str]:
        """Keep the copies of a sample together also where their files are not read."""
        own = self._once.sample_ids if self._once.groups is None else self._once.groups
        return packed(text for _ in self._parts for text in own)
