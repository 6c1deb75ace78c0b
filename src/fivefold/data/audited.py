"""What an audit has found, and the files that say so."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fivefold.core.damage import checked
from fivefold.core.durable import write_text
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.sealed import read_sealed
from fivefold.core.sealed_long import read_sealed_long, write_sealed_long
from fivefold.data.audit_rows import (
    EXCLUDED,
    QUARANTINED,
    USED,
    AuditRow,
    AuditRows,
    GatheredRows,
)

_FORMAT = 1


@dataclass(frozen=True)
class Audit:
    """What was found; `listed = used + quarantined + excluded` always holds.

    Attributes:
        rows: Every listed sample once: the source's order, then what rules have excluded.
        listed: How many the source listed, counted on its own.
        warnings: What a user should know.
    """

    rows: AuditRows
    listed: int
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        total = self.used + self.quarantined + self.excluded
        if self.listed != total:
            msg = f"audit: expected {self.listed} listed samples to be accounted for, got {total}"
            raise DataError(msg, hint="this is a defect of fivefold; please report it")

    @property
    def used(self) -> int:
        """How many samples can be used."""
        return self._count(USED)

    @property
    def quarantined(self) -> int:
        """How many samples are broken or contradict each other."""
        return self._count(QUARANTINED)

    @property
    def excluded(self) -> int:
        """How many samples a rule of the listing has left out."""
        return self._count(EXCLUDED)

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many samples are not used for each reason."""
        return reasons_of(self.rows, QUARANTINED, EXCLUDED)

    def _count(self, status: str) -> int:
        return len(self.rows.with_status(status))

    def save(self, folder: RunFolder) -> None:
        """Write `data/audit.json` and `data/quarantine.jsonl` durably."""
        record = {"listed": self.listed, "used": self.used, "warnings": list(self.warnings)}
        record |= {"quarantined": self.quarantined, "excluded": self.excluded}
        bad = (self.rows[k] for k in self.rows.with_status(QUARANTINED).tolist())
        lines = (json.dumps(_quarantine_entry(row), sort_keys=True) + "\n" for row in bad)
        write_text(folder.quarantine_path, "".join(lines))
        rows = map(_saved_row, self.rows)
        write_sealed_long(folder.audit_path, record, "rows", rows, version=_FORMAT)

    @classmethod
    def load(cls, path: Path) -> "Audit":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        hint = "delete the file; the audit is then made again"
        gathered = GatheredRows()

        def take(part: Any) -> None:
            for row in _ROWS.validate_python(part):
                gathered.add(row)

        rest = read_sealed_long(path, "rows", take, version=_FORMAT)
        if rest is None:
            saved = read_sealed(path, _Saved, version=_FORMAT, hint=hint)
            rows = AuditRows.of(saved.rows)
        else:
            saved, rows = checked(path, _Saved, {**rest, "rows": []}, hint), gathered.done()
        try:
            return cls(rows, saved.listed, saved.warnings)
        except DataError as error:
            msg = f"{path}: expected a saved audit, got one that does not add up"
            raise StateError(msg, hint=hint, slug="state/damaged") from error


@dataclass(frozen=True)
class _Saved:
    rows: tuple[AuditRow, ...]
    listed: int
    warnings: tuple[str, ...] = ()


_ROWS = TypeAdapter(list[AuditRow])


def _saved_row(row: AuditRow) -> dict[str, Any]:
    """Write a row; without masks nothing is said of any."""
    saved = asdict(row)
    return saved if row.counts else {k: v for k, v in saved.items() if k != "counts"}


def _quarantine_entry(row: AuditRow) -> dict[str, Any]:
    size = row.stamp.partition(":")[0]
    return {
        "id": row.sample_id,
        "path": row.path,
        "reason": row.reason,
        "detail": row.detail,
        "size": int(size) if size else None,
        "sha256": row.digest,
    }


def reasons_of(rows: AuditRows, *statuses: str) -> Counter[str]:
    """Count the rows of some statuses by their reasons."""
    found: Counter[str] = Counter()
    for (status, reason, _), count in rows.counts().items():
        found[reason] += count * (status in statuses)
    return +found
