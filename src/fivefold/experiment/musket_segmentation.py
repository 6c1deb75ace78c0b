"""Musket's Python names: `segmentation.parse("config.yaml")` and what hangs on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Progress, Terminal
from fivefold.data import PredictionItem
from fivefold.experiment.assembling import extra_train
from fivefold.experiment.augmented_folds import dataset_augmenters
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.mask_evaluating import MaskEvaluating
from fivefold.experiment.musket.mask_files import ansemblePredictions
from fivefold.experiment.musket.pipeline import Pipeline
from fivefold.experiment.project import find_experiment

_ARRAYS = "use `evaluateAll`, batch by batch: all maps at a time would fill the memory"


class SegmentationPipeline(MaskEvaluating, Pipeline):
    """An experiment on masks under Musket's method names; see what it derives from, too.

    Args:
        experiment: The experiment itself, for everything that Musket had no name for.
    """

    _INSTEAD: ClassVar[Mapping[str, str]] = {
        **Pipeline._INSTEAD,
        "evaluate_all_to_arrays": _ARRAYS,
    }


def parse(
    path: str | Path, *, allow_imports: bool = False, progress: Progress | None = None
) -> SegmentationPipeline:
    """Read and check a config.

    Args:
        path: A YAML file, a folder with a `config.yaml`, or the name of an experiment in the
            project around the working folder.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches; bars and lines on the terminal if not given.

    Raises:
        ConfigError: With every problem of the config; or if it makes no masks.
    """
    watcher = progress or Terminal()
    found = Experiment.load(find_experiment(path), allow_imports=allow_imports, progress=watcher)
    config = found.config
    if not config.makes_masks:
        where, name = config.where("architecture"), config.architecture
        message = f"architecture: expected one that makes masks, got {name!r}"
        hint = "for classes of whole images it is `classification.parse`"
        raise ConfigError([Problem("config/masks", where, message, hint)])
    return SegmentationPipeline(found)


def __getattr__(name: str) -> Any:
    if name in ("custom", "custom_models"):
        msg = (
            f"{name}: networks of one's own that make masks are not supported; any backbone of "
            "`fivefold list backbones` goes with any architecture of `fivefold list architectures`"
        )
        raise AttributeError(msg)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


PipelineConfig = SegmentationPipeline
"""Musket's name of the class."""

__all__ = [
    "PipelineConfig",
    "PredictionItem",
    "SegmentationPipeline",
    "ansemblePredictions",
    "dataset_augmenters",
    "extra_train",
    "parse",
]
