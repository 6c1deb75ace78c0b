"""Test-time augmentation: flipped views of the same image, averaged."""

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from fivefold.core.errors import ConfigError, Problem

View: TypeAlias = Callable[[Tensor], Tensor]
"""From images [N, C, H, W] to images of the same shape; each undoes itself.

So maps [N, K, H, W] of a view's images are brought back by the same view.
"""


def identity(images: Tensor) -> Tensor:
    """The images as they are."""
    return images


def horizontal(images: Tensor) -> Tensor:
    """Left and right exchanged."""
    return images.flip(3)


def vertical(images: Tensor) -> Tensor:
    """Top and bottom exchanged."""
    return images.flip(2)


def both(images: Tensor) -> Tensor:
    """Turned by 180 degrees."""
    return images.flip(2, 3)


_VIEWS: dict[str | bool | None, tuple[View, ...]] = {
    None: (identity,),
    False: (identity,),
    "Horizontal": (identity, horizontal),
    "Horizontal_and_vertical": (identity, horizontal, vertical, both),
    True: (identity, horizontal, vertical, both),
}
"""By Musket's values. Its fourth view was the identity once more; here it is both flips."""


def views_of(tta: str | bool | None) -> tuple[View, ...]:  # noqa: FBT001  Musket's value
    """Choose the views to average over.

    Raises:
        ConfigError: If there is no such choice.
    """
    if tta in _VIEWS:
        return _VIEWS[tta]
    message = f"tta: expected true, false, 'Horizontal' or 'Horizontal_and_vertical', got {tta!r}"
    raise ConfigError([Problem("config/bad-value", "", message)])
