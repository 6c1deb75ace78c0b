"""A model and its optimizer as one flat mapping of tensors, and back, to the same bits."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fivefold.core.errors import StateError

_MODEL, _OPTIMIZER = "model/", "optimizer/"


def flatten(model: nn.Module, optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Collect all tensors and plain numbers that training changes."""
    tensors = {_MODEL + name: tensor for name, tensor in model_tensors(model).items()}
    numbers: dict[str, float] = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            key = f"{_OPTIMIZER}{index}/{name}"
            if isinstance(value, Tensor):
                tensors[key] = value.detach().cpu().contiguous()
            else:
                numbers[key] = value
    return tensors, numbers


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's parameters and buffers on the CPU, in one memory order whatever the layout."""
    return {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}


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
    for key, tensor in _under(_OPTIMIZER, tensors).items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = _like(parameters[int(index)], tensor)
    for key, number in numbers.items():
        index, _, name = key.removeprefix(_OPTIMIZER).partition("/")
        state.setdefault(int(index), {})[name] = number
    groups = optimizer.state_dict()["param_groups"]
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


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def _like(parameter: Tensor, tensor: Tensor) -> Tensor:
    # An optimizer's averages lie in memory as their parameter does; other strides would take other
    # kernels, and those may round differently.
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
