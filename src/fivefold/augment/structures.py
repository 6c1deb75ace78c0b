"""Augmenters made of augmenters: all, one, some or sometimes.

The names, options and defaults are those of imgaug 0.3, where they never worked from a YAML.
"""

from typing import Annotated, Any

import numpy as np
from pydantic import AliasChoices, BeforeValidator, Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Step, draw_changes
from fivefold.augment.children import ChildrenOption, OptionalChildren, SomeChildren
from fivefold.augment.draws import Probability, draw_whole


def _as_count(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    whole = [isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in items]
    ends = len(items) == 2 and whole[0] and items[1] is None
    if not items or not (all(whole) or ends):
        msg = "a whole number of at least 0, a range [a, b] or [a, null], or a list to choose from"
        raise ValueError(msg)
    return value


_Count = Annotated[int | list[int | None], BeforeValidator(_as_count)]
_Then = Annotated[OptionalChildren, Field(validation_alias=AliasChoices("then_list", "then"))]
_Else = Annotated[OptionalChildren, Field(validation_alias=AliasChoices("else_list", "else"))]


@augmenters.add("Identity", name="Noop")
def noop(rng: np.random.Generator, height: int, width: int) -> Change:
    """Change nothing."""
    return NOTHING


@augmenters.add(name="Sequential", children="children")
def sequential(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    children: ChildrenOption,
    random_order: bool = False,
) -> Change:
    """Apply all its augmenters, one after another.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        children: The augmenters.
        random_order: Whether each image has them in an order of its own.
    """
    return _several(rng, (height, width), children.steps, random_order=random_order)


@augmenters.add(name="OneOf", children="children")
def one_of(rng: np.random.Generator, height: int, width: int, *, children: SomeChildren) -> Change:
    """Apply one of its augmenters, each as likely as the others."""
    return children.steps[rng.integers(len(children.steps))](rng, height, width)


@augmenters.add(name="SomeOf", children="children")
def some_of(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n: _Count | None = None,
    children: SomeChildren,
    random_order: bool = False,
) -> Change:
    """Apply some of its augmenters, each at most once.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n: How many, or all if there are fewer; `[2, 4]` is two to four, `[2, null]` two or more,
            nothing means all.
        children: The augmenters.
        random_order: Whether they come in an order of each image's own, not in the written one.
    """
    steps = children.steps
    chosen = rng.permutation(len(steps))[: _how_many(rng, n, len(steps))]
    if not random_order:
        chosen = np.sort(chosen)
    return draw_changes([steps[i] for i in chosen.tolist()], rng, height, width)


@augmenters.add(name="Sometimes", children="then_list")
def sometimes(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Probability = 0.5,
    then_list: _Then = None,
    else_list: _Else = None,
) -> Change:
    """Apply its augmenters in a share `p` of the images, and others in the rest.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: The share, 0-1.
        then_list: Augmenters of that share; may be written `then`.
        else_list: Augmenters of the rest; may be written `else`.
    """
    chosen = then_list if rng.random() < p else else_list
    return chosen.draw(rng, height, width) if chosen else NOTHING


def _several(
    rng: np.random.Generator, size: tuple[int, int], steps: tuple[Step, ...], *, random_order: bool
) -> Change:
    if random_order:
        steps = tuple(steps[i] for i in rng.permutation(len(steps)).tolist())
    return draw_changes(steps, rng, *size)


def _how_many(rng: np.random.Generator, n: int | list[int | None] | None, total: int) -> int:
    if n is None:
        return total
    # The least may be more than there are.
    least = n[0] if isinstance(n, list) and n[0] else 0
    counts = [n] if isinstance(n, int) else [max(total, least) if i is None else i for i in n]
    return min(int(draw_whole(rng, [float(count) for count in counts])), total)
