"""Labels that mean something else: merged classes, any number of them, a class for "nothing"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import AnyArray, Floats
from fivefold.data.source import Labels, Source, in_class_order
from fivefold.data.views.changed import ChangedSource
from fivefold.data.views.parts import FILTERED, PartSource


class _RelabelledSource(ChangedSource):
    """A source with other labels; `change` makes its truths of the source's."""

    def __init__(
        self, source: Source, labels: tuple[Labels, ...], change: Callable[[Floats], Floats]
    ) -> None:
        super().__init__(source)
        self.labels = labels
        self._change = change

    def target(self, i: int) -> Floats | None:
        target = self._source.target(i)
        return None if target is None else self._change(target)

    def is_positive(self, i: int) -> bool:
        """Say whether any class is true: what the source takes for one may have no class now."""
        return Source.is_positive(self, i)


def remap_classes(
    source: Source,
    classes: Mapping[str, str | int],
    *,
    output: str = "",
    skip_others: bool = False,
) -> Source:
    """Give classes other names; several may become one.

    Args:
        source: The samples.
        classes: A class to its new name or number; others have none: their label is dropped and
            the sample stays. Where that leaves one without a label, no class excludes another any
            more.
        output: Which of several outputs; may be left out where there is one.
        skip_others: Leave out samples that lose all their labels.

    Raises:
        DataError: If there is no such class or output, or no class is left.
    """
    _refuse_masks(source, "remap_classes")
    place, labels = _output(source, output, "remap_classes")
    for name in classes:
        _column(labels, str(name), "remap_classes")
    if not classes:
        msg = "remap_classes: expected at least 1 class that stays, got none"
        raise DataError(msg, slug="data/view-classes")
    new = {str(old): str(name) for old, name in classes.items()}
    names = in_class_order(new.values())
    to = np.zeros((len(labels.class_names), len(names)), dtype=np.float32)
    for old, name in new.items():
        to[labels.class_names.index(old), names.index(name)] = 1
    stop = place.stop

    def change(target: Floats) -> Floats:
        mapped = (target[place] @ to > 0).astype(np.float32)
        return np.concatenate([target[: place.start], mapped, target[stop:]])

    loses = _samples_where(
        source, lambda target: bool(target[place].any() and not (target[place] @ to).any())
    )
    if skip_others and loses.any():
        source = PartSource(source, ~loses, FILTERED)
    exclusive = labels.exclusive and (skip_others or not loses.any())
    changed = replace(labels, class_names=names, exclusive=exclusive)
    return _RelabelledSource(source, _replaced(source.labels, labels, changed), change)


def multihot(source: Source) -> Source:
    """Let any number of classes be true of a sample, whatever the labels say now.

    Raises:
        DataError: If there are no labels.
    """
    _refuse_masks(source, "multihot")
    _check_labelled(source, "multihot")
    several = tuple(replace(labels, exclusive=False) for labels in source.labels)
    return _RelabelledSource(source, several, lambda target: target)


def enforce_one_vs_all(source: Source, background: str, *, output: str = "") -> Source:
    """Let the class that means "nothing" be true only where no other class is.

    Args:
        source: The samples.
        background: That class.
        output: Which of several outputs; may be left out where there is one.

    Raises:
        DataError: If there is no such class or output.
    """
    _refuse_masks(source, "enforce_one_vs_all")
    place, labels = _output(source, output, "enforce_one_vs_all")
    column = place.start + _column(labels, background, "enforce_one_vs_all")

    def change(target: Floats) -> Floats:
        alone = target[place].sum() <= target[column]
        cleared = target.copy()
        cleared[column] = target[column] if alone else 0
        return cleared

    return _RelabelledSource(source, source.labels, change)


def skip_background(source: Source, background: str | None = None, *, output: str = "") -> Source:
    """Leave out samples of which no class is true.

    Args:
        source: The samples.
        background: A class that means "nothing": samples of which it is the only one go, too.
        output: Which of several outputs; may be left out where there is one.

    Raises:
        DataError: If there is no such class or output.
    """
    place, labels = _output(source, output, "skip_background")
    counts = np.ones(len(labels.class_names), dtype=bool)
    if background is not None:
        counts[_column(labels, background, "skip_background")] = False
    kept = _samples_where(source, lambda target: bool(target[place][counts].any()), unknown=True)
    return PartSource(source, kept, FILTERED)


def _samples_where(
    source: Source, holds: Callable[[Floats], bool], *, unknown: bool = False
) -> AnyArray:
    """Ask of each sample's truth whether something holds [N].

    Args:
        source: The samples.
        holds: The question.
        unknown: The answer where the truth is not known.
    """
    targets = (source.target(i) for i in range(len(source)))
    answers = (unknown if target is None else holds(target) for target in targets)
    return np.fromiter(answers, bool, len(source))


def _check_labelled(source: Source, view: str) -> None:
    if not source.labels:
        msg = f"{view}: expected samples with labels, got none"
        raise DataError(msg, slug="data/view-classes")


def _refuse_masks(source: Source, view: str) -> None:
    """Refuse masks, whose pixels would go on saying what they said."""
    if source.masks:
        msg = f"{view}: expected labels of whole images, got masks"
        hint = "say what masks mean where they are read: `mask_classes` of a folder of masks"
        raise DataError(msg, hint=hint, slug="data/view-masks")


def _output(source: Source, name: str, view: str) -> tuple[slice, Labels]:
    """Find an output by its name, and its columns."""
    _check_labelled(source, view)
    ends = np.cumsum([len(labels.class_names) for labels in source.labels]).tolist()
    found = [k for k, own in enumerate(source.labels) if own.name == name]
    if not name and len(source.labels) == 1:
        found = [0]
    if not found:
        names = [labels.name for labels in source.labels]
        got = repr(name) if name else "none"
        msg = f"{view}: output: expected one of the labels' outputs, got {got}"
        hint = did_you_mean(name, names, f"there are {', '.join(map(repr, names[:8]))}")
        raise DataError(msg, hint=hint, slug="data/view-classes")
    labels = source.labels[found[0]]
    stop = ends[found[0]]
    return slice(stop - len(labels.class_names), stop), labels


def _column(labels: Labels, name: str, view: str) -> int:
    if name in labels.class_names:
        return labels.class_names.index(name)
    msg = f"{view}: expected classes of the samples, got {name!r}"
    known = ", ".join(map(repr, labels.class_names[:8]))
    hint = did_you_mean(name, list(labels.class_names), f"there are {known}")
    raise DataError(msg, hint=hint, slug="data/view-classes")


def _replaced(all_labels: Sequence[Labels], old: Labels, new: Labels) -> tuple[Labels, ...]:
    return tuple(new if labels is old else labels for labels in all_labels)
