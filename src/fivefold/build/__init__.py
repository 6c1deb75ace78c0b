"""From a resolved config to objects: the only place that knows configs and components.

Configs are checked without torch; the names that make objects load it on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fivefold.build.checks import check, stage_place, try_out
from fivefold.build.metric_checks import mask_metric_problems, unknown_monitor

if TYPE_CHECKING:
    from fivefold.build.features import num_views, sees_features, why_anew
    from fivefold.build.heads import build_heads
    from fivefold.build.objective import (
        build_class_weights,
        build_loss_function,
        build_losses_of_heads,
        build_training_loss,
        check_heads,
    )
    from fivefold.build.objects import (
        build_spec,
        build_stage_optimizer,
        build_stage_schedule,
    )
    from fivefold.build.pixels import build_images, build_prepare
    from fivefold.build.sampling import check_sampling

_HOMES = {
    "build_class_weights": "objective",
    "build_heads": "heads",
    "build_images": "pixels",
    "build_loss_function": "objective",
    "build_losses_of_heads": "objective",
    "build_prepare": "pixels",
    "build_spec": "objects",
    "build_stage_optimizer": "objects",
    "build_stage_schedule": "objects",
    "build_training_loss": "objective",
    "check_heads": "objective",
    "check_sampling": "sampling",
    "num_views": "features",
    "sees_features": "features",
    "why_anew": "features",
}

__all__ = [
    "build_class_weights",
    "build_heads",
    "build_images",
    "build_loss_function",
    "build_losses_of_heads",
    "build_prepare",
    "build_spec",
    "build_stage_optimizer",
    "build_stage_schedule",
    "build_training_loss",
    "check",
    "check_heads",
    "check_sampling",
    "mask_metric_problems",
    "num_views",
    "sees_features",
    "stage_place",
    "try_out",
    "unknown_monitor",
    "why_anew",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
