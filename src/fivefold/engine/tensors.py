"""A model and its optimizer as one flat mapping of tensors, and back, to the same bits."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fivefold.core.errors import StateError
from fivefold.optim import SCALE

_Value = TypeVar("_Value")

_MODEL, _OPTIMIZER, _GROUP = "model/", "optimizer/", "group/"


def flatten(model: nn.Module, optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Collect all tensors and plain numbers that training changes."""
    tensors = {_MODEL + name: tensor for name, tensor in model_tensors(model).items()}
    numbers: dict[str, float] = {}
    for key, value in _remembered(optimizer):
        if isinstance(value, Tensor):
            tensors[key] = value.detach().cpu().contiguous()
        else:
            numbers[key] = value
    return tensors, numbers


def _remembered(optimizer: Optimizer) -> Iterator[tuple[str, Any]]:
    """List all that an optimizer remembers, in its state and, if it counts there, in its groups."""
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            yield f"{_OPTIMIZER}{index}/{name}", value
    options = {*optimizer.defaults, "params", SCALE}
    for index, group in enumerate(optimizer.param_groups):
        for name in group.keys() - options:
            yield f"{_GROUP}{index}/{name}", group[name]


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers on the CPU, in one memory order whatever the layout.

    No two of them share memory: weights that a net has under two names are there twice.
    """
    found: dict[str, Tensor] = {}
    places: set[int] = set()
    for name, tensor in model.state_dict().items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        found[name] = own.clone() if place in places else own
        places.add(place)
    return found


def restore(
    model: nn.Module,
    optimizer: Optimizer,
    tensors: Mapping[str, Tensor],
    numbers: Mapping[str, float],
) -> None:
    """Put back what `flatten` collected.

    Raises:
        StateError: If names or shapes differ from the model's.
    """
    load_model_tensors(model, _under(_MODEL, tensors))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, object]] = {}
    for key, value in [*_under(_OPTIMIZER, tensors).items(), *_under(_OPTIMIZER, numbers).items()]:
        place, _, name = key.partition("/")
        index = int(place)
        like = _like(parameters[index], value) if isinstance(value, Tensor) else value
        state.setdefault(index, {})[name] = like
    groups = optimizer.state_dict()["param_groups"]
    for key, value in [*_under(_GROUP, tensors).items(), *_under(_GROUP, numbers).items()]:
        place, _, name = key.partition("/")
        groups[int(place)][name] = value
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def load_model_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy weights into a model that must have just these.

    Raises:
        StateError: If names or shapes differ.
    """
    try:
        model.load_state_dict(dict(tensors))
    except RuntimeError as error:
        msg = f"weights: expected those of this model, got others: {error}"
        raise StateError(msg, slug="state/other-model") from error


def _under(prefix: str, values: Mapping[str, _Value]) -> dict[str, _Value]:
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


def _like(parameter: Tensor, tensor: Tensor) -> Tensor:
    # An optimizer's averages lie in memory as their parameter does; other strides would take other
    # kernels, and those may round differently.
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
