"""The head of what makes masks: what the masks say, and what the config says of them."""

from typing import TYPE_CHECKING

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.masks import MaskKind
from fivefold.core.types import Activation, Head
from fivefold.models.names import backbones

if TYPE_CHECKING:
    from fivefold.data import Labels

_BY_NAME: dict[str, Activation] = {
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "linear": "linear",
    "none": "linear",
}


def check_masks(config: ExperimentConfig, masks: MaskKind | None) -> None:
    """Refuse an architecture that makes masks for data without them, and the reverse.

    Raises:
        ConfigError: If one of the two has masks and the other has not.
    """
    where, name = config.where("architecture"), config.architecture
    if config.makes_masks and masks is None:
        message = f"architecture: expected a backbone, since the data has no masks, got {name!r}"
        hint = "`dataset: {images: …, masks: …}` gives masks; `fivefold list backbones` has nets"
        raise ConfigError([Problem("config/masks", where, message, hint)])
    if masks is not None and not config.makes_masks:
        message = f"architecture: expected one that makes masks, which the data has, got {name!r}"
        own = backbones.find(name or "") is not None
        hint = f"for example `architecture: Unet` with `backbone: {'ResNet34' if own else name}`"
        raise ConfigError([Problem("config/masks", where, message, hint)])


def mask_head(config: ExperimentConfig, labels: "Labels", masks: MaskKind) -> Head:
    """Decide the only head: softmax where exactly one class is true for every pixel.

    Raises:
        ConfigError: If `classes` or `activation` contradict the masks.
    """
    usual = "softmax" if masks.exclusive else "sigmoid"
    names = config.activation if isinstance(config.activation, tuple) else (config.activation,)
    given = names[0] or usual
    activation = _BY_NAME[given.casefold()]
    problems = [*_of_lists(config), *_of_count(config, labels, masks)]
    if not problems and (activation == "softmax") != masks.exclusive:
        meaning = (
            "the masks hold one class number for each pixel"
            if masks.exclusive
            else "the masks hold a plane for each class"
        )
        message = f"activation: expected {usual!r}, since {meaning}, got {given!r}"
        problems.append(Problem("config/activation", config.where("activation"), message))
    if problems:
        raise ConfigError(problems)
    return Head(labels.name, activation, labels.class_names)


def _of_lists(config: ExperimentConfig) -> list[Problem]:
    """Refuse several outputs."""
    return [
        Problem(
            "config/heads",
            config.where(key),
            f"{key}: expected one entry, since masks are one output, got {len(value)}",
        )
        for key in ("classes", "activation")
        if isinstance(value := getattr(config, key), tuple) and len(value) != 1
    ]


def _of_count(config: ExperimentConfig, labels: "Labels", masks: MaskKind) -> list[Problem]:
    value = config.classes
    count = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    found = masks.num_classes
    where = config.where("classes")
    if isinstance(count, int) and count != found:
        shown = ", ".join(labels.class_names[:8]) + (", …" if found > 8 else "")
        message = f"classes: expected {found}, the number in the masks, got {count}"
        hint = f"leave `classes` out, or mend the data; it has {shown}"
        return [Problem("config/class-count", where, message, hint)]
    if masks.exclusive and found < 2:
        message = f"classes: expected at least 2 for 'softmax', got {found}"
        hint = "the background is one of its classes; `sigmoid` goes with one class"
        return [Problem("config/class-count", where, message, hint)]
    return []
