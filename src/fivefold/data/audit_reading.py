"""Every sample read once: from its file, or only its file's beginning, or from the cache."""

import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, replace
from typing import TypeAlias

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.core.progress import Progress
from fivefold.core.types import Image
from fivefold.data.audit_rows import (
    EXCLUDED,
    QUARANTINED,
    USED,
    AuditRow,
    AuditRows,
    GatheredRows,
)
from fivefold.data.file_kinds import is_misnamed
from fivefold.data.forked import read_in_order
from fivefold.data.forks import Item
from fivefold.data.image_problem import ImageProblem
from fivefold.data.kept import Kept
from fivefold.data.looks import LONGEST, measured
from fivefold.data.mask_checks import counted_mask
from fivefold.data.packed_numbers import in_parts
from fivefold.data.shards import Known
from fivefold.data.source import Fetched, Source
from fivefold.data.text_order import TextIndex

LABEL_CONFLICT = "label_conflict"

_AHEAD = 16  # samples that each thread may be ahead, so that an interrupt is quick
_TOGETHER = 256  # headers that a thread reads without asking for more work
MISNAMED = "+misnamed"
"""What a row's look says beside what the content tells, since that has no name."""

Seen: TypeAlias = tuple[AuditRow, Image | None]
"""What became of a sample, and its pixels where they are to be kept."""


class Earlier:
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


def read_all(source: Source, progress: Progress, earlier: Earlier, kept: Kept | None) -> AuditRows:
    """Read every sample; gives a row for each, and for what rules have left out.

    Args:
        source: What to read.
        progress: Who watches.
        earlier: Files whose stamp is the same as there are not read again.
        kept: Gets the pixels; an image that it has already is not decoded at all.
    """
    return _gathered(source, progress, lambda i: _look(source, i, earlier, kept), kept)


def read_headers(source: Source, progress: Progress) -> AuditRows:
    """Read how every file begins: its size and format, and that it is there; masks wholly.

    The digest of a sample is then one of its id and its file's stamp, so that no two are copies.
    Samples that are no files are read whole.
    """
    if source.one_at_a_time:
        return _gathered(source, progress, lambda i: (_glance(source, i), None), None)
    gathered, threads = GatheredRows(), decoding_threads()
    found = map_ahead(
        lambda places: [_glance(source, i) for i in places],
        in_parts(len(source), _TOGETHER),
        threads=threads,
        ahead=threads,
    )
    with progress.bar("audit", len(source)) as advance, closing(found):
        for rows in found:
            for row in rows:
                gathered.add(row)
            advance(len(rows))
    return _with_excluded(source, gathered)


def _gathered(
    source: Source, progress: Progress, look: Callable[[int], Seen], kept: Kept | None
) -> AuditRows:
    gathered = GatheredRows()
    found = _in_order(source, look)
    with progress.bar("audit", len(source)) as advance, closing(found):
        try:
            for i, (row, pixels) in enumerate(found):
                if kept and pixels is not None:
                    of_content = row.look.replace(MISNAMED, "")
                    known = Known(row.height, row.width, of_content, row.counts)
                    kept.keep(i, row.digest, pixels, known)
                if row.counts:
                    source.tell_counts(i, row.counts)
                gathered.add(row)
                advance(1)
        finally:
            if kept:  # also what was decoded before an interrupt
                kept.commit()
    return _with_excluded(source, gathered)


def _with_excluded(source: Source, gathered: GatheredRows) -> AuditRows:
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
            known = json.loads(text)
            yield AuditRow(**{**known, "counts": tuple(known["counts"])}), pixels


def _refused(item: Item) -> str:
    row = json.loads(item[0])
    return f"{row['detail'] or row['reason']}" if row["status"] == QUARANTINED else ""


