"""torch's optimizers without its compiler.

Several methods of `torch.optim.Optimizer` import torch's compiler, which takes seconds, only to
tell it that it shall not compile them; fivefold compiles nothing. Where torch has nothing of the
kind, all this does nothing.
"""

import inspect

import torch
from torch.optim import Optimizer

# Where `torch._disable_dynamo` remembers what to call instead of a method.
_INSTEAD = "__dynamo_disable"


def spare_compiler() -> None:
    """Have optimizers made, saved and loaded without importing the compiler."""
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, _INSTEAD):
            setattr(plain, _INSTEAD, plain)


def take_step(optimizer: Optimizer) -> None:
    """Take a step as `optimizer.step()` does, to the same bits, without importing the compiler.

    Hooks of a step are not called: nothing registers any.
    """
    if not type(optimizer).__module__.startswith("torch.optim."):
        optimizer.step()  # whatever wraps a user's own step is meant to be there
        return
    step = inspect.unwrap(type(optimizer).step)
    with torch.no_grad():
        step(optimizer)
