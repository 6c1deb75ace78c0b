"""Is an experiment finished? Answered without loading torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.config import HARMLESS, Change, ExperimentConfig, diff, load
from fivefold.core import durable
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.plan import make_plan
from fivefold.experiment.summary import Summary, read_summary


def find_finished(path: Path, overrides: Sequence[str] = ()) -> Summary | None:
    """Read the summary of an experiment that has nothing left to do; None if it has.

    Args:
        path: A folder with a `config.yaml`, or a YAML file.
        overrides: `key=value` each.

    Raises:
        ConfigError: If the config is wrong.
        StateError: If it says something else than when the run was started.
    """
    folder = RunFolder.of(path)
    if not folder.summary_path.exists():
        return None
    return finished_summary(folder, load(folder.config_path, overrides))


def finished_summary(folder: RunFolder, config: ExperimentConfig) -> Summary | None:
    """Read the summary of a finished experiment, whose config must be the same still.

    A summary whose weights were taken away is not one of a finished experiment.

    Raises:
        StateError: If the config is another, or the summary is damaged.
    """
    if not folder.summary_path.exists():
        return None
    compare_config(folder, durable.read_json(folder.manifest_path), config)
    summary = read_summary(folder)
    plan = make_plan(folder, summary.folds, len(summary.stages))
    return summary if all(job.done for job in plan) else None


def compare_config(
    folder: RunFolder, manifest: Mapping[str, Any], config: ExperimentConfig
) -> None:
    """Refuse to go on with another config than the run was started with.

    Raises:
        StateError: Names the keys that differ.
    """
    changes = [
        change
        for change in diff(manifest["config"], config.as_mapping())
        if change.key.partition(".")[0] not in HARMLESS
    ]
    if changes:
        lines = "\n".join(f"    {_worded(change)}" for change in changes[:20])
        msg = f"{config.where()}: expected the config that this run was started with, got\n{lines}"
        hint = f"put it back to go on, or use a new folder: {folder.root} keeps what it has"
        raise StateError(msg, hint=hint, slug="state/config-changed")


def _worded(change: Change) -> str:
    return f"{change.key}: {change.old!r} -> {change.new!r}"
