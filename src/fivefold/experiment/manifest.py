"""`manifest.json`: what a run was made with, and what was chosen for it."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import torch

from fivefold.config import HARMLESS, Change, ExperimentConfig, diff
from fivefold.core import durable
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder

_PACKAGES = ("fivefold", "torch", "timm", "accelerate", "numpy", "opencv-python-headless", "pillow")


def open_manifest(folder: RunFolder, config: ExperimentConfig) -> dict[str, Any]:
    """Read the run's manifest and hold the config against it, or start one.

    The number of threads is part of it: sums in another order give other last digits, so a resumed
    run takes the number that it was started with.

    Raises:
        StateError: If the config says something else than when the run was started.
    """
    if folder.manifest_path.exists():
        manifest = durable.read_json(folder.manifest_path)
        _compare(folder, manifest, config)
        torch.set_num_threads(manifest["choices"]["threads"])
        return manifest
    manifest = {
        "versions": {"python": platform.python_version(), **_versions()},
        "hardware": _hardware(),
        "seed": config.seed,
        "choices": {"threads": torch.get_num_threads()},
        "config": config.as_mapping(),
        "warnings": [],
        "seconds": 0.0,
    }
    durable.write_json(folder.manifest_path, manifest)
    return manifest


def check_config(folder: RunFolder, config: ExperimentConfig) -> None:
    """Refuse to go on with another config than the run was started with.

    Raises:
        StateError: Names the keys that differ.
    """
    _compare(folder, durable.read_json(folder.manifest_path), config)


def _compare(folder: RunFolder, manifest: Mapping[str, Any], config: ExperimentConfig) -> None:
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


def version_warnings(manifest: Mapping[str, Any]) -> list[str]:
    """Say which packages differ from those that the run was started with."""
    old = manifest["versions"]
    return [
        f"resumed with {name} {now}, started with {old.get(name)}: the last digits may differ"
        for name, now in _versions().items()
        if old.get(name) != now
    ]


def close_manifest(
    folder: RunFolder, manifest: Mapping[str, Any], warnings: Sequence[str], seconds: float
) -> None:
    """Add what a run has met and how long it took."""
    met = list(dict.fromkeys([*manifest["warnings"], *warnings]))
    total = manifest["seconds"] + round(seconds, 1)
    durable.write_json(folder.manifest_path, {**manifest, "warnings": met, "seconds": total})


def _worded(change: Change) -> str:
    return f"{change.key}: {change.old!r} -> {change.new!r}"


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
