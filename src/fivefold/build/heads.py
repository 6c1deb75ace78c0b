"""The classifier's heads: what the data's labels say, and what the config says of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fivefold.build.mask_heads import check_masks, mask_head
from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.masks import MaskKind
from fivefold.core.types import Activation, Head

if TYPE_CHECKING:
    from fivefold.data import Labels

ACTIVATIONS: dict[str, Activation] = {
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "linear": "linear",
    "none": "linear",
}

_NO_PROBABILITY = "its outputs are no probabilities; `none` gives outputs as they are"
REFUSED_ACTIVATIONS: Mapping[str, str] = {
    "elu": _NO_PROBABILITY,
    "exponential": "its outputs have no upper end; `softmax` is the same, divided by the sum",
    "hard_sigmoid": "where it is flat nothing is learned; write `sigmoid`",
    "relu": _NO_PROBABILITY,
    "relu6": _NO_PROBABILITY,
    "selu": _NO_PROBABILITY,
    "softplus": _NO_PROBABILITY,
    "softsign": _NO_PROBABILITY,
    "tanh": "its outputs from -1 to 1 are no probabilities; `sigmoid` is it, moved to 0-1",
}
"""Keras's activations that cannot end a classifier, and why."""


def build_heads(
    config: ExperimentConfig, labels: Sequence["Labels"], masks: MaskKind | None = None
) -> tuple[Head, ...]:
    """Decide the heads.

    Args:
        config: Its `classes` and `activation` may be left out; then the labels decide.
        labels: One for each output of the data.
        masks: How the data's masks are written, if it has masks.

    Raises:
        ConfigError: If `classes` or `activation` contradict the data.
        DataError: If there are no labels.
    """
    if not labels:
        msg = "data: expected labels to train on, got none"
        hint = "give each sample a class: a folder, a column, or `y` of a PredictionItem"
        raise DataError(msg, hint=hint, slug="data/no-labels")
    check_masks(config, masks)
    if masks is not None:
        return (mask_head(config, labels[0], masks),)
    counts = _for_each(config, "classes", config.classes, len(labels))
    activations = _for_each(config, "activation", config.activation, len(labels))
    heads, problems = [], []
    for own, count, name in zip(labels, counts, activations, strict=True):
        activation = ACTIVATIONS[name.casefold() if name else _fitting(own)]
        problems += _count_problems(config, own, count)
        problems += _activation_problems(config, own, activation)
        heads.append(Head(own.name, activation, own.class_names))
    if problems:
        raise ConfigError(problems)
    return tuple(heads)


def _for_each(config: ExperimentConfig, key: str, value: Any, outputs: int) -> list[Any]:
    entries = list(value) if isinstance(value, list | tuple) else [value] * outputs
    if len(entries) != outputs:
        message = (
            f"{key}: expected {outputs} {'entry' if outputs == 1 else 'entries'}, "
            f"one for each output of the data, got {len(entries)}"
        )
        raise ConfigError([Problem("config/heads", config.where(key), message)])
    return entries


def _fitting(labels: "Labels") -> str:
    return "softmax" if labels.exclusive and len(labels.class_names) > 1 else "sigmoid"


def _count_problems(config: ExperimentConfig, labels: "Labels", count: int | None) -> list[Problem]:
    found = len(labels.class_names)
    if count is None or count == found:
        return []
    shown = ", ".join(labels.class_names[:8]) + (", …" if found > 8 else "")
    message = f"classes: expected {found}, the number in the data, got {count}"
    hint = f"leave `classes` out, or mend the data; it has {shown}"
    return [Problem("config/class-count", config.where("classes"), message, hint)]


def _activation_problems(
    config: ExperimentConfig, labels: "Labels", activation: Activation
) -> list[Problem]:
    if activation != "softmax" or labels.exclusive:
        return []
    message = "activation: expected 'sigmoid', since samples have several labels, got 'softmax'"
    hint = "softmax allows one class for each sample"
    return [Problem("config/activation", config.where("activation"), message, hint)]
