"""Musket's Python names: `segmentation.parse("config.yaml")` and what hangs on it."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Progress, Terminal
from fivefold.core.segmenters import own_segmenters
from fivefold.data import PredictionItem
from fivefold.experiment.assembling import extra_train
from fivefold.experiment.augmented_folds import dataset_augmenters
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.custom import CatalogView
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


custom_models = CatalogView(own_segmenters, lambda name, make: own_segmenters.add(name=name)(make))
"""Networks of one's own: `custom_models["MyUnet"] = f`, as by `fivefold.mask_architecture`."""
custom = SimpleNamespace(models=custom_models)
"""Musket's page has `segmentation.custom.models["MyUnet"] = MyUnet`."""

PipelineConfig = SegmentationPipeline
"""Musket's name of the class."""

__all__ = [
    "PipelineConfig",
    "PredictionItem",
    "SegmentationPipeline",
    "ansemblePredictions",
    "custom",
    "custom_models",
    "dataset_augmenters",
    "extra_train",
    "parse",
]
