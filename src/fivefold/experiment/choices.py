"""Settle how a run computes: as it was begun, as was found before, or by a probe now."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cache_home import cache_home
from fivefold.core.choices import Choices
from fivefold.core.cores import usable_cores
from fivefold.core.layout import RunFolder
from fivefold.core.memo import Memo, memo_of
from fivefold.core.progress import Progress
from fivefold.engine.device import accelerator, device_name, possible_here, precisions
from fivefold.engine.precision import Machine, choose, exact_choices
from fivefold.engine.probe import Steps, image_rates
from fivefold.experiment.manifest import recorded_choices
from fivefold.experiment.own_code import own_code
from fivefold.experiment.plan import has_begun
from fivefold.models import ModelSpec, build_classifier


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
        stage = min(self.stages, key=lambda stage: stage.trains_head_alone)
        height, width, channels = self.spec.shape
        seen = (height // self.spec.crops, width // self.spec.crops, channels)
        return Steps(seen, stage.batch, stage.trains_head_alone, stage.freeze_batchnorm)


def settle_choices(folder: RunFolder, training: Training, progress: Progress) -> Choices:
    """Say how a run computes.

    A begun run goes on as it was begun, whatever would be chosen now, as far as this device can:
    without bfloat16 it goes on in float32, which is said. What a probe finds is remembered in the
    cache, so that the same command gives the same bytes on the same machine.

    Args:
        folder: Of the experiment.
        training: What is to be computed.
        progress: Who watches the probe.

    Raises:
        StateError: If the run has begun and its manifest is lost or damaged.
        ResourceError: If the probe runs out of memory.
    """
    if has_begun(folder):
        return possible_here(recorded_choices(folder))
    machine = Machine(
        usable_cores(), training.num_folds, precisions(), accelerator().device.type == "cpu"
    )
    if training.config.profile == "exact":
        return exact_choices(machine)
    memo = _memo(training, machine)
    known = memo and memo.recall()
    if known:
        return known.choices
    found = _measured(training, machine, progress)
    if memo:
        memo.keep({"choices": asdict(found)})
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


@dataclass(frozen=True)
class _Record:
    about: Mapping[str, Any]
    choices: Choices


def _memo(training: Training, machine: Machine) -> Memo[_Record] | None:
    """Find where it is remembered what a probe finds; nowhere without a cache or a known net."""
    spec, config = training.spec, training.config
    code, home = own_code(), cache_home(config.cache)
    if code is None or home is None:
        return None
    about = {
        "architecture": [spec.net, dict(spec.decoder)],
        "own_code": code,
        "taken": [spec.pooling, spec.cut_levels, asdict(spec.downscaling)],
        "steps": asdict(training.steps),
        "profile": config.profile,
        "machine": {**asdict(machine), "device": device_name()},
        "versions": {name: version(name) for name in ("fivefold", "timm", "torch")},
    }
    return memo_of(home, "choices", about, _Record)