def _look(source: Source, i: int, known: Earlier, kept: Kept | None) -> Seen:
    """Find out about one sample; with its pixels where they are to be kept."""
    row = _listed(source, i)
    earlier = known.find(row.sample_id)
    same = earlier is not None and (earlier.stamp, earlier.path) == (row.stamp, row.path)
    if earlier and same and not _is_to_be_read(earlier, kept, source.masks):
        # A conflict is a matter of all samples, not of this one: it is judged again.
        back = earlier.reason == LABEL_CONFLICT
        return replace(earlier, status=USED, reason="", detail="") if back else earlier, None
    digest = ""
    try:
        fetched = source.fetch(i)
        digest = fetched.digest
        found, pixels = _decoded(fetched, row, kept, source.masks)
    except ImageProblem as problem:
        return replace(_refusal(row, problem), digest=digest), None
    return _known_row(row, digest, found), pixels


def _glance(source: Source, i: int) -> AuditRow:
    """Find out about one sample what its file's beginning tells."""
    try:
        header = source.header(i)
        if header is None:
            row, fetched = _listed(source, i), source.fetch(i)
            known = _decoded(fetched, row, None, source.masks)[0]
            return _known_row(row, fetched.digest, known)
        # Nobody knows what a mask shows who has not read all of it.
        counts = tuple(source.counts(i).tolist())
    except ImageProblem as problem:
        return _refusal(_listed(source, i), problem)
    sample_id, path, stamp = source.sample_ids[i], source.path(i), header.stamp
    digest = hashlib.sha256(f"{sample_id}\0{stamp}".encode(errors="surrogateescape")).hexdigest()
    look = header.kind + MISNAMED * is_misnamed(path or sample_id, header.kind)
    size = header.height, header.width
    return AuditRow(sample_id, USED, "", "", stamp, digest, *size, path, look, counts)


def _listed(source: Source, i: int) -> AuditRow:
    return AuditRow(source.sample_ids[i], USED, stamp=source.stamp(i), path=source.path(i))


def _refusal(row: AuditRow, problem: ImageProblem) -> AuditRow:
    return replace(row, status=QUARANTINED, reason=problem.reason.value, detail=problem.detail)


def _known_row(row: AuditRow, digest: str, known: Known) -> AuditRow:
    look = known.look
    if is_misnamed(row.path or row.sample_id, look):
        kind, space, numbers = look.partition(" ")
        look = kind + MISNAMED + space + numbers
    height, width, _, counts = known
    return replace(row, digest=digest, height=height, width=width, look=look, counts=counts)


def _is_to_be_read(earlier: AuditRow, kept: Kept | None, masks: MaskKind | None) -> bool:
    """Tell whether a sample that was read in an earlier run is read again for its pixels."""
    if not earlier.height:
        return False
    if len(earlier.counts) != (masks.num_classes if masks else 0):  # it was read as another thing
        return True
    if not earlier.look:  # an earlier version did not look
        return True
    if kept is None or not kept.on_disk:  # memory is filled by whoever needs them
        return False
    return kept.find(earlier.digest) is None


def _decoded(
    fetched: Fetched, row: AuditRow, kept: Kept | None, masks: MaskKind | None
) -> tuple[Known, Image | None]:
    """Look at a whole image and its mask; gives what is to be kept of them and is not yet.

    Raises:
        ImageProblem: If they cannot be decoded, or the mask is none of that image.
    """
    found = kept.find(fetched.digest) if kept else None
    if found and found.look:
        return found, None
    decoded = fetched.decode(kept.preprocess.size if kept else (LONGEST, LONGEST))
    counts = counted_mask(decoded, masks)[1].tolist() if masks else ()
    look = str(measured(decoded.kind, decoded.image))
    known = Known(decoded.height, decoded.width, look, tuple(counts))
    if kept is None or not kept.wanted:
        return known, None
    try:
        return known, kept.preprocess.row(decoded.image, decoded.mask, row.sample_id)
    except DataError:  # not the audit's matter: whoever reads the sample is told where it lies
        return known, None
