"""Read what a run folder holds; what is missing or damaged becomes a note, never a stop."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from fivefold.apps.report.gathered import Gathered, Place
from fivefold.apps.report.summarised import add_summary, expected_folds
from fivefold.config import SHARED_NAME, find_shared, load
from fivefold.core.found import Found, join_found, load_found
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions, average
from fivefold.data.split_report import GROUPS, SplitReport
from fivefold.engine.history import read_history
from fivefold.experiment.applying import decision_rows, held_out_coverage
from fivefold.experiment.assessing import groups_of
from fivefold.experiment.decisions import read_decisions
from fivefold.experiment.explanations import read_overlays

_PLACE = re.compile(r"-(\d+)\.(\d+)$")


def gather(folder: RunFolder) -> Gathered:
    """Read everything that a report shows.

    Args:
        folder: A run folder in any state, even an empty one.
    """
    by_config_name = folder.config_path.name != CONFIG_NAME
    root = folder.root.resolve()
    name = folder.config_path.stem if by_config_name else root.name
    found = Gathered(name=name, root=folder.root)
    found.config_text = found.attempt(
        "the config", lambda: folder.config_path.read_text("utf-8", "replace"), ""
    )
    shared = find_shared(folder.config_path)
    if shared is not None:
        read_shared = partial(shared.read_text, "utf-8", "replace")
        found.shared_text = found.attempt(SHARED_NAME, read_shared, "")
    found.audit = found.mapping("the audit of the data", folder.audit_path)
    found.manifest = found.mapping("the manifest", folder.manifest_path)
    for place, path in _places(folder.root / "metrics", "metrics-*.csv").items():
        nothing: list[dict[str, float]] = []
        rows = found.attempt(f"metrics of fold {place[0]}", partial(read_history, path), nothing)
        found.histories = {**found.histories, place: rows}
    _add_predictions(found, folder)
    found.groups = _groups(found, folder, found.predictions or found.masks)
    found.held_out_groups = _groups(found, folder, found.held_out or found.held_out_masks)
    found.overlays = found.attempt("the explanations", partial(read_overlays, folder), None)
    if folder.decisions_path.exists():
        found.decisions = found.attempt("the decisions", partial(_decisions, folder), ())
    if folder.split_report_path.exists():
        load = partial(SplitReport.load, folder.split_report_path)
        found.split = found.attempt("the report on the splits", lambda: str(load()), "")
    add_summary(found, folder)
    expected = expected_folds(found, folder)
    found.missing = tuple(sorted(set(expected) - set(found.folds)))
    return found


def _places(directory: Path, pattern: str) -> dict[Place, Path]:
    """Find the files of every fold and stage, whatever is missing in between."""
    matches = [(_PLACE.search(path.stem), path) for path in sorted(directory.glob(pattern))]
    found = {(int(match[1]), int(match[2])): path for match, path in matches if match}
    return dict(sorted(found.items()))


def _add_predictions(found: Gathered, folder: RunFolder) -> None:
    directory = folder.root / "predictions"
    paths = _places(directory, "validation-*.npz")
    last = max((stage for _, stage in [*paths, *found.histories]), default=0)
    parts = _loaded(found, paths, last, "predictions")
    for fold, part in parts.items():
        found.folds = (*found.folds, fold)
        found.fold_sizes = {**found.fold_sizes, fold: len(part)}
        # Those of single epochs say how it came about, these what came of it.
        sheets = sorted(folder.examples(fold, last).glob("*.png"))
        sheets = [path for path in sheets if not path.name.startswith("epoch-")]
        found.examples = {**found.examples, fold: sheets}
    _add_held_out(found, folder, last)
    if parts:
        whole = [*parts.values()]
        joined = found.attempt("out-of-fold predictions", lambda: join_found(whole), None)
        if isinstance(joined, MaskScores):
            found.masks = joined
            files = {fold: folder.maps("validation", fold, last) for fold in parts}
            found.maps = {fold: file for fold, file in files.items() if file.exists()}
        else:
            found.predictions = joined
        found.folds_of_samples = tuple(fold for fold, part in parts.items() for _ in part.ids)


def _add_held_out(found: Gathered, folder: RunFolder, last: int) -> None:
    masks = folder.ensemble_scores(last)
    if masks.exists():
        read = partial(MaskScores.load, masks)
        found.held_out_masks = found.attempt("the holdout", read, None)
        return
    places = _places(folder.root / "predictions", "holdout-*.npz")
    parts = _loaded(found, places, last, "holdout").values()
    labels = [part for part in parts if isinstance(part, Predictions)]
    if labels:
        found.held_out = found.attempt("the holdout", lambda: average(labels), None)


def _groups(found: Gathered, folder: RunFolder, predictions: Found | None) -> Sequence[str] | None:
    """Find each sample's group; the config and the data are read only where folds keep groups."""
    if predictions is None or not folder.split_report_path.exists():
        return None

    def read() -> Sequence[str] | None:
        ties = SplitReport.load(folder.split_report_path).ties
        return groups_of(folder, load(folder.config_path), predictions) if GROUPS in ties else None

    return found.attempt("groups of samples", read, None)


def _loaded(
    found: Gathered, paths: Mapping[Place, Path], stage: int, what: str
) -> dict[int, Found]:
    """Load one stage's predictions of each fold."""
    own = {fold: path for (fold, s), path in paths.items() if s == stage}
    loaded = {
        fold: found.attempt(f"{what} of fold {fold}", partial(load_found, path), None)
        for fold, path in own.items()
    }
    return {fold: part for fold, part in loaded.items() if part is not None}


def _decisions(folder: RunFolder) -> Sequence[tuple[str, str]]:
    decisions = read_decisions(folder)
    return decision_rows(decisions, held_out_coverage(folder, decisions))
