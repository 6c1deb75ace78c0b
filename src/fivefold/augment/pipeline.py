"""The `augmentation:` of a config as one function of an image and a generator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, overload

import numpy as np

from fivefold.augment.catalog import COLOUR, HIDES_MASK, NEEDS_MASK, SHOWS, augmenters
from fivefold.augment.changes import Step, change_all, change_image, draw_changes, fuse
from fivefold.augment.children import Children, make_step, options_of, spellings
from fivefold.augment.closer import FindLarger, is_enlarged, taken_closer
from fivefold.augment.mixing import misplaced_mixer, mixer_problems, mixers
from fivefold.augment.preprocess import resize
from fivefold.augment.refused import refusal
from fivefold.core.catalog import Component, nowhere
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.masks import as_nearest
from fivefold.core.seeding import generator_for, generator_of
from fivefold.core.types import Image

Where: TypeAlias = Callable[..., str]
Items: TypeAlias = Sequence[tuple[str, Any]]

_TRIALS = 128
"""So often it is drawn, to see whether it enlarges; what it does more rarely is not worth it."""


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
            DataError: If the mask's height or width is not the image's, or there is none although
                an augmenter needs one.
        """
        height, width = image.shape[:2]
        if mask is not None and mask.shape[:2] != (height, width):
            msg = f"mask: expected height and width {(height, width)}, got {mask.shape[:2]}"
            raise DataError(msg, slug="data/mask-size")
        changes = fuse(draw_changes(self._steps, rng, height, width))
        image, mask = change_all(image, mask, changes)
        image = resize(image, height, width)
        return image if mask is None else (image, as_nearest(mask, height, width))

    def closer(self, image: Image, find: FindLarger, rng: np.random.Generator) -> Image:
        """Change an image as calling does, and take what is enlarged from a larger picture of it.

        Args:
            image: Pixels [H, W, C].
            find: Gives the larger picture, or None.
            rng: The same state moves the pixels to the same places.
        """
        height, width = image.shape[:2]
        changes = fuse(draw_changes(self._steps, rng, height, width))
        image, left = taken_closer(image, find, changes)
        return resize(change_image(image, left), height, width)

    def enlarges(self, height: int, width: int) -> bool:
        """Say whether parts of images are made so large that a larger picture shows more of them.

        Args:
            height: Of the images, in pixels.
            width: Likewise.
        """
        trials = (generator_for(0, "trial", k) for k in range(_TRIALS))
        drawn = (draw_changes(self._steps, rng, height, width) for rng in trials)
        return any(is_enlarged(fuse(changes)) for changes in drawn)


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


class Transform:
    """What every image goes through, also in prediction.

    What is random in it is drawn from the pixels themselves: the same pixels always become the
    same ones, wherever they come from and whatever they are called.

    Args:
        augmentation: What is done to an image.
    """

    def __init__(self, augmentation: Augmentation | None) -> None:
        self._change = augmentation

    @overload
    def __call__(self, image: Image) -> Image: ...
    @overload
    def __call__(self, image: Image, mask: Image) -> tuple[Image, Image]: ...
    def __call__(self, image: Image, mask: Image | None = None) -> Image | tuple[Image, Image]:
        """Change an image [H, W, C], and its mask [H, W] or [H, W, M] alike."""
        if self._change is None:
            return image if mask is None else (image, mask)
        rng = generator_of(image.tobytes())
        return self._change(image, rng) if mask is None else self._change(image, rng, mask)


def build_transforms(items: Items) -> Transform:
    """Make the function of augmenters that every image goes through, also in prediction.

    Args:
        items: Names and options, in order; they have been checked.
    """
    return Transform(build_augmentation(items, nowhere, "transforms") if items else None)


@dataclass(frozen=True)
class _Place:
    """Where an augmenter stands.

    Attributes:
        at: Says where it, or an option of it, stands in the config.
        key: The keys and names around it, for messages.
        masks: Whether images come with masks; None where that is not known.
        channels: How many channels images have.
        are_chosen: Whether an augmenter around it shows only these.
        hider: The augmenter around it that shows it no mask; "" if there is none.
    """

    at: Where
    key: str
    masks: bool | None
    channels: int
    are_chosen: bool = False
    hider: str = ""

    def refusal(self, component: Component[Any]) -> str:
        """Say why an augmenter cannot be used on the images here; "" if it can."""
        if component.facts.get(NEEDS_MASK) and self._mask_is_missing():
            return self._mask_is_missing()
        if component.facts.get(COLOUR) and self.channels < 3:
            source = "the augmenter around it shows" if self.are_chosen else "`shape` has"
            have = f"{source} {self.channels} channel{'s' if self.channels > 1 else ''}"
            return f"it changes red, green and blue, and {have}: leave it out, or set 3"
        return ""

    def _mask_is_missing(self) -> str:
        if self.key.partition(".")[0] == "transforms":
            return "it needs a mask, which no image has in prediction: put it into `augmentation`"
        if self.masks is False:
            return "it needs a mask for every image, which classification has none of: leave it out"
        return f"it needs the mask, which {self.hider} does not show it" if self.hider else ""


