"""One YAML file and a set of images become k cross-validated image classifiers.

Importing this package costs nothing: the names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fivefold.apps.compare import compare as compare
    from fivefold.core.errors import FivefoldError as FivefoldError
    from fivefold.data.python_class import PredictionItem as PredictionItem
    from fivefold.experiment import musket_api as classification
    from fivefold.experiment.experiment import Experiment as Experiment

__version__ = "0.1.0"

_HOMES = {
    "Experiment": "fivefold.experiment.experiment",
    "FivefoldError": "fivefold.core.errors",
    "PredictionItem": "fivefold.data.python_class",
    "compare": "fivefold.apps.compare",
}

__all__ = [
    "Experiment",
    "FivefoldError",
    "PredictionItem",
    "__version__",
    "classification",
    "compare",
]


def __getattr__(name: str) -> Any:
    if name == "classification":
        return importlib.import_module("fivefold.experiment.musket_api")
    if name not in _HOMES:
        msg = f"module 'fivefold' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
