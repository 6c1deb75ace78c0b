"""Backbones, heads and classifiers; public names load torch on first use.

`fivefold.models.names` alone answers which names exist, without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fivefold.models.backbones import Backbone, build_backbone, shape_problem
    from fivefold.models.building import build_classifier, with_new_head
    from fivefold.models.channels import InputSpec
    from fivefold.models.classifier import Classifier, ModelSpec, probabilities
    from fivefold.models.heads import ClassifierHead, Hidden, logits_together
    from fivefold.models.layers import count_layers
    from fivefold.models.names import backbone_names, backbone_problem, backbones
    from fivefold.models.origins import WeightsOrigin
    from fivefold.models.stem import Downscaling

_WITHOUT_TIMM = {"channels", "names", "origins"}
_HOMES = {
    "Backbone": "backbones",
    "Classifier": "classifier",
    "ClassifierHead": "heads",
    "Downscaling": "stem",
    "Hidden": "heads",
    "InputSpec": "channels",
    "ModelSpec": "classifier",
    "WeightsOrigin": "origins",
    "backbone_names": "names",
    "backbone_problem": "names",
    "backbones": "names",
    "build_backbone": "backbones",
    "build_classifier": "building",
    "count_layers": "layers",
    "logits_together": "heads",
    "probabilities": "classifier",
    "shape_problem": "backbones",
    "with_new_head": "building",
}

__all__ = [
    "Backbone",
    "Classifier",
    "ClassifierHead",
    "Downscaling",
    "Hidden",
    "InputSpec",
    "ModelSpec",
    "WeightsOrigin",
    "backbone_names",
    "backbone_problem",
    "backbones",
    "build_backbone",
    "build_classifier",
    "count_layers",
    "logits_together",
    "probabilities",
    "shape_problem",
    "with_new_head",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    if _HOMES[name] not in _WITHOUT_TIMM:
        importlib.import_module(f"{__name__}.timm_import").import_timm()
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
