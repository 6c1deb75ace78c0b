"""Settle how a run computes: as it was begun, as was found before, or by a probe now."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cache_home import cache_home
from fivefold.core.choices import Choices
from fivefold.core.cores import usable_cores
from fivefold.core.errors import ResourceError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.engine.device import accelerator, device_name, precisions
from fivefold.engine.precision import Machine, choose, exact_choices
from fivefold.engine.probe import Steps, image_rates
from fivefold.experiment.manifest import recorded_choices
from fivefold.experiment.plan import has_begun
from fivefold.models import ModelSpec, build_classifier

logger = logging.getLogger(__name__)

_FORMAT = 1


@dataclass(frozen=True)
class Training:
    """What a probe has to know of an experiment.

    Attributes:
        spec: The model.
        stages: What is done in each fold.
        num_folds: How many share the cores.
        config: Says the profile, and where what was found is remembered.
    """

    spec: ModelSpec
    stages: Sequence[ResolvedStage]
    num_folds: int
    config: ExperimentConfig

    @property
    def steps(self) -> Steps:
        """What is tried: the first stage that trains the whole network, or else the first."""
        stage = min(self.stages, key=lambda stage: stage.frozen)
        return Steps(self.spec.shape, stage.batch, stage.frozen, stage.freeze_batchnorm)


def settle_choices(folder: RunFolder, training: Training, progress: Progress) -> Choices:
    """Say how a run computes.

    A begun run goes on as it was begun, whatever would be chosen now. What a probe finds is
    remembered in the cache, so that the same command gives the same bytes on the same machine.

    Args:
        folder: Of the experiment.
        training: What is to be computed.
        progress: Who watches the probe.

    Raises:
        StateError: If the run has begun and its manifest is lost or damaged.
        ResourceError: If the probe runs out of memory.
    """
    if has_begun(folder):
        return recorded_choices(folder)
    machine = Machine(
        usable_cores(), training.num_folds, precisions(), accelerator().device.type == "cpu"
    )
    if training.config.profile == "exact":
        return exact_choices(machine)
    about = _about(training, machine)
    path = _path(training.config, about)
    found = None if path is None else _remembered(path)
    if found is None:
        found = _measured(training, machine, progress)
        if path is not None:
            _remember(path, about, found)
    return found


def _measured(training: Training, machine: Machine, progress: Progress) -> Choices:
    # Of its own, with any weights: those of the experiment need not be loaded for this.
    model = build_classifier(training.spec)

    def measure(ways: Sequence[Choices]) -> Mapping[str, float]:
        with progress.bar("finding the fastest way to compute", 6 * len(ways)) as advance:
            return image_rates(model, ways, training.steps, advance)

    found = choose(training.config.profile, machine, measure)
    progress.line(f"computing in {found.name}: the fastest of {len(found.measured)} ways tried")
    return found


def _about(training: Training, machine: Machine) -> dict[str, Any]:
    """Name everything that decides what a probe finds."""
    spec, config = training.spec, training.config
    return {
        "architecture": spec.architecture,
        # Two folders may each have a net of their own by the same name.
        "imports": str(config.directory.resolve()) if config.imports else "",
        "pooling": spec.pooling,
        "steps": asdict(training.steps),
        "profile": config.profile,
        "machine": {**asdict(machine), "device": device_name()},
        "versions": {name: version(name) for name in ("fivefold", "timm", "torch")},
    }


def _path(config: ExperimentConfig, about: Mapping[str, Any]) -> Path | None:
    home = cache_home(config.cache)
    if home is None:
        return None
    text = json.dumps(about, sort_keys=True)
    return home.folder("probes") / f"choices-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True)
class _Record:
    about: Mapping[str, Any]
    choices: Choices


def _remembered(path: Path) -> Choices | None:
    if not path.exists():
        return None
    try:
        return read_sealed(path, _Record, version=_FORMAT).choices
    except StateError as error:
        logger.warning("what a probe found is damaged, it is measured again: %s", error)
        return None


def _remember(path: Path, about: Mapping[str, Any], found: Choices) -> None:
    try:
        write_sealed(path, {"about": about, "choices": asdict(found)}, version=_FORMAT)
    except ResourceError as error:
        logger.warning("what the probe found is not remembered for the next run: %s", error)
