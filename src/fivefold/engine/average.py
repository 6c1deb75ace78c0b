"""Averaged weights: a slow copy of what trains, which is what is validated and saved."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fivefold.core.errors import StateError

_PREFIX = "average/"


class Average:
    """An exponential moving average of a module's weights and of BatchNorm's statistics.

    After n steps of the optimizer the average keeps min(decay, (1 + n) / (10 + n)) of itself and
    takes the rest from the module, so that the first steps, far from the goal, are soon forgotten.
    What is no floating-point number, such as a count of batches, is copied.

    Args:
        module: Whose weights; the average starts as they are.
        decay: 0-1.

    References:
        Polyak and Juditsky, 1992; the bound on the decay is that of TensorFlow's
        `ExponentialMovingAverage` with `num_updates`.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._live: Mapping[str, Tensor] = module.state_dict()
        self._slow = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        self._decay = decay
        floating = [name for name, t in self._live.items() if t.is_floating_point()]
        self._averaged = [(self._slow[name], self._live[name]) for name in floating]
        others = self._live.keys() - set(floating)
        self._copied = [(self._slow[name], self._live[name]) for name in sorted(others)]

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the module as it is after so many steps of the stage."""
        part = 1 - min(self._decay, (1 + steps) / (10 + steps))
        for slow, live in self._averaged:
            slow.lerp_(live, part)
        for slow, live in self._copied:
            slow.copy_(live)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Put the average into the module; at the end the weights that train come back."""
        pairs = (*self._averaged, *self._copied)
        _exchange(pairs)
        try:
            yield
        finally:
            # Weights that a net has under two names come back in the reverse order alone.
            _exchange(pairs[::-1])

    def tensors(self) -> dict[str, Tensor]:
        """Collect the average for a commit, on the CPU."""
        return {_PREFIX + name: t.detach().cpu().contiguous() for name, t in self._slow.items()}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what `tensors` gave.

        Raises:
            StateError: If a tensor is missing or has another shape.
        """
        for name, slow in self._slow.items():
            found = tensors.get(_PREFIX + name)
            if found is None or found.shape != slow.shape:
                msg = (
                    f"averaged weights: expected {name!r} of shape {tuple(slow.shape)}, got others"
                )
                raise StateError(msg, slug="state/other-model")
            slow.copy_(found)


@torch.no_grad()
def _exchange(pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    for one, other in pairs:
        kept = other.clone()
        other.copy_(one)
        one.copy_(kept)
