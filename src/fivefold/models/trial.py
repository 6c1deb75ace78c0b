"""What a timm net makes of images of a shape, tried on shapes alone: nothing is computed.

Nets are built on torch's "meta" device, which knows sizes and no numbers, so that even the largest
takes a fraction of a second and no memory.
"""

from typing import Any

import timm
import torch
from torch import nn

import fivefold.models.nasnet  # noqa: F401  registers NASNetMobile with timm
from fivefold.core.errors import ConfigError, Problem
from fivefold.models.taking import LEARNED, NoLevelError, NoMapError, Reader, Taken, take
from fivefold.models.weights import pretrained_facts

# The nearest of these that works is proposed where a net cannot take a size.
_SIZES = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 288, 299, 320, 331, 384, 448, 512)
_STRIDES = (8, 14, 16, 32, 56, 64)
_TRIALS = 16

# What nets raise for a size that they cannot take: torch's errors and timm's assertions.
_REFUSALS = (
    *(AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError),
    ZeroDivisionError,
)


def net_options(known: str, height: int, width: int) -> dict[str, Any]:
    """Say what a timm net must be told about the images' size, in pixels."""
    # Nets with position embeddings or fixed windows are built for one size.
    fixed = pretrained_facts(known).get("fixed_input_size")
    return {"img_size": (height, width)} if fixed else {}


def count_features(
    name: str, known: str, shape: tuple[int, int, int], taken: Taken, where: str = ""
) -> int:
    """Find the length of a net's feature vectors for images of a shape.

    Args:
        name: What the user calls it.
        known: timm's name of it.
        shape: Height and width in pixels, and channels.
        taken: What is wanted of it.
        where: Of the shape in the config.

    Raises:
        ConfigError: If the net cannot take this shape or this pooling; names a shape that works.
    """
    try:
        return _try(known, shape, taken)
    except _REFUSALS as error:
        raise ConfigError([_explain(name, known, shape, taken, error, where)]) from error


def as_features(
    net: nn.Module, name: str, known: str, shape: tuple[int, int, int], taken: Taken
) -> tuple[Reader, int]:
    """Make a net give feature vectors, in place, and find their length by an empty image.

    A net that can be built for any size needs no trial before, whose first use of the "meta" device
    imports much of torch's compiler.

    Args:
        net: As timm made it.
        name: What the user calls it.
        known: timm's name of it.
        shape: Height and width in pixels, and channels.
        taken: What is wanted of it.

    Returns:
        How features are read from the net, and their length.

    Raises:
        ConfigError: As `count_features`.
    """
    training = net.training
    try:
        with torch.no_grad():
            reader, width = _taken(net.eval(), shape, taken)
    except _REFUSALS as error:
        raise ConfigError([_explain(name, known, shape, taken, error, "")]) from error
    net.train(training)
    return reader, width


def _explain(
    name: str,
    known: str,
    shape: tuple[int, int, int],
    taken: Taken,
    error: Exception,
    where: str,
) -> Problem:
    height, width, channels = shape
    if isinstance(error, NoLevelError):
        message = (
            f"cut_levels: expected at most {error.levels - 1}, since {name!r} has "
            f"{error.levels} {'level' if error.levels == 1 else 'levels'}, got {taken.cut}"
        )
        hint = "levels are the stages of a convolutional net, the blocks of a transformer"
        return Problem("config/cut-levels", where, message, hint)
    if isinstance(error, NoMapError):
        message = (
            f"pooling: expected 'avg' or 'max', since {name!r} gives no map of features, "
            f"got {taken.pooling!r}"
        )
        return Problem("config/pooling", where, message)
    # A net that lacks what all others have will not get it from another size.
    nearest = None if isinstance(error, AttributeError) else _nearest(known, shape, taken)
    if nearest is not None:
        message = f"shape: expected a size that {name!r} can take, got {height} by {width} pixels"
        hint = f"the nearest that works is `shape: [{nearest[0]}, {nearest[1]}, {channels}]`"
        return Problem("config/shape", where, message, hint)
    if taken.pooling != "avg":
        message = f"pooling: expected 'avg', since {name!r} has no other, got {taken.pooling!r}"
        return Problem("config/pooling", where, message)
    reason = str(error).strip().partition("\n")[0]
    message = f"architecture: expected a net that gives feature vectors, got {name!r}: {reason}"
    return Problem("config/backbone-contract", where, message)


def _try(known: str, shape: tuple[int, int, int], taken: Taken) -> int:
    height, width, channels = shape
    with torch.device("meta"), torch.no_grad():
        net = timm.create_model(known, in_chans=channels, **net_options(known, height, width))
        return _taken(net.eval(), shape, taken)[1]


def _taken(net: nn.Module, shape: tuple[int, int, int], taken: Taken) -> tuple[Reader, int]:
    height, width, channels = shape
    images = torch.zeros(1, channels, height, width)
    reader = take(net, taken, images)
    features = reader(net, images)
    dimensions = 3 if taken.pooling == LEARNED else 2
    if not isinstance(features, torch.Tensor) or features.ndim != dimensions:
        msg = "this net gives no feature vectors"
        raise ValueError(msg)
    if 0 in features.shape:
        msg = "the features are empty"
        raise ValueError(msg)
    return reader, features.shape[1]


def _nearest(known: str, shape: tuple[int, int, int], taken: Taken) -> tuple[int, int] | None:
    height, width, channels = shape
    made_for = pretrained_facts(known).get("input_size", (3, 224, 224))[1:]
    rounded = [(_round(height, s), _round(width, s)) for s in _STRIDES]
    squares = [(size, size) for size in _SIZES]
    candidates = {*rounded, *squares, tuple(made_for)} - {(height, width)}
    near = sorted(candidates, key=lambda c: (abs(c[0] - height) + abs(c[1] - width), c))
    for candidate in [*near[:_TRIALS], tuple(made_for)]:
        try:
            _try(known, (*candidate, channels), taken)
        except _REFUSALS:
            continue
        return candidate
    return None


def _round(size: int, stride: int) -> int:
    return max(1, round(size / stride)) * stride
