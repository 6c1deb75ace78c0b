"""The audit: every sample is read once before anything is trained on it."""

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.durable import write_text
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.data.class_checks import judge_classes, twins
from fivefold.data.decode import ImageProblem, Reason
from fivefold.data.reasons import QUIET_RULES, counted, first_of
from fivefold.data.source import Source

logger = logging.getLogger(__name__)

USED, QUARANTINED, EXCLUDED = "used", "quarantined", "excluded"
LABEL_CONFLICT = "label_conflict"

_NAMED = {
    True: "data/quarantine.jsonl names all",
    False: "`fivefold fit` names all in data/quarantine.jsonl",
}
_FORMAT = 1
_CHUNK = 128  # samples handed to the threads at a time, so that an interrupt is quick
_MOST_THREADS = 8  # each holds an image


@dataclass(frozen=True)
class AuditRow:
    """What became of one listed sample.

    Attributes:
        sample_id: Its id.
        status: `used`, `quarantined` or `excluded`.
        reason: Why it is not used: an image's reason, `label_conflict`, or a listing's rule.
        detail: What exactly was met.
        stamp: "size:mtime_ns" of its file, or nothing.
        digest: SHA-256 of its content, in hex; empty where it could not be read.
        height: Height in pixels; 0 where it could not be decoded.
        width: Width in pixels.
        path: Where it lies, or nothing.
    """

    sample_id: str
    status: str
    reason: str = ""
    detail: str = ""
    stamp: str = ""
    digest: str = ""
    height: int = 0
    width: int = 0
    path: str = ""


@dataclass(frozen=True)
class Audit:
    """What was found; `listed = used + quarantined + excluded` always holds.

    Attributes:
        rows: Every listed sample once: the source's order, then what rules have excluded.
        listed: How many the source listed, counted on its own.
        warnings: What a user should know.
    """

    rows: tuple[AuditRow, ...]
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
        return Counter(row.reason for row in self.rows if row.status != USED)

    def _count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows)

    def save(self, folder: RunFolder) -> None:
        """Write `data/audit.json` and `data/quarantine.jsonl` durably."""
        counts = {"listed": self.listed, "used": self.used}
        counts |= {"quarantined": self.quarantined, "excluded": self.excluded}
        rows = [asdict(row) for row in self.rows]
        value = {**counts, "warnings": list(self.warnings), "rows": rows}
        bad = [_quarantine_entry(row) for row in self.rows if row.status == QUARANTINED]
        lines = [json.dumps(entry, sort_keys=True) + "\n" for entry in bad]
        write_text(folder.quarantine_path, "".join(lines))
        write_sealed(folder.audit_path, value, version=_FORMAT)

    @classmethod
    def load(cls, path: Path) -> "Audit":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        hint = "delete the file; the audit is then made again"
        try:
            return read_sealed(path, cls, version=_FORMAT, hint=hint)
        except DataError as error:
            msg = f"{path}: expected a saved audit, got one that does not add up"
            raise StateError(msg, hint=hint, slug="state/damaged") from error


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


def audit(
    source: Source,
    *,
    folds: int,
    progress: Progress,
    previous: Path | None = None,
    folder: RunFolder | None = None,
) -> Audit:
    """Read every sample once, and judge whether the data can be trained on.

    Args:
        source: What to read.
        folds: Each class needs at least so many samples; 0 asks nothing of the classes, for data
            that are only predicted.
        progress: Who watches.
        previous: The `audit.json` of an earlier run; files whose stamp is the same are not read
            again.
        folder: Where to save the audit, also when the data are then refused.

    Raises:
        DataError: Unless `folds` is 0: if there are no usable images, fewer than two classes, a
            class with fewer samples than folds.
    """
    rows, copies = list(_read_all(source, progress, _known(previous))), list[str]()
    if folds:  # what is only predicted may well be there twice
        rows, copies = _without_conflicts(source, rows)
    excluded = [AuditRow(name, EXCLUDED, rule) for name, rule in source.excluded]
    warnings = [*source.warnings, *twins(source), *_left_out(excluded)]
    if folds:  # who only predicts names what cannot be predicted, and has no folds
        warnings += _remarks(rows, copies, _NAMED[folder is not None])
    used = [i for i, row in enumerate(rows) if row.status == USED]
    digests = [rows[i].digest for i in used]
    refusals, remarks = judge_classes(source, used, digests, folds) if folds else ([], [])
    result = Audit(
        rows=(*rows, *excluded),
        listed=len(source) + len(source.excluded),
        warnings=(*warnings, *remarks),
    )
    if folder:
        result.save(folder)
    if folds:
        _check_amounts(result)
    if refusals:
        raise refusals[0]
    for text in result.warnings:
        logger.warning(text)
    quiet = _ids_by_reason(row for row in excluded if row.reason in QUIET_RULES)
    if quiet:
        logger.info("left out: %s", counted(quiet))
    return result


