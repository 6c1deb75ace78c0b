"""Decorators with which users add their own parts: losses, metrics, augmenters, networks and more.

Each registers what it decorates in a catalog and returns it unchanged. A config then names it like
any other one. Positional parameters come from fivefold, keyword-only ones from the YAML.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fivefold.augment import augmenters
from fivefold.augment.mixing import mixers
from fivefold.core.catalog import Catalog
from fivefold.core.segmenters import own_segmenters
from fivefold.engine.callbacks import callbacks
from fivefold.evaluation import mask_metrics, metrics
from fivefold.losses import losses
from fivefold.models.names import backbones
from fivefold.optim import optimizers, schedules

M = TypeVar("M", bound=Callable[..., Any])


def loss(
    *aliases: str,
    name: str = "",
    inputs: Literal["softmax", "sigmoid", "probabilities"] | None = None,
    gives: Literal["class", "sample"] | None = None,
    max_classes: int | None = None,
) -> Callable[[M], M]:
    """Add a loss: `def name(logits, targets, *, options) -> Tensor`, both of shape [N, C].

    Args:
        aliases: Other names that mean the same.
        name: The name in configs; that of the function if not given.
        inputs: What it is shown whatever the head: logits of a softmax, of a sigmoid, or
            probabilities. If not given, the head's logits as they are.
        gives: `class` for a number of each sample and class [N, C], `sample` for one of each sample
            [N]. Only such losses can be weighted by classes. If not given, one number will do.
        max_classes: How many classes a head may have; any number if not given.

    Raises:
        ConfigError: If the function takes other parameters.
        ValueError: If a name is taken.
    """
    facts = {"inputs": inputs, "gives": gives, "max_classes": max_classes}
    return _add(losses, aliases, name, **facts)


def metric(*aliases: str, best: Literal["max", "min"], name: str = "") -> Callable[[M], M]:
    """Add a metric: `def name(predictions, *, options) -> float`, of all samples at once.

    Args:
        aliases: Other names that mean the same.
        best: Which way it is better.
        name: The name in configs; that of the function if not given.

    Raises:
        ConfigError: If the function takes other parameters.
        ValueError: If a name is taken.
    """
    return _add(metrics, aliases, name, best=best)


def mask_metric(*aliases: str, best: Literal["max", "min"], name: str = "") -> Callable[[M], M]:
    """Add a metric of masks: `def name(scores, *, options) -> float`, of all images at once.

    Args:
        aliases: Other names that mean the same.
        best: Which way it is better.
        name: The name in configs; that of the function if not given.

    Raises:
        ConfigError: If the function takes other parameters.
        ValueError: If a name is taken.
    """
    return _add(mask_metrics, aliases, name, best=best)


def augmenter(*aliases: str, name: str = "", colour: bool | None = None) -> Callable[[M], M]:
    """Add an augmenter: `def name(rng, height, width, *, options) -> Change`.

    Args:
        aliases: Other names that mean the same.
        name: The name in configs; that of the function if not given.
        colour: Whether it needs red, green and blue.

    Raises:
        ConfigError: If the function takes other parameters.
        ValueError: If a name is taken.
    """
    return _add(augmenters, aliases, name, colour=colour)


def mixer(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add what mixes batches: `def name(rng, images, targets, *, options) -> Mixed`."""
    return _add(mixers, aliases, name)


def architecture(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add a network: a `torch.nn.Module` made with `in_channels`, from images to features.

    It has an attribute `num_features`, and turns normalised pixels [N, in_channels, H, W] into
    [N, num_features]; the last layer is fivefold's. `mean` and `std` say how pixels of 0-1 are
    normalised.

    Args:
        aliases: Other names that mean the same.
        name: The name in configs; that of the class or function if not given.

    Raises:
        ConfigError: If it cannot be made with `in_channels` alone.
        ValueError: If a name is taken.
    """
    return _add(backbones, aliases, name)


def mask_architecture(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add a network that makes masks: a `torch.nn.Module`, from images to a class for every pixel.

    It turns normalised pixels [N, in_channels, H, W] into logits [N, classes, H, W]. It is made
    with those of `in_channels`, `classes` (or `num_classes`) and `input_shape`, which is (height,
    width, channels), that it names, and with its options from `decoder`. `mean` and `std` say how
    pixels of 0-1 are normalised.

    Args:
        aliases: Other names that mean the same.
        name: The name in configs; that of the class or function if not given.

    Raises:
        ConfigError: If it wants to be told something else, or has a name of fivefold's.
        ValueError: If a name is taken.
    """
    return _add(own_segmenters, aliases, name)


def callback(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add a callback: a class derived from `fivefold.engine.callbacks.Callback`."""
    return _add(callbacks, aliases, name)


def optimizer(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add an optimizer: `def name(params, lr, *, options) -> torch.optim.Optimizer`."""
    return _add(optimizers, aliases, name)


def schedule(*aliases: str, name: str = "") -> Callable[[M], M]:
    """Add a schedule: `def name(now, *, options) -> float`, the learning rate of a step."""
    return _add(schedules, aliases, name)


def _add(
    catalog: Catalog[Any], aliases: tuple[str, ...], name: str, **facts: object
) -> Callable[[M], M]:
    known = {fact: value for fact, value in facts.items() if value is not None}
    return catalog.add(*aliases, name=name, **known)
