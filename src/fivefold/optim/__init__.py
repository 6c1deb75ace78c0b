"""How weights move: optimizers by name, learning rates over a stage, and what decays."""

from fivefold.optim.optimizers import build_optimizer, check_optimizer, optimizers
from fivefold.optim.param_groups import parameter_groups
from fivefold.optim.schedules import build_schedule, schedules

__all__ = [
    "build_optimizer",
    "build_schedule",
    "check_optimizer",
    "optimizers",
    "parameter_groups",
    "schedules",
]
