"""Read what a run folder holds; what is missing or damaged becomes a note, never a stop."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from fivefold.config import SHARED_NAME, find_shared, load
from fivefold.core.durable import read_json
from fivefold.core.errors import FivefoldError
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.predictions import Predictions, average, join
from fivefold.data.split_report import GROUPS, SplitReport
from fivefold.engine.history import read_history
from fivefold.experiment.applying import decision_rows, held_out_coverage
from fivefold.experiment.assessing import groups_of
from fivefold.experiment.decisions import read_decisions
from fivefold.experiment.explanations import Overlays, read_overlays
from fivefold.experiment.summary import compared

T = TypeVar("T")
Place: TypeAlias = tuple[int, int]
"""Fold and stage."""
Histories: TypeAlias = Mapping[Place, list[dict[str, float]]]
Spread: TypeAlias = Mapping[str, float]
"""Mean, std, min and max over folds."""

_PLACE = re.compile(r"-(\d+)\.(\d+)$")


@dataclass
class Gathered:
    """What there is to report.

    Attributes:
        name: What the experiment is called.
        root: The run folder.
        completed: Whether every fold and stage is finished.
        folds: The finished folds: the summary says so, or the last stage's predictions exist.
        missing: The folds that are not finished.
        primary_metric: The metric that decides; empty when nothing says it.
        stages: Metric to its spread over folds, one mapping a stage.
        so_far: Whether these are each fold's last epochs, for want of a summary of the best.
        oof: Metric to its value on all out-of-fold predictions.
        holdout: The same on the holdout; empty without one.
        reused: Experiment to the stages that were taken from it, each "<fold>.<stage>".
        histories: Metrics of each epoch.
        predictions: Out-of-fold predictions of the last stage.
        folds_of_samples: Of these predictions, the fold of each [N].
        groups: What each of these samples belongs to [N]; none where samples stand alone.
        held_out: Predictions of the holdout by all these folds' models together.
        held_out_groups: What each of its samples belongs to.
        overlays: Where models looked when they were wrong.
        fold_sizes: Validation samples of each fold.
        decisions: What `predict` makes of predictions, a label and a text each.
        split: How even the folds are and what they keep together, in a line.
        audit: What the audit counted.
        manifest: Versions, hardware, choices.
        config_text: The config as the user wrote it.
        shared_text: The `common.yaml` of its project, which it takes further keys from.
        examples: Fold to the pictures of its last stage.
        notes: What is missing or could not be read.
    """

    name: str
    root: Path
    completed: bool = False
    folds: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    primary_metric: str = ""
    stages: tuple[Mapping[str, Spread], ...] = ()
    so_far: bool = False
    oof: Mapping[str, float] = field(default_factory=dict)
    holdout: Mapping[str, float] = field(default_factory=dict)
    reused: Mapping[str, list[str]] = field(default_factory=dict)
    histories: Histories = field(default_factory=dict)
    predictions: Predictions | None = None
    folds_of_samples: tuple[int, ...] = ()
    groups: Sequence[str] | None = None
    held_out: Predictions | None = None
    held_out_groups: Sequence[str] | None = None
    overlays: Overlays | None = None
    fold_sizes: Mapping[int, int] = field(default_factory=dict)
    decisions: Sequence[tuple[str, str]] = ()
    split: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    config_text: str = ""
    shared_text: str = ""
    examples: Mapping[int, list[Path]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        """Read something, or note why not."""
        try:
            return read()
        except (FivefoldError, OSError, ValueError, TypeError, KeyError, YAMLError) as error:
            note = f"{what} could not be read: {str(error).partition(chr(10))[0]}"
            if note not in self.notes:
                self.notes.append(note)
            return otherwise


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
    found.audit = _mapping(found, "the audit of the data", folder.audit_path)
    found.manifest = _mapping(found, "the manifest", folder.manifest_path)
    for place, path in _places(folder.root / "metrics", "metrics-*.csv").items():
        nothing: list[dict[str, float]] = []
        rows = found.attempt(f"metrics of fold {place[0]}", partial(read_history, path), nothing)
        found.histories = {**found.histories, place: rows}
    _add_predictions(found, folder)
    found.groups = _groups(found, folder, found.predictions)
    found.held_out_groups = _groups(found, folder, found.held_out)
    found.overlays = found.attempt("the explanations", partial(read_overlays, folder), None)
    if folder.decisions_path.exists():
        found.decisions = found.attempt("the decisions", partial(_decisions, folder), ())
    if folder.split_report_path.exists():
        load = partial(SplitReport.load, folder.split_report_path)
        found.split = found.attempt("the report on the splits", lambda: str(load()), "")
    _add_summary(found, folder)
    expected = _expected_folds(found, folder)
    found.missing = tuple(sorted(set(expected) - set(found.folds)))
    return found


def _places(directory: Path, pattern: str) -> dict[Place, Path]:
    """Find the files of every fold and stage, whatever is missing in between."""
    matches = [(_PLACE.search(path.stem), path) for path in sorted(directory.glob(pattern))]
    found = {(int(match[1]), int(match[2])): path for match, path in matches if match}
    return dict(sorted(found.items()))


def _mapping(found: Gathered, what: str, path: Path) -> Mapping[str, Any]:
    if not path.exists():
        found.notes.append(f"{what} is not there yet ({path.name})")
        return {}
    return found.attempt(what, lambda: read_json(path), {})


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
    held_out = list(_loaded(found, _places(directory, "holdout-*.npz"), last, "holdout").values())
    if held_out:
        found.held_out = found.attempt("the holdout", lambda: average(held_out), None)
    if parts:
        joined = found.attempt("out-of-fold predictions", lambda: join(list(parts.values())), None)
        found.predictions = joined
        found.folds_of_samples = tuple(fold for fold, part in parts.items() for _ in part.ids)


def _groups(
    found: Gathered, folder: RunFolder, predictions: Predictions | None
) -> Sequence[str] | None:
    """Find each sample's group; the config and the data are read only where folds keep groups."""
    if predictions is None or not folder.split_report_path.exists():
        return None

    def read() -> Sequence[str] | None:
        ties = SplitReport.load(folder.split_report_path).ties
        return groups_of(folder, load(folder.config_path), predictions) if GROUPS in ties else None

    return found.attempt("groups of samples", read, None)


