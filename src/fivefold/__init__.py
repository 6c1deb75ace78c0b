"""One YAML file and a set of images become k cross-validated models of classes or masks.

Importing this package costs nothing: the names load on first use.
"""

import importlib

TYPE_CHECKING = False  # as type checkers know it: loading `typing` takes most of a start
if TYPE_CHECKING:
    from typing import Any

    from fivefold.apps.compare import compare as compare
    from fivefold.core.errors import FivefoldError as FivefoldError
    from fivefold.data.python_class import PredictionItem as PredictionItem
    from fivefold.experiment import musket_api as classification
    from fivefold.experiment import musket_segmentation as segmentation
    from fivefold.experiment.experiment import Experiment as Experiment
    from fivefold.experiment.explaining import Question as Question
    from fivefold.experiment.parts import architecture as architecture
    from fivefold.experiment.parts import augmenter as augmenter
    from fivefold.experiment.parts import callback as callback
    from fivefold.experiment.parts import loss as loss
    from fivefold.experiment.parts import mask_architecture as mask_architecture
    from fivefold.experiment.parts import mask_metric as mask_metric
    from fivefold.experiment.parts import metric as metric
    from fivefold.experiment.parts import mixer as mixer
    from fivefold.experiment.parts import optimizer as optimizer
    from fivefold.experiment.parts import schedule as schedule

__version__ = "0.1.0"

_PARTS = (
    "architecture",
    "augmenter",
    "callback",
    "loss",
    "mask_architecture",
    "mask_metric",
    "metric",
    "mixer",
    "optimizer",
    "schedule",
)
_MODULES = {
    "classification": "fivefold.experiment.musket_api",
    "segmentation": "fivefold.experiment.musket_segmentation",
}
_HOMES = {
    "Experiment": "fivefold.experiment.experiment",
    "FivefoldError": "fivefold.core.errors",
    "PredictionItem": "fivefold.data.python_class",
    "Question": "fivefold.experiment.explaining",
    "compare": "fivefold.apps.compare",
    **dict.fromkeys(_PARTS, "fivefold.experiment.parts"),
}

__all__ = [
    "Experiment",
    "FivefoldError",
    "PredictionItem",
    "Question",
    "__version__",
    "architecture",
    "augmenter",
    "callback",
    "classification",
    "compare",
    "loss",
    "mask_architecture",
    "mask_metric",
    "metric",
    "mixer",
    "optimizer",
    "schedule",
    "segmentation",
]


def __getattr__(name: str) -> "Any":
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name not in _HOMES:
        msg = f"module 'fivefold' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
