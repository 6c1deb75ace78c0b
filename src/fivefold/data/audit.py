"""The audit: every sample is read once before anything is trained on it."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.types import Indices
from fivefold.data.audit_reading import LABEL_CONFLICT, Earlier, read_all, read_headers
from fivefold.data.audit_rows import QUARANTINED, USED, AuditRow, AuditRows, Verdict
from fivefold.data.audited import Audit, reasons_of
from fivefold.data.class_checks import judge_classes, twins
from fivefold.data.image_problem import Reason
from fivefold.data.kept import Kept
from fivefold.data.packed import chosen
from fivefold.data.reasons import QUIET_RULES, by_reason, counted, first_of, left_out
from fivefold.data.source import Source
from fivefold.data.text_order import first_alike

logger = logging.getLogger(__name__)

_NAMED = {
    True: "data/quarantine.jsonl names all",
    False: "`fivefold fit` names all in data/quarantine.jsonl",
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
    found = examine(
        source, folds=folds, progress=progress, previous=previous, kept=kept, saved=bool(folder)
    )
    if folder:
        found.audit.save(folder)
    if found.refusals:
        raise found.refusals[0]
    for text in found.audit.warnings:
        logger.warning(text)
    quiet = by_reason(pair for pair in source.excluded if pair[1] in QUIET_RULES)
    if quiet:
        logger.info("left out: %s", counted(quiet))
    return found.audit


@dataclass(frozen=True)
class Examined:
    """What was found, and whether it can be trained on.

    Attributes:
        audit: What became of each sample.
        refusals: Why the data cannot be trained on; none if they can.
        alike: Rows with the same content that are used, at least two each time.
    """

    audit: Audit
    refusals: Sequence[DataError]
    alike: Sequence[Indices]


def examine(
    source: Source,
    *,
    folds: int,
    progress: Progress,
    previous: Path | None = None,
    kept: Kept | None = None,
    saved: bool = False,
) -> Examined:
    """Read every sample once, and find what is wrong, without refusing anything; see `audit`.

    Args:
        source: What to read.
        folds: As `audit`.
        progress: Who watches.
        previous: As `audit`.
        kept: As `audit`.
        saved: Whether all that cannot be used will be named in a file.
    """
    rows = read_all(source, progress, _earlier(previous), kept)
    return _judged(source, rows, folds, _NAMED[saved or previous is not None])


def examine_headers(source: Source, *, folds: int, progress: Progress) -> Examined:
    """Find what is wrong as far as listing, labels and the files' beginnings tell; see `audit`.

    Copies are not found, nor what is damaged later in a file.
    """
    return _judged(source, read_headers(source, progress), folds, _NAMED[False])


def _judged(source: Source, rows: AuditRows, folds: int, named_in: str) -> Examined:
    alike = list[Indices]()
    if folds:  # what is only predicted may well be there twice
        rows, alike = _without_conflicts(source, rows)
    warnings = [*source.warnings, *twins(source), *left_out(source.excluded)]
    if folds:  # who only predicts names what cannot be predicted, and has no folds
        warnings += _remarks(rows, alike, named_in)
    refusals, remarks = judge_classes(source, rows, folds) if folds else ([], [])
    listed = len(source) + len(source.excluded)
    result = Audit(rows=rows, listed=listed, warnings=(*warnings, *remarks))
    nothing = [no_images(result)] if folds and not result.used else []
    return Examined(result, [*nothing, *refusals], alike)


def _earlier(previous: Path | None) -> Earlier:
    if previous is None or not previous.exists():
        return Earlier(AuditRows.of(()))
    try:
        return Earlier(Audit.load(previous).rows)
    except StateError as error:
        logger.warning("the earlier audit cannot be used, all samples are read again: %s", error)
        return Earlier(AuditRows.of(()))


def _without_conflicts(source: Source, rows: AuditRows) -> tuple[AuditRows, list[Indices]]:
    """Quarantine equal contents with different targets; find equal contents with the same."""
    verdicts: list[tuple[Indices, Verdict]] = []
    same: list[Indices] = []
    for members in _alike(rows):
        if len({_target_bytes(source, i) for i in members.tolist()}) == 1:
            same.append(members)
            continue
        names = ", ".join(repr(rows.ids[i]) for i in members[:3].tolist())
        detail = f"the same content with different labels: {names}"
        verdicts.append((members, (QUARANTINED, LABEL_CONFLICT, detail)))
    return rows.judged_anew(verdicts) if verdicts else rows, same


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


def _remarks(rows: AuditRows, alike: Sequence[Indices], named_in: str) -> Iterator[str]:
    """Word warnings about what is not used, and about copies."""
    if alike:
        copies = np.concatenate([members[1:] for members in alike])
        yield (
            f"exact copies of another image with the same label: {len(copies)}, "
            f"{first_of(chosen(rows.ids, copies))}; all are used, and copies stay in one fold"
        )
    bad = rows.with_status(QUARANTINED)
    if len(bad):
        images = "1 image" if len(bad) == 1 else f"{len(bad):,} images"
        reasons = counted(reasons_of(rows, QUARANTINED))
        told = _first_with(rows, bad, Reason.DATASET_ERROR)
        if rows.covered.shape[1]:  # else nobody knows whether the image or its mask is meant
            told = rows[int(bad[0])]
        first = f" (first {told.detail.partition(chr(10))[0]})" if told and told.detail else ""
        ids = first_of(chosen(rows.ids, bad))
        yield f"{images} cannot be used: {reasons}{first}; {ids}; {named_in}"


def _first_with(rows: AuditRows, places: Indices, reason: str) -> AuditRow | None:
    has = np.asarray([verdict[1] == reason for verdict in rows.verdicts], dtype=bool)
    found = places[has[rows.judged[places]]]
    return rows[int(found[0])] if len(found) else None


def no_images(result: Audit) -> DataError:
    """Word the error of data of which nothing can be used.

    Args:
        result: What was read.
    """
    found = counted(result.reasons) or "nothing listed"
    msg = f"expected at least 1 usable image of {result.listed} listed, got 0: {found}"
    hint = "check the path of the data set"
    lost = _first_with(result.rows, np.arange(len(result.rows)), Reason.MISSING)
    hint += f"; the first that is missing would be {lost.path}" if lost and lost.path else ""
    if not lost:
        msg += _first_detail(result.rows)
    return DataError(msg, hint=hint, slug="data/no-images")


def _first_detail(rows: AuditRows) -> str:
    """Say of the first sample that cannot be used what was met."""
    for place in rows.with_status(QUARANTINED)[:1].tolist():
        detail = rows[place].detail.partition("\n")[0]
        return f"; the first, {rows.ids[place]!r}: {detail}" if detail else ""
    return ""
