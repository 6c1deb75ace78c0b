"""The `augmentation:` of a config as one function of an image and a generator."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, overload

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Step, change_image, change_mask, draw_changes, fuse
from fivefold.augment.children import Children, make_step, options_of, spellings
from fivefold.augment.mixing import misplaced_mixer, mixer_problems, mixers
from fivefold.augment.preprocess import resize
from fivefold.augment.refused import refusal
from fivefold.augment.warp import as_nearest
from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.types import Image

Where: TypeAlias = Callable[..., str]
Items: TypeAlias = Sequence[tuple[str, Any]]


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


def build_augmentation(items: Items, where: Where, key: str = "augmentation") -> Augmentation:
    """Make the function of a list of augmenters of single images; mixers are left out.

    Args:
        items: Names and options, in order.
        where: As in `check_augmentation`.
        key: The config's key that they stand behind.

    Raises:
        ConfigError: With every problem, if a name or an option is wrong.
    """
    problems = check_augmentation(items, where, key)
    if problems:
        raise ConfigError(problems)
    return Augmentation([make_step(n, value) for n, value in items if not mixers.find(n)])


def check_augmentation(items: Items, where: Where, key: str = "augmentation") -> list[Problem]:
    """Find every wrong name and option, at any depth.

    Args:
        items: Names and options, in order.
        where: Says where a part of them stands: `where(position, name, option)`.
        key: The config's key that they stand behind, for messages.
    """
    problems = []
    for position, (name, value) in enumerate(items):
        at = partial(where, position, name)
        if mixers.find(name):
            problems += mixer_problems(items, position, at, key)
        else:
            problems += _problems(name, value, at, key)
    return problems


def _problems(name: str, value: object, at: Where, key: str) -> list[Problem]:
    reason = refusal(name)
    if reason:
        message = f"{key}: augmenter {name!r} cannot be used"
        return [Problem("config/refused-augmenter", at(), message, reason)]
    if mixers.find(name):
        return [misplaced_mixer(name, at, key)]
    component = augmenters.find(name)
    if component is None:
        return [augmenters.unknown(name, at(), key)]
    options, are_bare = options_of(component, value)
    place = (at, f"{key}.{name}")
    return (
        augmenters.problems(name, options, at, key)
        or _children_problems(component, options, place, are_bare=are_bare)
        or _meeting_problems(name, value, at, key)
    )


def _children_problems(
    component: Component[Any], options: object, place: tuple[Where, str], *, are_bare: bool
) -> list[Problem]:
    """Find problems of augmenters inside another; bare ones have no option's name around them."""
    at, key = place
    written = {str(option) for option in options} if isinstance(options, Mapping) else set()
    problems = []
    for option, accepted in component.check(options)[0].items():
        if not isinstance(accepted, Children):
            continue
        name = next(name for name in spellings(component, option) if name in written)
        around = () if are_bare else (name,)
        for item in accepted.items:
            inner = partial(at, *around, *item.path)
            problems += _problems(item.name, item.value, inner, ".".join((key, *around)))
    return problems


def _meeting_problems(name: str, value: object, at: Where, key: str) -> list[Problem]:
    """Find what only shows when options meet."""
    try:
        make_step(name, value)(np.random.default_rng(0), 8, 8)
    except ValueError as error:
        return [Problem("config/bad-value", at(), f"{key}.{name}: expected {error}")]
    return []
