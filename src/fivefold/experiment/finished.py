"""Is an experiment finished? Answered without loading torch."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fivefold.config import (
    HARMLESS,
    PATHS_OF_DATA,
    Change,
    DatasetSection,
    ExperimentConfig,
    diff,
    load,
    parse,
)
from fivefold.core import durable
from fivefold.core.errors import ConfigError, FivefoldError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress, Silent
from fivefold.experiment.decisions import renew_decisions
from fivefold.experiment.plan import make_plan
from fivefold.experiment.summary import Summary, read_summary

logger = logging.getLogger(__name__)


def find_finished(
    path: Path, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Summary | None:
    """Read the summary of an experiment that has nothing left to train; None if it has.

    Where the config asks for other decisions than there are, they are made again.

    Args:
        path: A folder with a `config.yaml`, or a YAML file.
        overrides: `key=value` each.
        progress: Who watches decisions being made.

    Raises:
        ConfigError: If the config is wrong.
        StateError: If it says something else than when the run was started.
    """
    folder = RunFolder.of(path)
    if not folder.summary_path.exists():
        return None
    config = load(folder.config_path, overrides)
    summary = finished_summary(folder, config)
    if summary:
        _warn_of_changes(folder, config)
        return decided_again(folder, config, summary, progress)
    return summary


def decided_again(
    folder: RunFolder,
    config: ExperimentConfig,
    summary: Summary,
    progress: Progress | None = None,
) -> Summary:
    """Bring the decisions of a finished experiment to what its config asks for now.

    Raises:
        StateError: If they are damaged.
    """
    return replace(summary, decided=renew_decisions(folder, config, summary.folds, progress))


def renew_if_finished(
    folder: RunFolder, config: ExperimentConfig, progress: Progress | None = None
) -> None:
    """Bring decisions to what a config asks for, if everything is trained; warn if it cannot be."""
    if not folder.summary_path.exists():
        return
    try:
        summary = read_summary(folder)
        plans = make_plan(folder, summary.folds, len(summary.stages))
        if all(plan.done for plan in plans):
            renew_decisions(folder, config, summary.folds, progress)
    except FivefoldError as error:
        logger.warning("decisions are left as they are: %s", error)


def finished_summary(folder: RunFolder, config: ExperimentConfig) -> Summary | None:
    """Read the summary of a finished experiment, whose config must be the same still.

    A summary whose weights were taken away is not one of a finished experiment.

    Raises:
        StateError: If the config is another, or the summary is damaged.
    """
    if not folder.summary_path.exists():
        return None
    compare_config(folder, config)
    summary = read_summary(folder)
    plans = make_plan(folder, summary.folds, len(summary.stages))
    return summary if all(plan.done for plan in plans) else None


def _warn_of_changes(folder: RunFolder, config: ExperimentConfig) -> None:
    """Compare names, sizes and times of the files with what was trained on; reads no image."""
    sections = (config.dataset, config.extra_train_data)
    functions = (config.preprocessing, config.pretrain_transform, config.dataset_augmenter)
    if config.dataset is None or any(map(_is_code, sections)) or any(functions):
        return
    # a run that is not finished, or whose config is wrong, does without these here
    from fivefold.data.audited import Audit  # noqa: PLC0415
    from fivefold.experiment.assembling import assembled  # noqa: PLC0415
    from fivefold.experiment.sources import corrections_digests  # noqa: PLC0415

    try:
        source = assembled(config, allow_imports=False, progress=Silent())
        audited = Audit.load(folder.audit_path).rows
    except FivefoldError as error:
        logger.warning("the data of this finished run cannot be read any more: %s", error)
        return
    known = folder.manifest_path.exists() and durable.read_json(folder.manifest_path)
    if known and corrections_digests(config) != known.get("corrections", {}):
        text = "the table of corrections was written anew since this run finished; "
        logger.warning("%sa new experiment folder trains on it", text)
    before = {row.sample_id: row.stamp for row in audited if row.status != "excluded"}
    now = {sample_id: source.stamp(i) for i, sample_id in enumerate(source.sample_ids)}
    changed = [i for i in before.keys() | now if before.get(i) != now.get(i)]
    if changed:
        logger.warning(
            "%d images were added, removed or written anew since this run finished, such as %r; "
            "a new experiment folder trains on them, and `fivefold data split --keep` leaves the "
            "others in their folds",
            len(changed),
            min(changed),
        )


def _is_code(section: DatasetSection | str | None) -> bool:
    """Say whether reading a data set again would run somebody's code."""
    return isinstance(section, str) or (section is not None and section.runs_code)


def recorded_config(folder: RunFolder, config: ExperimentConfig) -> ExperimentConfig:
    """Read the config that a run was started with, overrides included; else the one given.

    Raises:
        StateError: If the manifest is damaged.
    """
    if not folder.manifest_path.exists():
        return config
    recorded = durable.read_json(folder.manifest_path).get("config")
    try:
        return parse(json.dumps(recorded), str(folder.config_path))
    except ConfigError as error:
        msg = f"{folder.manifest_path}: expected the config of the run, got {error}"
        hint = "restore the file from a copy; the weights do not need it"
        raise StateError(msg, hint=hint, slug="state/damaged") from error


def compare_config(folder: RunFolder, config: ExperimentConfig) -> None:
    """Refuse to go on with another config than the run was started with.

    What counts is what the keys mean: a default that is written out is no change, nor is another
    path to the same data, whose contents are compared elsewhere.

    Raises:
        StateError: Names the keys that differ.
    """
    before, now = _meant(recorded_config(folder, config)), _meant(config)
    changes = [
        change for change in diff(before, now) if change.key.partition(".")[0] not in HARMLESS
    ]
    if changes:
        lines = "\n".join(f"    {_worded(change)}" for change in changes[:20])
        msg = f"{config.where()}: expected the config that this run was started with, got\n{lines}"
        hint = (
            "to go on, put it back or repeat the `--set` of the first start; "
            f"to change it, use a new folder: {folder.root} keeps what it has"
        )
        raise StateError(msg, hint=hint, slug="state/config-changed")


def _worded(change: Change) -> str:
    return f"{change.key}: {change.old!r} -> {change.new!r}"


def _meant(config: ExperimentConfig) -> dict[str, Any]:
    meant: dict[str, Any] = _plain(config)
    meant.pop("datasets_path", None)
    for section in (meant.get("dataset"), meant.get("extra_train_data")):
        if isinstance(section, dict):
            corrected = section.get("corrections") is not None
            for key in PATHS_OF_DATA - {
                k for k, v in section.items() if isinstance(v, dict | bool)
            }:
                section.pop(key, None)
            section["corrections"] = corrected  # with none there are other labels
    return meant


def _plain(value: Any) -> Any:
    """Turn a config with all its defaults into mappings and lists, in the YAML's spelling."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {field.alias or name: _plain(getattr(value, name)) for name, field in fields}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
