"""All that an audit has found, as findings."""

from collections.abc import Iterator, Sequence

import numpy as np

from fivefold.apps.data_check.deep import with_remedy
from fivefold.core.types import Indices
from fivefold.data.audit import Examined
from fivefold.data.audit_reading import LABEL_CONFLICT
from fivefold.data.audit_rows import EXCLUDED, QUARANTINED, USED, AuditRows
from fivefold.data.findings import (
    Finding,
    Level,
    findings_on_looks,
    findings_on_names,
    of_rows,
)
from fivefold.data.reasons import ASKED_RULES, QUIET_RULES, words_for
from fivefold.data.source import Source


def findings_of(source: Source, examined: Examined, counts: Indices) -> list[Finding]:
    """Make findings of an audit: what matters most comes first.

    Args:
        source: What was audited.
        examined: What came of it.
        counts: How many used samples have each class [C].
    """
    rows = examined.audit.rows
    found = [*_unused(rows), *_copies(rows, examined.alike)]
    looks = with_remedy([*findings_on_looks(rows)], source, rows)
    found += [*findings_on_names(source, counts), *looks]
    if source.masks is not None:
        found += _empty_masks(source, rows)
    return sorted(found, key=lambda one: list(Level).index(one.level))


def _unused(rows: AuditRows) -> Iterator[Finding]:
    """Find what is set aside, and what rules have left out."""
    for (status, reason), places in sorted(_by_reason(rows).items()):
        title = words_for(reason)
        if reason == LABEL_CONFLICT:
            in_order = _together(rows, places)
            yield of_rows(reason, title, Level.LEFT_OUT, "none of them is used", rows, *in_order)
        elif status == QUARANTINED:
            yield of_rows(reason, title, Level.LEFT_OUT, "not used", rows, places)
        elif reason in QUIET_RULES:
            action = "as was asked for" if reason in ASKED_RULES else "not listed as images"
            yield of_rows(reason, title, Level.NOTED, action, rows, places)
        else:
            yield of_rows(reason, title, Level.LEFT_OUT, "not listed as images", rows, places)


def _by_reason(rows: AuditRows) -> dict[tuple[str, str], Indices]:
    wanted = [
        (number, (status, reason))
        for number, (status, reason, _) in enumerate(rows.verdicts)
        if status in (QUARANTINED, EXCLUDED)
    ]
    found: dict[tuple[str, str], list[int]] = {}
    for number, key in wanted:
        found.setdefault(key, []).append(number)
    places = {key: np.flatnonzero(np.isin(rows.judged, some)) for key, some in found.items()}
    return {key: some for key, some in places.items() if len(some)}


def _together(rows: AuditRows, places: Indices) -> tuple[Indices, Sequence[int]]:
    """Put rows of the same content beside each other; gives how many are of each."""
    digests = np.asarray([rows.digests[k] for k in places.tolist()])
    _, first, numbers = np.unique(digests, return_index=True, return_inverse=True)
    order = np.lexsort((places, first[numbers]))
    sizes = np.bincount(numbers)[np.argsort(first, kind="stable")]
    return places[order], sizes.tolist()


def _empty_masks(source: Source, rows: AuditRows) -> Iterator[Finding]:
    """Find masks that show nothing of what is looked for."""
    used = [k for k in rows.with_status(USED).tolist() if not source.is_positive(k)]
    if used:
        action = "used as negatives; `negatives:` in a stage says how many"
        title, places = "masks that show nothing", np.asarray(used, dtype=np.int64)
        yield of_rows("empty_masks", title, Level.NOTED, action, rows, places)


def _copies(rows: AuditRows, alike: Sequence[Indices]) -> Iterator[Finding]:
    if not alike:
        return
    action, title = "all used; copies stay in one fold", "exact copies with the same label"
    yield of_rows(
        "copies", title, Level.LOOK, action, rows, np.concatenate(alike), [*map(len, alike)]
    )
