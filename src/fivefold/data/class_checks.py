"""What the audit says about classes: too rare, alone, or written in two ways."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Indices
from fivefold.data.audit_rows import USED, AuditRows
from fivefold.data.findings.spelling import misspelled, same_names
from fivefold.data.mask_judging import judge_masks
from fivefold.data.packed import chosen
from fivefold.data.packed_numbers import in_parts
from fivefold.data.source import Source
from fivefold.data.text_order import first_alike, joined

_SHOWN = 10


def twins(source: Source) -> Iterator[str]:
    """Word a warning for class names that differ only in case, spaces or Unicode form."""
    for labels in source.labels:
        for names in same_names(labels.class_names):
            listed = ", ".join(map(repr, names))
            yield f"classes {listed} look like one class written differently"


def count_classes(source: Source, used: Indices) -> Indices:
    """Count the samples of each class [C].

    Args:
        source: Whose classes.
        used: Positions of the samples that count.
    """
    width = sum(len(labels.class_names) for labels in source.labels)
    totals = np.zeros(width, dtype=np.int64)
    for places in in_parts(len(used)) if width else ():
        part = used[places.start : places.stop].tolist()
        totals += (np.stack([np.asarray(source.target(i)) for i in part]) > 0).sum(axis=0)
    return totals


def judge_classes(source: Source, rows: AuditRows, folds: int) -> tuple[list[DataError], list[str]]:
    """Find classes that are too rare: refused where folds are stratified on them.

    Args:
        source: Whose classes.
        rows: What became of its samples.
        folds: Each class needs at least so many samples that may be separated.

    Returns:
        Errors, and what is only worth a warning.
    """
    if source.masks:
        return judge_masks(source, rows, folds)
    refusals: list[DataError] = []
    remarks: list[str] = []
    used = rows.with_status(USED)
    if not len(used):
        return refusals, remarks
    if not source.labels:
        return [_no_labels("")], remarks
    tally, start = _tally(source, used, _units(source, rows, used), max(folds, 2)), 0
    for position, labels in enumerate(source.labels):
        own = slice(start, start + len(labels.class_names))
        start = own.stop
        held = list(
            zip(labels.class_names, tally.samples[own].tolist(), tally.units[own], strict=True)
        )
        slips = misspelled(labels.class_names, [n for _, n, _ in held])
        remarks += [f"class {rare!r}: did you mean {name!r}?" for rare, name in slips]
        few = [(name, n, len(units)) for name, n, units in held if len(units) < max(folds, 2)]
        rare = [_rarity(name, n, distinct) for name, n, distinct in few]
        if not labels.class_names:
            refusals.append(_no_labels(labels.name))
        elif labels.exclusive and len(labels.class_names) < 2:
            refusals.append(_one_class(labels.class_names))
        elif tally.same[own].all():
            refusals.append(_one_answer(labels.class_names, tally.first[own]))
        elif rare and labels.exclusive and position == 0:
            refusals.append(_rare_classes(rare, folds, min(distinct for _, _, distinct in few)))
        elif rare:
            listed = ", ".join(_first_ones(rare))
            remarks.append(f"{listed}: some of {folds} folds will not hold them")
    return refusals, remarks


@dataclass(frozen=True, eq=False)
class _Tally:
    """What is known of each class [C].

    Attributes:
        samples: How many it has.
        units: What of them cannot be divided: all where they are few, else only some.
        first: Whether it holds for the first sample.
        same: Whether that is so for every sample.
    """

    samples: Indices
    units: list[set[int]]
    first: AnyArray
    same: AnyArray


def _tally(source: Source, used: Indices, units: Indices, enough: int) -> _Tally:
    """Go through all truths once; they are not all in memory at a time."""
    first = np.asarray(source.target(int(used[0]))) > 0
    found = _Tally(np.zeros(len(first), np.int64), [set() for _ in first], first, first | True)
    for places in in_parts(len(used)):
        part = used[places.start : places.stop]
        holds = source.targets(part.tolist()) > 0
        found.samples[:] += holds.sum(axis=0)
        found.same[:] &= (holds == first).all(axis=0)
        for k, known in enumerate(found.units):
            if len(known) < enough:
                known.update(units[places.start : places.stop][holds[:, k]].tolist())
    return found


def _units(source: Source, rows: AuditRows, used: Indices) -> Indices:
    """Number what cannot be divided between folds [N]: samples of a group or of one content."""
    same = [first_alike(chosen(rows.digests, used))]
    if source.groups is not None:
        same.append(first_alike(chosen(source.groups, used)))
    return joined(*same)


def _rarity(name: str, samples: int, distinct: int) -> str:
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
    names = [repr(name) for name, holds in zip(class_names, answer, strict=True) if holds]
    got = (
        f"[{', '.join(_first_ones(names))}] for every image"
        if names
        else "none of them for every image"
    )
    msg = f"expected images that differ in their labels, got {got}"
    hint = "there is nothing to learn from one answer; check the labels"
    return DataError(msg, hint=hint, slug="data/one-class")


def _first_ones(texts: Sequence[str]) -> list[str]:
    """Leave ten of many texts about classes, and the number of the others."""
    more = len(texts) - _SHOWN
    return (
        [*texts[:_SHOWN], f"{more} more class{'es' * (more > 1)} likewise"]
        if more > 0
        else [*texts]
    )


def _rare_classes(rare: Sequence[str], folds: int, rarest: int) -> DataError:
    need = f"{folds} folds need at least {folds}" if folds > 1 else "a split needs at least 2"
    msg = "\n".join(_first_ones([f"{text}, {need}" for text in rare]))
    hint = "add images, merge the class with another, or take it out"
    if 2 <= rarest < folds:  # with fewer images no number of folds would do
        hint += f"; or set `folds_count: {rarest}`"
    return DataError(msg, hint=hint, slug="data/rare-class")
