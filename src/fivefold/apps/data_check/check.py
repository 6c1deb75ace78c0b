"""What is wrong with a data set, and whether it can be trained on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fivefold.apps.data_check.gathering import findings_of
from fivefold.build.pixels import build_kept, build_preprocess
from fivefold.core.errors import DataError
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Indices
from fivefold.data.audit import Examined, examine, examine_headers
from fivefold.data.audit_rows import USED
from fivefold.data.class_checks import count_classes
from fivefold.data.drawn_folds import make_splits
from fivefold.data.findings import Finding, Level, absent_from_folds, of_rows
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.near import DISTANCE
from fivefold.data.near.ties import find_near, tied
from fivefold.data.samples import table_of
from fivefold.experiment.datasets import given_folds
from fivefold.experiment.named_data import Opened
from fivefold.experiment.splitting import near_distance, split_settings

_FOLDS = 5  # as in a config that does not say, likewise below
_SHAPE = (256, 256, 3)


@dataclass(frozen=True, eq=False)
class Checked:
    """What a check has found.

    Attributes:
        name: What was checked.
        examined: The audit behind it.
        findings: What matters most first.
        headers_only: Whether only the beginnings of files were read.
        warnings: What else the listing has told.
    """

    name: str
    examined: Examined
    findings: Sequence[Finding]
    headers_only: bool
    warnings: Sequence[str]

    @property
    def refusals(self) -> Sequence[str]:
        """Why training would refuse the data; none if it would not."""
        return [str(error) for error in self.examined.refusals]

    def record(self) -> dict[str, Any]:
        """Give everything as JSON values; each finding names all of its samples."""
        audit = self.examined.audit
        counts = {"listed": audit.listed, "used": audit.used}
        counts |= {"quarantined": audit.quarantined, "excluded": audit.excluded}
        return {
            "data": self.name,
            **counts,
            "headers_only": self.headers_only,
            "refusals": list(self.refusals),
            "findings": [self._entry(one) for one in self.findings],
            "warnings": list(self.warnings),
        }

    def _entry(self, one: Finding) -> Mapping[str, Any]:
        rows = self.examined.audit.rows
        return {
            "name": one.name,
            "title": one.title,
            "level": one.level.value,
            "count": one.count,
            "examples": list(one.examples),
            "action": one.action,
            "ids": [rows.ids[k] for k in one.rows.tolist()],
        }


def check_data(opened: Opened, *, headers_only: bool, progress: Progress) -> Checked:
    """Read every sample of a data set and collect all that is worth knowing.

    Args:
        opened: The data.
        headers_only: Whether to read only how files begin: much faster, but nothing is found that
            pixels tell, and no copies.
        progress: Who watches.
    """
    source, kept = opened.source, _kept(opened)
    folds = max(opened.config.folds_count, 1) if opened.config else _FOLDS
    if headers_only:
        examined = examine_headers(source, folds=folds, progress=progress)
    else:
        examined = examine(source, folds=folds, progress=progress, kept=kept)
    counts = count_classes(source, examined.audit.rows.with_status(USED))
    findings = findings_of(source, examined, counts)
    if examined.audit.used:
        examined, further = _divided(opened, examined, None if headers_only else kept, progress)
        findings += further
    levels = list(Level)
    in_order = sorted(findings, key=lambda one: levels.index(one.level))
    return Checked(str(opened.path), examined, in_order, headers_only, tuple(source.warnings))


def _divided(
    opened: Opened, examined: Examined, kept: Kept | None, progress: Progress
) -> tuple[Examined, list[Finding]]:
    """Draw the folds that training would draw, unless it would refuse; find near duplicates."""
    table, found = table_of(opened.source, examined.audit), list[Finding]()
    near, settings = _division(opened)
    if near and kept is not None:
        images = ResizedImages(opened.source, table, kept)
        firsts = find_near(images, near, progress)
        table, found = tied(table, firsts), [*_near(examined, table.indices, firsts)]
    if examined.refusals:
        return examined, found
    try:
        splits = make_splits(table, **settings)
    except DataError as error:
        return Examined(examined.audit, [error], examined.alike), found
    return examined, [*found, *absent_from_folds(table, splits)]


def _kept(opened: Opened) -> Kept:
    """Make what keeps the pixels that are read."""
    if opened.config is not None:
        return build_kept(opened.config, opened.source)
    return Kept(build_preprocess(_SHAPE), len(opened.source))


def _division(opened: Opened) -> tuple[int, dict[str, Any]]:
    """Tell in how many bits near duplicates may differ, and what else decides the folds."""
    config = opened.config
    if config is None:
        return DISTANCE, {"folds": _FOLDS}
    settings = split_settings(config) | {"given": given_folds(config, opened.source)}
    del settings["near_duplicates"]  # the folds are drawn of what they have tied
    return near_distance(config), settings


def _near(examined: Examined, used: AnyArray, firsts: Indices) -> Iterator[Finding]:
    """Make a finding of near duplicates that are not exact copies."""
    rows = examined.audit.rows
    order = np.argsort(firsts, kind="stable")
    together = np.split(order, np.flatnonzero(np.diff(firsts[order])) + 1)
    groups = [used[some].astype(np.int64) for some in together if len(some) > 1]
    new = [some for some in groups if len({rows.digests[k] for k in some.tolist()}) > 1]
    if new:
        title, action = "near duplicates", "all used; they stay in one fold"
        places, sizes = np.concatenate(new), [*map(len, new)]
        yield of_rows("near_duplicates", title, Level.LOOK, action, rows, places, sizes)