def _loaded(
    found: Gathered, paths: Mapping[Place, Path], stage: int, what: str
) -> dict[int, Predictions]:
    """Load one stage's predictions of each fold."""
    own = {fold: path for (fold, s), path in paths.items() if s == stage}
    loaded = {
        fold: found.attempt(f"{what} of fold {fold}", partial(Predictions.load, path), None)
        for fold, path in own.items()
    }
    return {fold: part for fold, part in loaded.items() if part is not None}


def _decisions(folder: RunFolder) -> Sequence[tuple[str, str]]:
    decisions = read_decisions(folder)
    return decision_rows(decisions, held_out_coverage(folder, decisions))


def _add_summary(found: Gathered, folder: RunFolder) -> None:
    path = folder.summary_path
    if path.exists():
        found.attempt("the summary", partial(_read_summary, found, path), None)
    if not found.stages and found.histories:
        found.stages = _so_far(found.histories)
        found.so_far = True
    if not found.primary_metric:
        found.primary_metric = str(_config(found).get("primary_metric", ""))


def _read_summary(found: Gathered, path: Path) -> None:
    summary = _yaml(path.read_text("utf-8"))
    found.stages = tuple(
        {name: _checked_spread(spread) for name, spread in _items(stage)}
        for stage in summary.get("stages", ())
    )
    found.oof = _numbers(summary.get("oof") or {})
    found.holdout = _numbers(summary.get("holdout") or {})
    for place, experiment in _items(summary.get("reused") or {}):
        known = found.reused.get(str(experiment), [])
        found.reused = {**found.reused, str(experiment): [*known, place]}
    found.primary_metric = str(summary.get("primary_metric") or "")
    found.completed = summary.get("completed") is True
    different = compared([int(count) for count in summary.get("validated") or ()])
    found.notes += [different] if different else []
    finished = {int(fold) for fold in summary.get("folds") or ()}
    for fold in sorted(finished - set(found.folds)):
        found.notes.append(f"predictions of fold {fold} are not there, though it is finished")
    found.folds = tuple(sorted(finished | set(found.folds)))


def _checked_spread(value: object) -> Spread:
    spread = _numbers(value)
    return {name: spread[name] for name in ("mean", "std", "min", "max")}


def _config(found: Gathered) -> dict[str, Any]:
    """Give what the files say, and above it what the run was started with."""
    recorded = found.manifest.get("config")
    nothing: dict[str, Any] = {}
    shared = found.attempt(SHARED_NAME, lambda: _yaml(found.shared_text), nothing)
    own = found.attempt("the config", lambda: _yaml(found.config_text), nothing)
    return {**shared, **own, **(recorded if isinstance(recorded, dict) else {})}


def _items(value: object) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        msg = f"expected a mapping, got {value!r}"
        raise TypeError(msg)
    return [(str(key), item) for key, item in value.items()]


def _numbers(value: object) -> dict[str, float]:
    return {name: float(number) for name, number in _items(value)}


def _yaml(text: str) -> dict[str, Any]:
    value = YAML(typ="safe", pure=True).load(text)
    return value if isinstance(value, dict) else {}


def _so_far(histories: Histories) -> tuple[Mapping[str, Spread], ...]:
    """Spread of the last epoch's metrics, for a run that has no summary yet."""
    tables: list[Mapping[str, Spread]] = []
    for stage in sorted({stage for _, stage in histories}):
        last = [rows[-1] for (_, s), rows in histories.items() if s == stage and rows]
        names = sorted({name for row in last for name in row} - {"lr"})  # set, not measured
        columns = {name: [row[name] for row in last if name in row] for name in names}
        tables.append({name: _spread(values) for name, values in columns.items()})
    return tuple(tables)


def _spread(column: list[float]) -> Spread:
    array = np.array(column, dtype=np.float64)
    finite = array if np.isfinite(array).all() else np.full(len(array), np.nan)
    values = (finite.mean(), finite.std(), finite.min(), finite.max())
    return dict(zip(("mean", "std", "min", "max"), map(float, values), strict=True))


def _expected_folds(found: Gathered, folder: RunFolder) -> range:
    """Say which folds there should be: as split, else as configured, else as seen."""
    saved: Mapping[str, Any] = {}
    if folder.folds_path.exists():
        saved = _mapping(found, "the splits", folder.folds_path)
    config = _config(found)
    seen = [fold for fold, _ in found.histories] + list(found.folds)
    for count in (saved.get("num_folds"), config.get("folds_count"), config.get("num_folds")):
        if isinstance(count, int) and 0 < count <= 1000:
            return range(count)
    return range(max(seen, default=-1) + 1)
