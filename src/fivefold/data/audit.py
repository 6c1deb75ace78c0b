"""The audit: every sample is read once before anything is trained on it."""

import json
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.types import Image, Indices
from fivefold.data.audit_rows import (
    EXCLUDED,
    QUARANTINED,
    USED,
    AuditRow,
    AuditRows,
    GatheredRows,
    Verdict,
)
from fivefold.data.audited import Audit, reasons_of
from fivefold.data.class_checks import judge_classes, twins
from fivefold.data.forked import read_in_order
from fivefold.data.forks import Item
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.kept import Kept
from fivefold.data.packed import chosen
from fivefold.data.reasons import QUIET_RULES, by_reason, counted, first_of, left_out
from fivefold.data.source import Fetched, Source
from fivefold.data.text_order import TextIndex, first_alike

logger = logging.getLogger(__name__)

LABEL_CONFLICT = "label_conflict"

_NAMED = {
    True: "data/quarantine.jsonl names all",
    False: "`fivefold fit` names all in data/quarantine.jsonl",
}
_NOTHING: Indices = np.empty(0, dtype=np.int64)
_AHEAD = 16  # samples that each thread may be ahead, so that an interrupt is quick

Seen: TypeAlias = tuple[AuditRow, Image | None]
"""What became of a sample, and its pixels where they are to be kept."""


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
    rows, copies = _read_all(source, progress, _known(previous), kept), _NOTHING
    if folds:  # what is only predicted may well be there twice
        rows, copies = _without_conflicts(source, rows)
    warnings = [*source.warnings, *twins(source), *left_out(source.excluded)]
    if folds:  # who only predicts names what cannot be predicted, and has no folds
        warnings += _remarks(rows, copies, _NAMED[folder is not None])
    refusals, remarks = judge_classes(source, rows, folds) if folds else ([], [])
    result = Audit(
        rows=rows,
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


class _Known:
    """What an earlier audit has found, by the ids of samples.

    Args:
        rows: Of the earlier audit.
    """

    def __init__(self, rows: AuditRows) -> None:
        self._rows = rows
        self._index = TextIndex(rows.ids)

    def find(self, sample_id: str) -> AuditRow | None:
        """Give a sample's row, unless nothing would tell that its file has changed."""
        place = self._index.find(sample_id)
        return None if place is None or not self._rows.stamps[place] else self._rows[place]


def _known(previous: Path | None) -> _Known:
    if previous is None or not previous.exists():
        return _Known(AuditRows.of(()))
    try:
        return _Known(Audit.load(previous).rows)
    except StateError as error:
        logger.warning("the earlier audit cannot be used, all samples are read again: %s", error)
        return _Known(AuditRows.of(()))


def _read_all(source: Source, progress: Progress, known: _Known, kept: Kept | None) -> AuditRows:
    gathered = GatheredRows()
    found = _in_order(source, lambda i: _look(source, i, known, kept))
    with progress.bar("audit", len(source)) as advance, closing(found):
        try:
            for i, (row, pixels) in enumerate(found):
                if kept and pixels is not None:
                    kept.keep(i, row.digest, pixels, (row.height, row.width))
                gathered.add(row)
                advance(1)
        finally:
            if kept:  # also what was decoded before an interrupt
                kept.commit()
    for sample_id, rule in source.excluded:
        gathered.add(AuditRow(sample_id, EXCLUDED, rule))
    return gathered.done()


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


def _look(source: Source, i: int, known: _Known, kept: Kept | None) -> Seen:
    """Find out about one sample; with its pixels where they are to be kept."""
    sample_id, stamp = source.sample_ids[i], source.stamp(i)
    row = AuditRow(sample_id, USED, stamp=stamp, path=source.path(i))
    earlier = known.find(sample_id)
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


def _without_conflicts(source: Source, rows: AuditRows) -> tuple[AuditRows, Indices]:
    """Quarantine equal contents with different targets; find equal contents with the same."""
    verdicts: list[tuple[Indices, Verdict]] = []
    copies = [_NOTHING]
    for members in _alike(rows):
        if len({_target_bytes(source, i) for i in members.tolist()}) == 1:
            copies.append(members[1:])
            continue
        names = ", ".join(repr(rows.ids[i]) for i in members[:3].tolist())
        detail = f"the same content with different labels: {names}"
        verdicts.append((members, (QUARANTINED, LABEL_CONFLICT, detail)))
    return rows.judged_anew(verdicts) if verdicts else rows, np.concatenate(copies)


def _alike(rows: AuditRows) -> Iterator[Indices]:
    """Find used rows with the same content: at least two each time, both levels ascending."""
    used = rows.with_status(USED)
    first = first_alike(chosen(rows.digests, used))
    again = np.flatnonzero(first != np.arange(len(first)))
    again = again[np.argsort(first[again], kind="stable")]
    starts = np.flatnonzero(np.diff(first[again], prepend=-1))
    for members in np.split(again, starts[1:]) if len(again) else []:
        yield used[np.r_[first[members[0]], members]]


def _target_bytes(source: Source, i: int) -> bytes:
    target = source.target(i)
    return b"" if target is None else np.asarray(target, dtype=np.float32).tobytes()


def _remarks(rows: AuditRows, copies: Indices, named_in: str) -> Iterator[str]:
    """Word warnings about what is not used, and about copies."""
    if len(copies):
        yield (
            f"exact copies of another image with the same label: {len(copies)}, "
            f"{first_of(chosen(rows.ids, copies))}; all are used, and copies stay in one fold"
        )
    bad = rows.with_status(QUARANTINED)
    if len(bad):
        images = "1 image" if len(bad) == 1 else f"{len(bad):,} images"
        reasons = counted(reasons_of(rows, QUARANTINED))
        told = _first_with(rows, bad, Reason.DATASET_ERROR)
        first = f" (first {told.detail.partition(chr(10))[0]})" if told and told.detail else ""
        ids = first_of(chosen(rows.ids, bad))
        yield f"{images} cannot be used: {reasons}{first}; {ids}; {named_in}"


def _first_with(rows: AuditRows, places: Indices, reason: str) -> AuditRow | None:
    has = np.asarray([verdict[1] == reason for verdict in rows.verdicts], dtype=bool)
    found = places[has[rows.judged[places]]]
    return rows[int(found[0])] if len(found) else None


def _check_amounts(result: Audit) -> None:
    if not result.used:
        found = counted(result.reasons) or "nothing listed"
        msg = f"expected at least 1 usable image of {result.listed} listed, got 0: {found}"
        hint = "check the path of the data set"
        lost = _first_with(result.rows, np.arange(len(result.rows)), Reason.MISSING)
        hint += f"; the first that is missing would be {lost.path}" if lost and lost.path else ""
        if not lost:
            msg += _first_detail(result.rows)
        raise DataError(msg, hint=hint, slug="data/no-images")


def _first_detail(rows: AuditRows) -> str:
    """Say of the first sample that cannot be used what was met."""
    for place in rows.with_status(QUARANTINED)[:1].tolist():
        detail = rows[place].detail.partition("\n")[0]
        return f"; the first, {rows.ids[place]!r}: {detail}" if detail else ""
    return ""
