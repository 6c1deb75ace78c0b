"""The audit: every sample is read once before anything is trained on it."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.durable import write_text
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.core.types import Image
from fivefold.data.class_checks import judge_classes, twins
from fivefold.data.decode import ImageProblem, Reason
from fivefold.data.forked import read_in_order
from fivefold.data.forks import Item
from fivefold.data.kept import Kept
from fivefold.data.reasons import QUIET_RULES, by_reason, counted, first_of, left_out
from fivefold.data.source import Fetched, Source

logger = logging.getLogger(__name__)

USED, QUARANTINED, EXCLUDED = "used", "quarantined", "excluded"
LABEL_CONFLICT = "label_conflict"

_NAMED = {
    True: "data/quarantine.jsonl names all",
    False: "`fivefold fit` names all in data/quarantine.jsonl",
}
_FORMAT = 1
_AHEAD = 16  # samples that each thread may be ahead, so that an interrupt is quick


@dataclass(frozen=True, slots=True)
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


Seen: TypeAlias = tuple[AuditRow, Image | None]
"""What became of a sample, and its pixels where they are to be kept."""


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
    kept: Kept | None = None,
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
        kept: Gets the pixels of every readable sample, so that nothing is decoded again; an image
            that it has already is not decoded at all.

    Raises:
        DataError: Unless `folds` is 0: if there are no usable images, fewer than two classes, a
            class with fewer samples than folds.
    """
    rows, copies = _read_all(source, progress, _known(previous), kept), list[str]()
    if folds:  # what is only predicted may well be there twice
        rows, copies = _without_conflicts(source, rows)
    excluded = [AuditRow(name, EXCLUDED, rule) for name, rule in source.excluded]
    warnings = [*source.warnings, *twins(source), *left_out(source.excluded)]
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
    quiet = by_reason(pair for pair in source.excluded if pair[1] in QUIET_RULES)
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


def _read_all(
    source: Source, progress: Progress, known: Mapping[str, AuditRow], kept: Kept | None
) -> list[AuditRow]:
    rows: list[AuditRow] = []
    found = _in_order(source, lambda i: _look(source, i, known, kept))
    with progress.bar("audit", len(source)) as advance, closing(found):
        try:
            for i, (row, pixels) in enumerate(found):
                if kept and pixels is not None:
                    kept.keep(i, row.digest, pixels, (row.height, row.width))
                rows.append(row)
                advance(1)
        finally:
            if kept:  # also what was decoded before an interrupt
                kept.commit()
    return rows


def _in_order(source: Source, look: Callable[[int], Seen]) -> Generator[Seen]:
    """Look at all positions of a source in threads, or in processes; in their order."""
    if source.one_at_a_time:
        return _in_processes(source, look)
    threads = decoding_threads()
    return map_ahead(look, range(len(source)), threads=threads, ahead=threads * _AHEAD)


def _in_processes(source: Source, look: Callable[[int], Seen]) -> Generator[Seen]:
    def read(i: int) -> Item:
        row, pixels = look(i)
        return json.dumps(asdict(row)), pixels

    items = read_in_order(read, range(len(source)), source.name_of, source.trust, _refused)
    with closing(items):
        for text, pixels in items:
            yield AuditRow(**json.loads(text)), pixels


def _refused(item: Item) -> str:
    row = json.loads(item[0])
    return f"{row['detail'] or row['reason']}" if row["status"] == QUARANTINED else ""


def _look(source: Source, i: int, known: Mapping[str, AuditRow], kept: Kept | None) -> Seen:
    """Find out about one sample; with its pixels where they are to be kept."""
    sample_id, stamp = source.sample_ids[i], source.stamp(i)
    row = AuditRow(sample_id, USED, stamp=stamp, path=source.path(i))
    earlier = known.get(sample_id)
    same = earlier is not None and (earlier.stamp, earlier.path) == (stamp, row.path)
    if earlier and same and not _is_to_be_kept(earlier, kept):
        # A conflict is a matter of all samples, not of this one: it is judged again.
        back = earlier.reason == LABEL_CONFLICT
        return replace(earlier, status=USED, reason="", detail="") if back else earlier, None
    digest = ""
    try:
        fetched = source.fetch(i)
        digest = fetched.digest
        (height, width), pixels = _decoded(fetched, row, kept)
    except ImageProblem as problem:
        bad = replace(row, status=QUARANTINED, reason=problem.reason.value, detail=problem.detail)
        return replace(bad, digest=digest), None
    return replace(row, digest=digest, height=height, width=width), pixels


def _is_to_be_kept(earlier: AuditRow, kept: Kept | None) -> bool:
    """Tell whether a sample that was read in an earlier run is read for its pixels alone."""
    if kept is None or not kept.on_disk:  # memory is filled by whoever needs them
        return False
    return earlier.height > 0 and kept.find(earlier.digest) is None


def _decoded(
    fetched: Fetched, row: AuditRow, kept: Kept | None
) -> tuple[tuple[int, int], Image | None]:
    """Give the size of a whole image, and its pixels where they are to be kept and are not yet.

    Raises:
        ImageProblem: If it cannot be decoded.
    """
    size = kept.find(fetched.digest) if kept else None
    if size:
        return size, None
    decoded = fetched.decode(kept.preprocess.size if kept else None)
    size = decoded.height, decoded.width
    if kept is None or not kept.wanted:
        return size, None
    try:
        return size, kept.preprocess(decoded.image, row.sample_id)
    except DataError:  # not the audit's matter: whoever reads the sample is told where it lies
        return size, None


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
    bad = by_reason((row.sample_id, row.reason) for row in rows if row.status == QUARANTINED)
    if bad:
        ids = [row.sample_id for row in rows if row.status == QUARANTINED]
        images = "1 image" if len(ids) == 1 else f"{len(ids):,} images"
        told = next((row.detail for row in rows if row.reason == Reason.DATASET_ERROR), "")
        first = f" (first {told.partition(chr(10))[0]})" if told else ""
        yield f"{images} cannot be used: {counted(bad)}{first}; {first_of(ids)}; {named_in}"


def _check_amounts(result: Audit) -> None:
    if not result.used:
        unused = [row for row in result.rows if row.status != USED]
        found = (
            counted(by_reason((row.sample_id, row.reason) for row in unused)) or "nothing listed"
        )
        msg = f"expected at least 1 usable image of {result.listed} listed, got 0: {found}"
        hint = "check the path of the data set"
        lost = next((row.path for row in unused if row.reason == Reason.MISSING), "")
        hint += f"; the first that is missing would be {lost}" if lost else ""
        raise DataError(msg, hint=hint, slug="data/no-images")
