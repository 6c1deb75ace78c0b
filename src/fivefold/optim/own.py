"""Users' own optimizers and schedules: what they give is looked at before training goes on."""

import math
import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fivefold.core.optional import late
from fivefold.core.own_parts import Part, shape_text

if TYPE_CHECKING:
    from torch import optim
    from torch.optim import Optimizer
else:  # a config is checked without them
    optim, Optimizer = late("torch.optim"), Any


def guarded_optimizer(part: Part) -> Callable[..., Optimizer]:
    """Make an optimizer, or tell what is wrong with a user's one.

    A ValueError is what torch's own optimizers raise for options that do not fit together: whoever
    tries them out tells where they stand.
    """

    def optimizer(params: Any, lr: float, **options: Any) -> Optimizer:
        with part.at_work(let_by=lambda error: isinstance(error, ValueError)):
            made = part.make(params, lr, **options)
        if not isinstance(made, optim.Optimizer):
            part.refuse_result("an optimizer of torch's kind", shape_text(made))
        return made

    return optimizer


def guarded_schedule(part: Part) -> Callable[..., float]:
    """Make a schedule that tells what is wrong with a user's one."""

    def schedule(now: Any, **options: Any) -> float:
        with part.at_work():
            # objects of a class keep no state, so each step may have its own
            one = isinstance(part.make, type)
            rate = part.make(**options)(now) if one else part.make(now, **options)
        if not isinstance(rate, numbers.Real) or not 0 <= float(rate) < math.inf:
            part.refuse_result("a learning rate of at least 0", repr(rate))
        return float(rate)

    return schedule
