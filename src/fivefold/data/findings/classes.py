"""What is unusual about classes."""

from collections.abc import Iterator

import numpy as np

from fivefold.core.types import Indices
from fivefold.data.findings.finding import Finding, Level
from fivefold.data.findings.spelling import misspelled, same_names
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source
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
    """Find classes that a fold cannot be validated on.

    Args:
        table: The samples that are used.
        splits: Their folds.
    """
    if table.targets is None:
        return
    names = [name for labels in table.labels for name in labels.class_names]
    lacking: dict[str, list[int]] = {}
    for fold in range(splits.num_folds):
        _, rows = splits.rows(table, fold)
        totals = np.asarray(table.targets[rows]).sum(axis=0)
        for k in np.flatnonzero(totals == 0).tolist():
            lacking.setdefault(names[k], []).append(fold)
    if lacking:
        listed = [
            f"{name!r} in fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"
            for name, folds in lacking.items()
        ]
        title, action = "classes absent from a fold", "the fold's metrics leave them out"
        yield Finding("absent_class", title, Level.LOOK, len(lacking), listed[:_EXAMPLES], action)
