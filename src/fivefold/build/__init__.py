"""From a resolved config to objects: the only place that knows configs and components."""

from fivefold.build.checks import check, not_yet, stage_place, unknown_monitor
from fivefold.build.heads import build_heads
from fivefold.build.objects import (
    build_images,
    build_loss_function,
    build_prepare,
    build_spec,
    build_stage_optimizer,
    build_stage_schedule,
)

__all__ = [
    "build_heads",
    "build_images",
    "build_loss_function",
    "build_prepare",
    "build_spec",
    "build_stage_optimizer",
    "build_stage_schedule",
    "check",
    "not_yet",
    "stage_place",
    "unknown_monitor",
]
