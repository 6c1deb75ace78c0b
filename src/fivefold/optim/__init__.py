"""How weights move: optimizers by name, learning rates over a stage, and what decays.

Names and options are checked without torch, which is loaded when an optimizer is made.
"""

from fivefold.optim.optimizers import build_optimizer, check_optimizer, optimizers, try_optimizer
from fivefold.optim.param_groups import parameter_groups
from fivefold.optim.schedules import build_schedule, schedules

__all__ = [
    "build_optimizer",
    "build_schedule",
    "check_optimizer",
    "optimizers",
    "parameter_groups",
    "schedules",
    "try_optimizer",
]
