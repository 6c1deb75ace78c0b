"""Lookahead: slow weights that follow the fast ones of another optimizer every few steps."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

from fivefold.optim.eager import take_step

_SLOW, _STEPS = "lookahead_slow", "lookahead_steps"


class Lookahead(Optimizer):
    """Follows another optimizer's weights with slow ones.

    Slow weights start where training does. After every `k` steps of the fast ones they go part of
    the way to them, and the fast ones start there anew.

    Everything that it remembers is in the base's state, beside each parameter.

    Args:
        base: Makes the fast steps; its groups and its state are this one's.
        alpha: Part of the way, 0-1.
        k: Fast steps between two slow ones.

    References:
        Zhang et al., 2019, https://arxiv.org/abs/1907.08610, algorithm 1
    """

    def __init__(self, base: Optimizer, alpha: float, k: int) -> None:
        super().__init__(base.param_groups, dict(base.defaults))
        self._base, self._alpha, self._k = base, alpha, k
        self._share()

    def _share(self) -> None:
        self.param_groups, self.state = self._base.param_groups, self._base.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # fivefold gives no closure
        """Take a step of the base, and every `k`-th time a slow one."""
        if closure is not None:
            msg = "expected no closure"
            raise TypeError(msg)
        trained = [p for g in self.param_groups for p in g["params"] if p.grad is not None]
        # An optimizer may take a state that is not empty for one of its own.
        first = {p: p.detach().clone() for p in trained if _SLOW not in self.state[p]}
        take_step(self._base)
        for parameter in trained:
            state = self.state[parameter]
            slow = state.setdefault(_SLOW, first.get(parameter))
            state[_STEPS] = state.get(_STEPS, 0) + 1
            if state[_STEPS] % self._k == 0:
                slow.lerp_(parameter, self._alpha)
                parameter.copy_(slow)

    def state_dict(self) -> dict[str, Any]:
        """Give the base's state, the slow weights in it."""
        return self._base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self._base.load_state_dict(state_dict)
        self._share()