def check_augmentation(
    items: Items,
    where: Where,
    key: str = "augmentation",
    *,
    masks: bool | None = None,
    channels: int = 3,
) -> list[Problem]:
    """Find every wrong name and option, at any depth.

    Args:
        items: Names and options, in order.
        where: Says where a part of them stands: `where(position, name, option)`.
        key: The config's key that they stand behind, for messages.
        masks: Whether images come with masks, which some augmenters need and mixers cannot mix;
            None where that is not known.
        channels: How many channels images have; some augmenters need three.
    """
    problems = []
    for position, (name, value) in enumerate(items):
        at = partial(where, position, name)
        if masks and mixers.find(name):
            problems.append(_refused(name, at, key, _MIXES_LABELS))
        elif mixers.find(name):
            problems += mixer_problems(items, position, at, key)
        else:
            problems += _problems(name, value, _Place(at, key, masks, channels))
    return problems


_MIXES_LABELS = "it mixes the labels of whole images, and these have masks: leave it out"


def _refused(name: str, at: Where, key: str, reason: str) -> Problem:
    message = f"{key}: augmenter {name!r} cannot be used"
    return Problem("config/refused-augmenter", at(), message, reason)


def _problems(name: str, value: object, place: _Place) -> list[Problem]:
    at, key = place.at, place.key
    component = augmenters.find(name)
    reason = place.refusal(component) if component else refusal(name)
    if reason:
        return [_refused(name, at, key, reason)]
    if mixers.find(name):
        return [misplaced_mixer(name, at, key)]
    if component is None:
        return [augmenters.unknown(name, at(), key)]
    options, are_bare = options_of(component, value)
    inside = replace(place, key=f"{key}.{name}")
    if component.facts.get(HIDES_MASK):
        inside = replace(inside, hider=component.name)
    return (
        augmenters.problems(name, options, at, key)
        or _channel_problems(component, options, inside)
        or _children_problems(component, options, inside, are_bare=are_bare)
        or _meeting_problems(name, value, inside)
    )


def _channel_problems(component: Component[Any], options: object, place: _Place) -> list[Problem]:
    """Find channels that images do not have."""
    wanted = component.check(options)[0].get("channels") or ()
    if max(wanted, default=0) < place.channels:
        return []
    message = f"{place.key}.channels: expected 0 to {place.channels - 1}, got {max(wanted)}"
    hint = "channels count from 0; the last number of `shape` says how many there are"
    return [Problem("config/bad-value", place.at("channels"), message, hint)]


def _children_problems(
    component: Component[Any], options: object, place: _Place, *, are_bare: bool
) -> list[Problem]:
    """Find problems of augmenters inside another; bare ones have no option's name around them."""
    written = {str(option) for option in options} if isinstance(options, Mapping) else set()
    problems = []
    shown = len(component.check(options)[0].get("channels") or range(place.channels))
    shown = component.facts.get(SHOWS, shown)
    for option, accepted in component.check(options)[0].items():
        if not isinstance(accepted, Children):
            continue
        names = [name for name in spellings(component, option) if name in written]
        around = () if are_bare else tuple(names[:1])
        key = ".".join((place.key, *around))
        for item in accepted.items:
            inner = replace(place, at=partial(place.at, *around, *item.path), key=key)
            if shown != place.channels:
                inner = replace(inner, channels=shown, are_chosen=True)
            problems += _problems(item.name, item.value, inner)
    return problems


def _meeting_problems(name: str, value: object, place: _Place) -> list[Problem]:
    """Find what only shows when options meet."""
    try:
        make_step(name, value)(np.random.default_rng(0), 8, 8)
    except ValueError as error:
        return [Problem("config/bad-value", place.at(), f"{place.key}: expected {error}")]
    return []
