"""What is unusual about classes."""

from collections.abc import Iterator

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.findings.finding import Finding, Level
from fivefold.data.findings.spelling import misspelled, same_names
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source
from fivefold.data.split_report import class_counts, class_names
from fivefold.data.splits import Splits

_EXAMPLES = 3


def findings_on_names(source: Source, counts: Indices) -> Iterator[Finding]:
    """Find names of classes that may be one name written in two ways.

    Args:
        source: Whose classes.
        counts: How many samples have each of them [C].
    """
    same: list[str] = []
    slips: list[str] = []
    start = 0
    for labels in source.labels:
        names = labels.class_names
        own = counts[start : start + len(names)].tolist()
        start += len(names)
        same += [" and ".join(map(repr, some)) for some in same_names(names)]
        slips += [f"{rare!r}: did you mean {name!r}?" for rare, name in misspelled(names, own)]
    apart = "different classes until you rename them"
    if same:
        title = "classes that differ in case, spaces or Unicode form"
        yield Finding("same_name", title, Level.LOOK, len(same), same[:_EXAMPLES], apart)
    if slips:
        title = "rare classes one letter from another"
        yield Finding("misspelled", title, Level.LOOK, len(slips), slips[:_EXAMPLES], apart)


def absent_from_folds(table: SampleTable, splits: Splits) -> Iterator[Finding]:
    """Find classes that a fold cannot be validated on, or that its model never sees.

    Args:
        table: The samples that are used.
        splits: Their folds.
    """
    if table.targets is None:
        return
    validated, whole = class_counts(table, splits)
    unseen = (validated == whole) & (whole > 0)
    if unseen.any():
        title = "classes that a fold's model is not trained on"
        action = "all their images are in that fold, so it gets them wrong"
        yield _of_folds("unseen_class", title, table, unseen, action)
    lacking = validated == 0
    if lacking.any():
        title, action = "classes absent from a fold", "the fold's metrics leave them out"
        yield _of_folds("absent_class", title, table, lacking, action)


def _of_folds(name: str, title: str, table: SampleTable, holds: AnyArray, action: str) -> Finding:
    """Make a finding about classes of which something holds in some folds [K, C]."""
    names = class_names(table)
    found = np.flatnonzero(holds.any(axis=0)).tolist()
    listed = [_in_folds(names[k], np.flatnonzero(holds[:, k])) for k in found[:_EXAMPLES]]
    return Finding(name, title, Level.LOOK, len(found), listed, action)


def _in_folds(name: str, folds: Indices) -> str:
    return f"{name!r} in fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds.tolist()))}"
