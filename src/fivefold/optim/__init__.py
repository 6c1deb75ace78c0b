"""How weights move: optimizers by name, learning rates over a stage, and what decays.

Names and options are checked without torch, which is loaded when an optimizer is made.
"""

from fivefold.optim.making import build_optimizer, check_optimizer, rate_decay, try_optimizer
from fivefold.optim.optimizers import optimizers
from fivefold.optim.param_groups import SCALE, Rules, parameter_groups
from fivefold.optim.schedules import Moment, Schedule, schedules
from fivefold.optim.scheduling import (
    build_schedule,
    check_schedule,
    is_callback,
    moves,
    with_decay,
)
from fivefold.optim.unreached import never_reached
from fivefold.optim.variation import LRVariator, last_of_chain

__all__ = [
    "SCALE",
    "LRVariator",
    "Moment",
    "Rules",
    "Schedule",
    "build_optimizer",
    "build_schedule",
    "check_optimizer",
    "check_schedule",
    "is_callback",
    "last_of_chain",
    "moves",
    "never_reached",
    "optimizers",
    "parameter_groups",
    "rate_decay",
    "schedules",
    "try_optimizer",
    "with_decay",
]
