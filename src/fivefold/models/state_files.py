"""Weights files read safely, and compared with a net tensor by tensor.

Only formats that cannot carry code are read, and only finite tensors are accepted.
"""

import logging
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fivefold.core.errors import DataError, UnsafeInputError

logger = logging.getLogger(__name__)

SUFFIXES = (".safetensors", ".pth", ".pt")
"""Endings of files that a user may name."""

# Where trainers put the weights inside a checkpoint, the best candidate first.
_NESTED = ("state_dict_ema", "model_ema", "state_dict", "model", "module")

# Where fivefold's own files keep a backbone, and what makes images smaller for it.
_OWN_PREFIX = "backbone.net."
_OWN_STEM = "backbone.stem."


def read_state_file(path: Path) -> dict[str, Tensor]:
    """Read a file of weights.

    Args:
        path: `.safetensors`, or a `.pth` or `.pt` that holds tensors and plain values only; a
            checkpoint's weights are found under their usual keys.

    Returns:
        Names and dense, finite tensors on the CPU, without prefixes of wrappers.

    Raises:
        UnsafeInputError: If the format could carry code, or the file tries to.
        DataError: If the file is missing or damaged, or a weight is sparse, quantized,
            complex, without values, NaN or infinite.
    """
    if not path.is_file():
        msg = f"weights: expected a file, got {str(path)!r}, which does not exist"
        hint = "`weights` is imagenet, none, or a path that starts at the config's folder"
        raise DataError(msg, hint=hint, slug="weights/not-found")
    if path.suffix.lower() not in SUFFIXES:
        msg = f"{path}: expected weights in {', '.join(SUFFIXES)}, got {path.suffix or path.name!r}"
        hint = "save the tensors with safetensors.torch.save_file; other formats can carry code"
        raise UnsafeInputError(msg, hint=hint, slug="unsafe/weights-format")
    return load_tensors(path)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read an existing file of weights, whatever its ending; see `read_state_file`."""
    try:
        if path.suffix.lower() == ".safetensors":
            content: object = safetensors.torch.load_file(path, device="cpu")
        else:
            content = _load_quietly(path)
    except pickle.UnpicklingError as error:
        msg = f"{path}: expected tensors and plain values only, got other Python objects or damage"
        hint = "save only the state dict: torch.save(model.state_dict(), path)"
        raise UnsafeInputError(msg, hint=hint, slug="unsafe/weights-format") from error
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        msg = f"{path}: expected a readable file of weights, got {reason}"
        hint = "the file is damaged or cut short; copy or download it again"
        raise DataError(msg, hint=hint, slug="weights/damaged") from error
    tensors = _state_dict_of(path, content)
    _check_dense(path, tensors)
    _check_finite(path, tensors)
    return tensors


def _load_quietly(path: Path) -> object:
    """Read a `.pth`; what torch remarks on odd tensors comes as an error with their name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\.")
        return torch.load(path, map_location="cpu", weights_only=True, mmap=False)


def _state_dict_of(path: Path, content: object) -> dict[str, Tensor]:
    nested = next((k for k in _NESTED if isinstance(content, Mapping) and k in content), None)
    if isinstance(content, Mapping) and nested and isinstance(content[nested], Mapping):
        content = content[nested]
    if not isinstance(content, Mapping) or not content:
        msg = f"{path}: expected named tensors, got {type(content).__name__}"
        raise DataError(msg, slug="weights/mismatch")
    odd = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if odd:
        msg = f"{path}: expected only tensors among the weights, got others under {odd[:3]}"
        raise DataError(msg, slug="weights/mismatch")
    prefix = "module." if all(str(key).startswith("module.") for key in content) else ""
    return {str(key).removeprefix(prefix): value for key, value in content.items()}


def _check_dense(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if kind := _oddity(tensor):
            msg = f"{path}: {name}: expected dense tensors of real numbers, got a {kind} one"
            hint = "save the state dict of the net as it is trained, in float32"
            raise DataError(msg, hint=hint, slug="weights/mismatch")


def _oddity(tensor: Tensor) -> str:
    """Name what makes a tensor useless as a weight; nothing for usual ones."""
    kinds = {
        "meta": tensor.is_meta,
        "sparse": tensor.layout != torch.strided,
        "quantized": tensor.is_quantized,
        "complex": tensor.is_complex(),
    }
    return next((kind for kind, found in kinds.items() if found), "")


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            msg = f"{path}: {name}: expected finite weights, got NaN or infinity"
            hint = "the training that wrote this file went wrong; use an earlier checkpoint"
            raise DataError(msg, hint=hint, slug="weights/not-finite")


def without_own_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take a backbone out of weights that fivefold wrote; return other weights as they are."""
    own = {name: tensor for name, tensor in tensors.items() if name.startswith(_OWN_PREFIX)}
    if own and any(name.startswith(_OWN_STEM) for name in tensors):
        logger.warning(
            "weights: of this file the learned steps before the backbone are left out; "
            "`initial_weights` takes them too"
        )
    return {name.removeprefix(_OWN_PREFIX): tensor for name, tensor in own.items()} or tensors


def state_differences(net: nn.Module, tensors: Mapping[str, Tensor], most: int = 3) -> list[str]:
    """List the first few names and shapes in which weights differ from a net's."""
    own = net.state_dict()
    shapes = [
        f"{key} is {list(tensors[key].shape)}, not {list(tensor.shape)}"
        for key, tensor in own.items()
        if key in tensors and tensors[key].shape != tensor.shape
    ]
    missing = [f"{key} is missing" for key in own if key not in tensors]
    unknown = [f"{key} is unknown" for key in tensors if key not in own]
    listed = [*shapes, *missing, *unknown]
    rest = [f"and {len(listed) - most} more"] if len(listed) > most else []
    return [*listed[:most], *rest]


def names_by_order(tensors: Mapping[str, Tensor], net: nn.Module, source: str) -> dict[str, Tensor]:
    """Give tensors the names of a net that has the same ones in the same order.

    Raises:
        DataError: If their number, a shape or a kind (weight, bias, running_mean, …) differs.
    """
    own = net.state_dict()
    if len(tensors) != len(own):
        msg = f"{source}: expected {len(own)} tensors, got {len(tensors)}"
        raise DataError(msg, slug="weights/mismatch")
    for (theirs, tensor), (ours, expected) in zip(tensors.items(), own.items(), strict=True):
        same_kind = theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        if not same_kind or tensor.shape != expected.shape:
            got = f"{theirs} {list(tensor.shape)}"
            msg = f"{source}: expected {ours} {list(expected.shape)}, got {got}"
            raise DataError(msg, slug="weights/mismatch")
    return dict(zip(own, tensors.values(), strict=True))
