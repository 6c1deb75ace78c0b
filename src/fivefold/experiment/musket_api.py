"""Musket's Python names: `classification.parse("config.yaml")` and what hangs on it."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from fivefold.core.progress import Progress, Terminal
from fivefold.data import PredictionItem
from fivefold.experiment.assembling import extra_train
from fivefold.experiment.augmented_folds import dataset_augmenters
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.custom import CatalogView
from fivefold.experiment.musket.evaluating import Evaluating
from fivefold.experiment.musket.pipeline import Pipeline
from fivefold.experiment.project import find_experiment
from fivefold.models.names import backbones

_MAPS = "a classifier predicts no maps; use `predict_in_directory` or `predict_all_to_dataset`"


class ClassificationPipeline(Evaluating, Pipeline):
    """An experiment under Musket's method names; see the classes that it derives from, too.

    Args:
        experiment: The experiment itself, for everything that Musket had no name for.
    """

    _INSTEAD: ClassVar[Mapping[str, str]] = {
        **Pipeline._INSTEAD,
        "predict_to_directory": _MAPS,
        "evaluate": "use `evaluateAll`, or `experiment.evaluate()` for all metrics",
    }


def parse(
    path: str | Path, *, allow_imports: bool = False, progress: Progress | None = None
) -> ClassificationPipeline:
    """Read and check a config.

    Args:
        path: A YAML file, a folder with a `config.yaml`, or the name of an experiment in the
            project around the working folder.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches; bars and lines on the terminal if not given.

    Raises:
        ConfigError: With every problem of the config.
    """
    watcher = progress or Terminal()
    return ClassificationPipeline(
        Experiment.load(find_experiment(path), allow_imports=allow_imports, progress=watcher)
    )


custom_models = CatalogView(backbones, lambda name, make: backbones.add(name=name)(make))
"""Networks of one's own: `custom_models["MyNet"] = MyNet`, as `fivefold.architecture` adds them."""
custom = SimpleNamespace(models=custom_models)
"""Musket's page has `classification.custom.models["MyNet"] = MyNet`."""

__all__ = [
    "ClassificationPipeline",
    "PredictionItem",
    "custom",
    "custom_models",
    "dataset_augmenters",
    "extra_train",
    "parse",
]
