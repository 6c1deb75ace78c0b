"""What the audit says about classes: too rare, alone, or written in two ways."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray
from fivefold.data.source import Source


def twins(source: Source) -> Iterator[str]:
    """Word a warning for class names that differ only in case, spaces or Unicode form."""
    for labels in source.labels:
        alike: dict[str, list[str]] = defaultdict(list)
        for name in labels.class_names:
            alike[unicodedata.normalize("NFKC", name).casefold().strip()].append(name)
        for names in alike.values():
            if len(names) > 1:
                listed = ", ".join(map(repr, names))
                yield f"classes {listed} look like one class written differently"


def judge_classes(
    source: Source, used: Sequence[int], digests: Sequence[str], folds: int
) -> tuple[list[DataError], list[str]]:
    """Find classes that are too rare: refused where folds are stratified on them.

    Args:
        source: Whose classes.
        used: Positions of the usable samples in the source [N].
        digests: Their contents [N].
        folds: Each class needs at least so many samples that may be separated.

    Returns:
        Errors, and what is only worth a warning.
    """
    refusals: list[DataError] = []
    remarks: list[str] = []
    if not source.labels or not used:
        return refusals, remarks
    targets = np.stack([np.asarray(source.target(i)) for i in used]) > 0
    units = _units(source, used, digests)
    start = 0
    for position, labels in enumerate(source.labels):
        columns = targets[:, start : start + len(labels.class_names)]
        start += len(labels.class_names)
        held = zip(labels.class_names, columns.T, strict=True)
        few = {name: units[column] for name, column in held if _is_few(units[column], folds)}
        rare = [_rarity(name, own) for name, own in few.items()]
        if not labels.class_names:
            refusals.append(_no_labels(labels.name))
        elif labels.exclusive and len(labels.class_names) < 2:
            refusals.append(_one_class(labels.class_names))
        elif (columns == columns[0]).all():
            refusals.append(_one_answer(labels.class_names, columns[0]))
        elif rare and labels.exclusive and position == 0:
            rarest = min(len(set(own)) for own in few.values())
            refusals.append(_rare_classes(rare, folds, rarest))
        elif rare:
            remarks.append(f"{', '.join(rare)}: some of {folds} folds will not hold them")
    return refusals, remarks


def _units(source: Source, used: Sequence[int], digests: Sequence[str]) -> AnyArray:
    """Name what cannot be divided between folds: a sample's group, or its content."""
    if source.groups is not None:
        return np.asarray([source.groups[i] for i in used], dtype=object)
    return np.asarray(digests, dtype=object)


def _is_few(units: AnyArray, folds: int) -> bool:
    return len(set(units)) < max(folds, 2)


def _rarity(name: str, units: AnyArray) -> str:
    samples, distinct = len(units), len(set(units))
    if not samples:
        return f"class {name!r} has no usable image"
    text = f"class {name!r} has {samples} sample{'s' * (samples != 1)}"
    return text if samples == distinct else f"{text} of which {distinct} may be separated"


def _no_labels(name: str) -> DataError:
    where = f"{name}: " if name else ""
    msg = f"{where}expected at least 1 class, got none: no sample has a label"
    hint = "check the label column, and what separates several labels in a cell"
    return DataError(msg, hint=hint, slug="data/no-labels")


def _one_class(class_names: Sequence[str]) -> DataError:
    msg = f"expected at least 2 classes, got {list(class_names)}"
    hint = "put the images of each class into its own folder, or check the label column"
    return DataError(msg, hint=hint, slug="data/one-class")


def _one_answer(class_names: Sequence[str], answer: AnyArray) -> DataError:
    names = [name for name, holds in zip(class_names, answer, strict=True) if holds]
    got = f"{names} for every image" if names else "none of them for every image"
    msg = f"expected images that differ in their labels, got {got}"
    hint = "there is nothing to learn from one answer; check the labels"
    return DataError(msg, hint=hint, slug="data/one-class")


def _rare_classes(rare: Sequence[str], folds: int, rarest: int) -> DataError:
    need = f"{folds} folds need at least {folds}" if folds > 1 else "a split needs at least 2"
    msg = "\n".join(f"{text}, {need}" for text in rare)
    hint = "add images, merge the class with another, or take it out"
    if 2 <= rarest < folds:  # with fewer images no number of folds would do
        hint += f"; or set `folds_count: {rarest}`"
    return DataError(msg, hint=hint, slug="data/rare-class")
