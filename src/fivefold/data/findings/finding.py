"""One finding."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from fivefold.core.types import Indices
from fivefold.data.audit_rows import AuditRows

_EXAMPLES = 3


class Level(StrEnum):
    """How much a finding matters, from the most."""

    REFUSED = "refused"
    LEFT_OUT = "left out"
    LOOK = "worth a look"
    NOTED = "noted"


def _nothing() -> Indices:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Finding:
    """Something about data that whoever trains on them should know.

    Attributes:
        name: Stable, such as `blurred`; names files, too.
        title: In words.
        level: How much it matters.
        count: How many samples or classes it concerns.
        examples: Some of them.
        action: What fivefold will do about it.
        rows: Of the audit, that which shows it best first; none where it is about classes.
        groups: How many of the rows belong together, one after the other; none where each stands
            alone.
    """

    name: str
    title: str
    level: Level
    count: int
    examples: Sequence[str]
    action: str
    rows: Indices = field(default_factory=_nothing)
    groups: Sequence[int] = ()


def of_rows(
    name: str,
    title: str,
    level: Level,
    action: str,
    rows: AuditRows,
    places: Indices,
    groups: Sequence[int] = (),
) -> Finding:
    """Make a finding about rows of an audit."""
    examples = tuple(rows.ids[k] for k in places[:_EXAMPLES].tolist())
    return Finding(name, title, level, len(places), examples, action, places, groups)
