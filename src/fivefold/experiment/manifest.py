"""`manifest.json`: what a run was made with, and what was chosen for it."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from fivefold.build import num_views, sees_features
from fivefold.config import ExperimentConfig
from fivefold.core import durable
from fivefold.core.choices import EXACT, Choices
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.engine.pace import Spent
from fivefold.experiment.finished import compare_config
from fivefold.experiment.own_code import part_files
from fivefold.experiment.plan import has_begun
from fivefold.experiment.sources import corrections_digests

_PACKAGES = (
    *("fivefold", "torch", "timm", "segmentation-models-pytorch", "accelerate", "numpy"),
    *("opencv-python-headless", "pillow"),
)

_ALSO = "also_computed_in"
"""Names of choices that parts of a run were computed in, beside those that it was begun with."""

_RESTORE = "restore the file from a copy, or start in a new folder"


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    versions: dict[str, str]
    # A strict model takes a dataclass only as one.
    choices: Annotated[Choices, BeforeValidator(TypeAdapter(Choices).validate_python)]
    config: dict[str, Any]
    warnings: list[str]
    seconds: float = Field(ge=0)


def open_manifest(
    folder: RunFolder, config: ExperimentConfig, choices: Choices, found: Sequence[str] = ()
) -> dict[str, Any]:
    """Read the run's manifest and hold the config against it; start one if nothing is trained.

    Args:
        folder: Of the experiment.
        config: As it is now.
        choices: How this run computes; where that is not what a begun one was begun with, both
            are in the manifest.
        found: What was found by looking at the data, where the config says nothing.

    Raises:
        StateError: If the config says something else than when the run was started, or the
            manifest is lost.
    """
    if has_begun(folder):
        compare_config(folder, config)
        begun = _read(folder).choices
        manifest = durable.read_json(folder.manifest_path)
        if choices != begun:
            names = [*manifest.get(_ALSO, ()), choices.name]
            manifest[_ALSO] = list(dict.fromkeys(names))
            durable.write_json(folder.manifest_path, manifest)
        return manifest
    manifest = {
        "versions": {"python": platform.python_version(), **_versions()},
        "hardware": _hardware(),
        "own_code": part_files(config),
        "seed": config.seed,
        "choices": asdict(choices),
        "frozen_views": _frozen_views(config),
        "config": config.as_mapping(),
        "found_in_data": list(found),
        "corrections": corrections_digests(config),
        "warnings": [],
        "seconds": 0.0,
    }
    durable.write_json(folder.manifest_path, manifest)
    return manifest


def recorded_choices(folder: RunFolder) -> Choices:
    """Read how a run computes: sums in another order give other last digits, so it is kept to.

    Raises:
        StateError: If the manifest is lost or damaged.
    """
    return _read(folder).choices


def choices_to_predict(folder: RunFolder) -> Choices:
    """Say how models of a folder predict: as they were validated, so that the numbers agree.

    Weights do not need their manifest: without one it is float32.

    Raises:
        StateError: If the manifest is damaged.
    """
    return recorded_choices(folder) if folder.manifest_path.exists() else EXACT


def _read(folder: RunFolder) -> _Manifest:
    try:
        return _Manifest.model_validate(durable.read_json(folder.manifest_path))
    except ValidationError as error:
        msg = f"{folder.manifest_path}: expected what a run was made with, got {error.errors()[0]}"
        raise StateError(msg, hint=_RESTORE, slug="state/damaged") from error


def version_warnings(manifest: Mapping[str, Any]) -> list[str]:
    """Say which packages differ from those that the run was started with."""
    old = manifest["versions"]
    return [
        f"resumed with {name} {now}, started with {old.get(name)}: the last digits may differ"
        for name, now in _versions().items()
        if old.get(name) != now
    ]


def code_warnings(manifest: Mapping[str, Any], config: ExperimentConfig) -> list[str]:
    """Say which files of users' own parts have changed since the run was started."""
    old, now = manifest.get("own_code", {}), part_files(config)
    return [
        f"resumed with another {name} than it was started with: what is trained from now on may "
        "not compare with the epochs and folds before"
        for name in sorted(old.keys() & now.keys())
        if old[name] != now[name]
    ]


def close_manifest(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    warnings: Sequence[str],
    seconds: float,
    spent: Mapping[tuple[int, int], Spent] | None = None,
) -> None:
    """Add what a run has met and how long it took.

    Args:
        folder: Of the experiment.
        manifest: What `open_manifest` gave.
        warnings: What was warned of.
        seconds: How long reading data and training took.
        spent: Of this, fold and stage to what their epochs took.
    """
    met = list(dict.fromkeys([*manifest["warnings"], *warnings]))
    total = manifest["seconds"] + round(seconds, 1)
    stages = {
        f"{fold}.{stage}": {"epochs": one.epochs, "seconds": round(one.seconds, 2)}
        for (fold, stage), one in (spent or {}).items()
    }
    sessions = [*manifest.get("sessions", ()), {"seconds": round(seconds, 1), "stages": stages}]
    closed = {**manifest, "warnings": met, "seconds": total, "sessions": sessions}
    durable.write_json(folder.manifest_path, closed)


def _frozen_views(config: ExperimentConfig) -> dict[str, int]:
    """Count for each stage with a frozen backbone the augmented views that its head sees."""
    stages = [stage for stage in config.resolve() if sees_features(stage)]
    return {str(stage.index): num_views(stage) for stage in stages}


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}


def _hardware() -> dict[str, Any]:
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }
