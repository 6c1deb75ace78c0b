"""Labels that were found to be wrong, put right while the user's files stay as they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fivefold.core.class_text import classes_as_text, classes_of_text, nothing_of
from fivefold.core.errors import DataError, Problem, closest, did_you_mean
from fivefold.core.types import AnyArray, Floats
from fivefold.data.correction_rows import SLUG, CorrectionRow, read_corrections, refuse
from fivefold.data.source import Labels, Source
from fivefold.data.text_order import TextIndex
from fivefold.data.views.changed import ChangedSource
from fivefold.data.views.parts import PartSource

LEFT_OUT = "corrections"
"""The rule by which a table of corrections leaves samples out."""

_AWAY = frozenset({"delete", "drop", "exclude", "no", "remove", "skip"})
_SEARCHED = 10_000  # ids among which a similar one is looked for


@dataclass
class _Changes:
    """What becomes of samples, by their positions.

    Attributes:
        targets: New truths [C].
        gone: Those that are left out.
        stale: Rows whose given label is not the data's.
    """

    targets: dict[int, Floats] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    stale: list[CorrectionRow] = field(default_factory=list)


def corrected(source: Source, path: Path) -> Source:
    """Give the samples that a table names the labels that it says, or leave them out.

    Nothing of the user's is written: whoever reads the source sees other labels.

    Args:
        source: The samples.
        path: The table; see `read_corrections`. A label is a class name; where several may be true,
            any number of them with `|` between, or the sign that `fivefold suspects` has taken;
            `(none)` is none.

    Raises:
        DataError: If the table cannot be used; names all rows that are wrong.
    """
    if not source.labels:
        msg = f"{path}: expected samples with labels to correct, got none"
        raise DataError(msg, slug=SLUG)
    changes, (rows, problems) = _Changes(), read_corrections(path)
    _apply(source, rows, changes, problems)
    refuse(problems)
    view: Source = _CorrectedSource(source, changes.targets)
    if changes.gone:
        kept = np.ones(len(source), dtype=bool)
        kept[list(changes.gone)] = False
        view = PartSource(view, kept, LEFT_OUT)
    view.notes = (*source.notes, _told(path, changes))
    view.warnings = (*source.warnings, *_stale(path, changes.stale))
    return view


class _CorrectedSource(ChangedSource):
    """A source some of whose truths are others.

    Args:
        source: Reads the samples.
        targets: Position to truth [C].
    """

    def __init__(self, source: Source, targets: Mapping[int, Floats]) -> None:
        super().__init__(source)
        self._targets = targets

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C]."""
        known = self._targets.get(i)
        return self._source.target(i) if known is None else known

    def targets(self, positions: Sequence[int]) -> Floats:
        """Tell the truths [n, C] of some samples."""
        found = np.array(self._source.targets(positions))
        for row, i in enumerate(positions):
            if i in self._targets:
                found[row] = self._targets[i]
        return found

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for: with another label, whether it has one."""
        if i in self._targets:
            return Source.is_positive(self, i)
        return self._source.is_positive(i)


def _apply(
    source: Source, rows: Sequence[CorrectionRow], changes: _Changes, problems: list[Problem]
) -> None:
    index, seen = TextIndex(source.sample_ids), dict[tuple[int, str], str]()
    for row in rows:
        i = index.find(row.sample_id)
        if i is None:
            problems.append(_unknown_id(row, source.sample_ids))
            continue
        output = _output(source, row, problems)
        if output is None:
            continue
        before = seen.setdefault((i, output[0].name), row.where)
        if before != row.where:
            message = f"id: expected each sample once, got {row.sample_id!r} again"
            problems.append(Problem(SLUG, row.where, message, f"first in {before}"))
        elif not row.keep:
            changes.gone.add(i)
        else:
            _relabel(source, i, row, output, changes, problems)


def _relabel(
    source: Source,
    i: int,
    row: CorrectionRow,
    output: tuple[Labels, slice],
    changes: _Changes,
    problems: list[Problem],
) -> None:
    labels, columns = output
    if source.masks:
        message = f"corrected: expected nothing, since a mask has no label, got {row.corrected!r}"
        hint = "to leave the sample out, write no in the column `keep`; mend its mask in the file"
        problems.append(Problem(SLUG, row.where, message, hint))
        return
    wanted = _wanted(row, labels, problems)
    if wanted is None:
        return
    raw = source.target(i)
    width = sum(len(one.class_names) for one in source.labels)
    old = np.zeros(width, dtype=np.float32) if raw is None else raw
    given = (row.given or "").strip()
    if given and raw is not None and given != _label_text(old[columns], labels).strip():
        changes.stale.append(row)
    if raw is None or (old[columns] != wanted).any():
        new = np.array(changes.targets.get(i, old), dtype=np.float32)
        new[columns] = wanted
        changes.targets[i] = new


def _wanted(row: CorrectionRow, labels: Labels, problems: list[Problem]) -> Floats | None:
    """Read the label that a row asks for; None where it is wrong."""
    known = labels.class_names
    # A name may begin or end with spaces; all others are stray.
    text = row.corrected if row.corrected in known else row.corrected.strip()
    names = (text,) if labels.exclusive else classes_of_text(row.corrected, known)
    unknown = [name for name in names if name not in known]
    if unknown:
        kind = "a class" if labels.exclusive else "classes"
        message = f"corrected: expected {kind} of the data set, got {unknown[0]!r}"
        problems.append(Problem(SLUG, row.where, message, _hint(unknown[0], labels)))
        return None
    return np.isin(np.asarray(known), names).astype(np.float32)


def _hint(name: str, labels: Labels) -> str:
    if name.casefold() in _AWAY:
        return "to leave the sample out, write no in the column `keep`"
    listed = ", ".join(map(repr, labels.class_names[:8]))
    more = "" if labels.exclusive else f"; {nothing_of(labels.class_names)} is none"
    return did_you_mean(name, labels.class_names, f"there are {listed}{more}")


def _output(
    source: Source, row: CorrectionRow, problems: list[Problem]
) -> tuple[Labels, slice] | None:
    """Find the output that a row is about and its columns; None where there is no such one."""
    stop = 0
    for labels in source.labels:
        start, stop = stop, stop + len(labels.class_names)
        alone = len(source.labels) == 1 and not row.output
        if labels.name == row.output or alone or (not row.output and not row.keep):
            return labels, slice(start, stop)
    names = [labels.name for labels in source.labels]
    message = f"output: expected one of the data set's outputs, got {row.output!r}"
    listed = ", ".join(map(repr, names[:8])) if any(names) else "none: leave it empty"
    hint = did_you_mean(row.output, names, f"there are {listed}")
    problems.append(Problem(SLUG, row.where, message, hint))
    return None


def _unknown_id(row: CorrectionRow, ids: Sequence[str]) -> Problem:
    message = f"id: expected a sample of the data set, got {row.sample_id!r}"
    near = closest(row.sample_id, _some(ids))
    hint = f"did you mean {near!r}?" if near else f"an id looks like {ids[0]!r}" if ids else ""
    return Problem(SLUG, row.where, message, hint)


def _some(ids: Sequence[str]) -> Iterator[str]:
    return (ids[i] for i in range(min(len(ids), _SEARCHED)))


def _label_text(truth: AnyArray, labels: Labels) -> str:
    names = [labels.class_names[k] for k in np.flatnonzero(truth > 0.5).tolist()]
    return classes_as_text(names, labels.class_names)


def _told(path: Path, changes: _Changes) -> str:
    changed = len(changes.targets.keys() - changes.gone)
    labels = "1 label" if changed == 1 else f"{changed:,} labels"
    samples = "1 sample" if len(changes.gone) == 1 else f"{len(changes.gone):,} samples"
    return f"{path.name}: {labels} changed, {samples} left out"


def _stale(path: Path, rows: Sequence[CorrectionRow]) -> list[str]:
    if not rows:
        return []
    text = f"{path}: {len(rows)} labels have changed since this table was made, such as that of "
    return [f"{text}{rows[0].sample_id!r} ({rows[0].where}): the correction counts"]
