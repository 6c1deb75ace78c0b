"""Images of 16 bits whose numbers fill but a part of these, which makes them nearly black."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fivefold.data.audit_rows import AuditRows
from fivefold.data.decode import opened_image, read_bytes
from fivefold.data.files import FileSource
from fivefold.data.findings import Finding
from fivefold.data.image_problem import ImageProblem
from fivefold.data.looks import bit_of
from fivefold.data.source import Source

_READ = 16  # images of a finding
_WHITE, _NARROW = 65_535, 1 << 14
_ABOUT = ("dark", "16_bit")


def with_remedy(found: Sequence[Finding], source: Source, rows: AuditRows) -> Iterator[Finding]:
    """Say in findings of dark images, and of 16 bits, what to do if few of the bits are used.

    Args:
        found: All findings.
        source: Has the files; of others nothing is said.
        rows: Of the audit.
    """
    for one in found:
        largest = _largest(one, source, rows) if one.name in _ABOUT else 0
        if 0 < largest < _NARROW:
            said = f"the largest number of 16 bits is {largest:,} of {_WHITE:,}, which becomes "
            said += f"{round(largest / 257)} of 255: rescale such files to the full 16 bits"
            one = replace(one, action=f"{one.action}; {said}")
        yield one


def _largest(one: Finding, source: Source, rows: AuditRows) -> int:
    """Read the largest number in some images of 16 bits; 0 if there are none."""
    if not isinstance(source, FileSource):
        return 0
    deep = [k for k in one.rows.tolist() if k < len(source) and _is_deep(rows, k)]
    return max((_largest_in(source, k) for k in deep[:_READ]), default=0)


def _is_deep(rows: AuditRows, k: int) -> bool:
    return bool(rows.looks[k, 0] & bit_of("16-bit"))


def _largest_in(source: FileSource, i: int) -> int:
    try:
        with opened_image(read_bytes(Path(source.path(i)))) as (image, _):
            return int(np.asarray(image).max()) if image.mode.startswith("I") else 0
    except ImageProblem:  # read a moment ago: somebody writes there
        return 0
