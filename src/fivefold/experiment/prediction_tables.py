"""Tables of what models say of samples that they have not seen: out of fold, and on the holdout."""

import os
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from fivefold.core import durable
from fivefold.core.found import Found
from fivefold.core.layout import RunFolder
from fivefold.core.mask_scores import MaskScores
from fivefold.data.audited import Audit
from fivefold.evaluation import csv_bytes, prediction_rows
from fivefold.evaluation.mask_tables import mask_rows
from fivefold.experiment.unseen import found_on_holdout, found_with_folds

HOLDOUT_FOLD = -1
"""What stands for the fold of a holdout's samples, as in tables of folds."""


def write_prediction_tables(folder: RunFolder, folds: Sequence[int], stage: int) -> None:
    """Write `predictions/oof.csv`, and `predictions/holdout.csv` where there is a holdout.

    Columns: those of `prediction_rows`, or of `mask_rows`, with `path` (relative to the
    experiment's folder, left out where the data are no files) and `fold` behind the id.
    """
    paths = paths_of_samples(folder)
    found, fold_of = found_with_folds(folder, folds, stage)
    _write(folder.oof_path, found, fold_of, paths)
    held_out = found_on_holdout(folder, folds, stage)
    if held_out is not None:
        _write(folder.holdout_path, held_out, dict.fromkeys(held_out.ids, HOLDOUT_FOLD), paths)


def _write(path: Path, found: Found, fold_of: Mapping[str, int], paths: Mapping[str, str]) -> None:
    def about(sample_id: str) -> list[str]:
        where = [paths.get(sample_id, "")] if paths else []
        return [*where, str(fold_of[sample_id])]

    header, *rows = mask_rows(found) if isinstance(found, MaskScores) else prediction_rows(found)
    table = [[header[0], *(["path"] if paths else []), "fold", *header[1:]]]
    table += [[row[0], *about(row[0]), *row[1:]] for row in rows]
    durable.write_bytes(path, csv_bytes(table))


def paths_of_samples(folder: RunFolder) -> dict[str, str]:
    """Say where each sample lies, as seen from the experiment; nothing where there are no files."""
    if not folder.audit_path.exists():
        return {}
    rows = Audit.load(folder.audit_path).rows
    place = cache(partial(_seen_from, folder.root.resolve()))
    pairs = zip(rows.ids, map(Path, rows.paths), strict=True)
    return {i: (place(path.parent) / path.name).as_posix() for i, path in pairs if path.name}


def _seen_from(root: Path, directory: Path) -> Path:
    resolved = directory.resolve()
    try:
        return Path(os.path.relpath(resolved, root))
    except ValueError:  # on another drive
        return resolved