def _known(previous: Path | None) -> dict[str, AuditRow]:
    if previous is None or not previous.exists():
        return {}
    try:
        return {row.sample_id: row for row in Audit.load(previous).rows if row.stamp}
    except StateError as error:
        logger.warning("the earlier audit cannot be used, all samples are read again: %s", error)
        return {}


def _read_all(source: Source, progress: Progress, known: Mapping[str, AuditRow]) -> list[AuditRow]:
    rows: list[AuditRow] = []
    workers = min(os.cpu_count() or 1, _MOST_THREADS)
    with progress.bar("audit", len(source)) as advance, ThreadPoolExecutor(workers) as threads:
        for start in range(0, len(source), _CHUNK):
            chunk = range(start, min(start + _CHUNK, len(source)))
            for row in threads.map(lambda i: _row_of(source, i, known), chunk):
                rows.append(row)
                advance(1)
    return rows


def _row_of(source: Source, i: int, known: Mapping[str, AuditRow]) -> AuditRow:
    sample_id, stamp = source.sample_ids[i], source.stamp(i)
    row = AuditRow(sample_id, USED, stamp=stamp, path=source.path(i))
    earlier = known.get(sample_id)
    if earlier and (earlier.stamp, earlier.path) == (stamp, row.path):
        # A conflict is a matter of all samples, not of this one: it is judged again.
        back = earlier.reason == LABEL_CONFLICT
        return replace(earlier, status=USED, reason="", detail="") if back else earlier
    try:
        sample, digest = source.read(i)
    except ImageProblem as problem:
        return replace(
            row,
            status=QUARANTINED,
            reason=problem.reason.value,
            detail=problem.detail,
            digest=_digest_of_bad(source, i),
        )
    height, width = sample.image.shape[:2]
    return replace(row, digest=digest, height=height, width=width)


def _digest_of_bad(source: Source, i: int) -> str:
    try:
        return source.digest(i)
    except ImageProblem:  # it cannot even be read, and the row says why
        return ""


def _without_conflicts(
    source: Source, rows: Sequence[AuditRow]
) -> tuple[list[AuditRow], list[str]]:
    """Quarantine equal contents with different targets; name equal contents with the same."""
    same: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.status == USED:
            same[row.digest].append(i)
    result, copies = list(rows), []
    for members in same.values():
        if len(members) == 1:
            continue
        if len({_target_bytes(source, i) for i in members}) == 1:
            copies += [rows[i].sample_id for i in members[1:]]
            continue
        names = ", ".join(repr(rows[i].sample_id) for i in members[:3])
        detail = f"the same content with different labels: {names}"
        for i in members:
            result[i] = replace(rows[i], status=QUARANTINED, reason=LABEL_CONFLICT, detail=detail)
    return result, copies


def _target_bytes(source: Source, i: int) -> bytes:
    target = source.target(i)
    return b"" if target is None else np.asarray(target, dtype=np.float32).tobytes()


def _remarks(rows: Sequence[AuditRow], copies: Sequence[str], named_in: str) -> Iterator[str]:
    """Word warnings about what is not used, and about copies."""
    if copies:
        yield (
            f"exact copies of another image with the same label: {len(copies)}, "
            f"{first_of(copies)}; all are used, and copies stay in one fold"
        )
    bad = _ids_by_reason(row for row in rows if row.status == QUARANTINED)
    if bad:
        ids = [row.sample_id for row in rows if row.status == QUARANTINED]
        images = "1 image" if len(ids) == 1 else f"{len(ids):,} images"
        yield f"{images} cannot be used: {counted(bad)}; {first_of(ids)}; {named_in}"


def _left_out(excluded: Sequence[AuditRow]) -> Iterator[str]:
    """Word a warning about what rules have left out, unless nobody takes it for an image."""
    loud = [row for row in excluded if row.reason not in QUIET_RULES]
    if loud:
        ids = [row.sample_id for row in loud]
        yield f"left out: {counted(_ids_by_reason(loud))}; {first_of(ids)}"


def _ids_by_reason(rows: Iterable[AuditRow]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        ids[row.reason].append(row.sample_id)
    return ids


def _check_amounts(result: Audit) -> None:
    if not result.used:
        unused = [row for row in result.rows if row.status != USED]
        found = counted(_ids_by_reason(unused)) or "nothing listed"
        msg = f"expected at least 1 usable image of {result.listed} listed, got 0: {found}"
        hint = "check the path of the data set"
        lost = next((row.path for row in unused if row.reason == Reason.MISSING), "")
        hint += f"; the first that is missing would be {lost}" if lost else ""
        raise DataError(msg, hint=hint, slug="data/no-images")
