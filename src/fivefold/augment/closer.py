"""What an augmentation enlarges, taken from a larger picture: it is then as sharp as the rest.

Looking values up and one warp can be done on a larger picture as well as on the image; whatever
else comes first, such as a blur, is meant for pixels of the network's size, and so is what follows.
"""

import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TypeAlias

from fivefold.augment.box import Matrix
from fivefold.augment.changes import Single, Table, change_image
from fivefold.augment.warp import Warp, apply_to_larger
from fivefold.core.types import Image

FindLarger: TypeAlias = Callable[[], Image | None]

WORTH = 1.25
"""From this factor on, the mean of both directions, a part is blurred so that it matters."""

_SHRINK = 2.0  # linear interpolation between two pixels sees all of up to so many


def is_enlarged(changes: Sequence[Single]) -> bool:
    """Say whether changes make a part so much larger that a larger picture is worth it."""
    warp = _first_warp(changes)[1]
    return warp is not None and math.sqrt(math.prod(stretch(warp.matrix))) >= WORTH


def taken_closer(
    image: Image, find: FindLarger, changes: Sequence[Single]
) -> tuple[Image, Sequence[Single]]:
    """Do the first changes on a larger picture if they enlarge a part of it.

    Args:
        image: Pixels [H, W, C].
        find: Gives the larger picture, or None; asked only where it could be of use.
        changes: Fused.

    Returns:
        Pixels [H, W, C], and the changes that are left.
    """
    tables, warp = _first_warp(changes)
    if warp is None:
        return image, changes
    least, most = stretch(warp.matrix)
    picture = find() if least * most > 1 else None
    if picture is None or _SHRINK * least * image.shape[0] < picture.shape[0]:
        return image, changes
    height, width = image.shape[:2]
    moved = apply_to_larger(change_image(picture, tables), warp, height, width)
    return moved, changes[len(tables) + 1 :]


def stretch(matrix: Matrix) -> tuple[float, float]:
    """Compute by which factors a warp [3, 3] stretches, where it does least and most."""
    (a, b), (c, d) = matrix[:2, :2].tolist()
    total, area = a * a + b * b + c * c + d * d, a * d - b * c
    root = math.sqrt(max(total * total - 4 * area * area, 0.0))
    most = math.sqrt((total + root) / 2)
    return (abs(area) / most if most else 0.0), most


def _first_warp(changes: Sequence[Single]) -> tuple[Sequence[Table], Warp | None]:
    """Find the warp that nothing but tables come before, and these."""
    tables = [*takewhile(lambda change: isinstance(change, Table), changes)]
    first = changes[len(tables)] if len(tables) < len(changes) else None
    return [t for t in tables if isinstance(t, Table)], first if isinstance(first, Warp) else None
