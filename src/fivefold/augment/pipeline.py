"""The `augmentation:` of a config as one function of an image and a generator."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, overload

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Step, change_image, change_mask, draw_changes, fuse
from fivefold.augment.preprocess import resize
from fivefold.augment.warp import as_nearest
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.types import Image

Where: TypeAlias = Callable[..., str]


class Augmentation:
    """Random changes of training images; the same generator state gives the same bytes.

    Args:
        steps: Draw one change each, in the order in which they apply.
    """

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        self._steps = tuple(steps)

    @overload
    def __call__(self, image: Image, rng: np.random.Generator) -> Image: ...
    @overload
    def __call__(
        self, image: Image, rng: np.random.Generator, mask: Image
    ) -> tuple[Image, Image]: ...
    def __call__(
        self, image: Image, rng: np.random.Generator, mask: Image | None = None
    ) -> Image | tuple[Image, Image]:
        """Change an image [H, W, C], and its mask [H, W] or [H, W, M] alike.

        What comes out of another size, as after cutting, is resized to the one it had.

        Returns:
            The image, or the image and the mask; the very same arrays when nothing changes.

        Raises:
            DataError: If the mask's height or width is not the image's.
        """
        height, width = image.shape[:2]
        if mask is not None and mask.shape[:2] != (height, width):
            msg = f"mask: expected height and width {(height, width)}, got {mask.shape[:2]}"
            raise DataError(msg, slug="data/mask-size")
        changes = fuse(draw_changes(self._steps, rng, height, width))
        image = resize(change_image(image, changes), height, width)
        if mask is None:
            return image
        return image, as_nearest(change_mask(mask, changes), height, width)


def build_augmentation(items: Sequence[tuple[str, Any]], where: Where) -> Augmentation:
    """Make the function of a list of augmenters.

    Args:
        items: Names and options, in order.
        where: Says where a key of the config stands: `where("augmentation", name, option)`.

    Raises:
        ConfigError: With every problem, if a name or an option is wrong.
    """
    problems = check_augmentation(items, where)
    if problems:
        raise ConfigError(problems)
    return Augmentation([_step(name, value) for name, value in items])


def check_augmentation(items: Sequence[tuple[str, Any]], where: Where) -> list[Problem]:
    """Find every wrong name and option; see `build_augmentation`."""
    return [problem for name, value in items for problem in _problems(name, value, where)]


def _step(name: str, value: object) -> Step:
    component = augmenters.get(name)
    options, _ = component.check(value)
    return partial(component.make, **options)


def _problems(name: str, value: object, where: Where) -> list[Problem]:
    at = partial(where, "augmentation", name)
    problems = augmenters.problems(name, value, at, "augmentation")
    if problems:
        return problems
    try:  # what only shows when options meet
        _step(name, value)(np.random.default_rng(0), 8, 8)
    except ValueError as error:
        message = f"augmentation.{name}: expected {error}"
        return [Problem("config/bad-value", at(), message)]
    return []
