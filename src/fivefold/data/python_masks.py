"""Masks as the `y` of Python items: what their values mean, and how they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind, histogram
from fivefold.core.types import AnyArray, Floats, Image
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.mask_checks import wrong_size
from fivefold.data.mask_looks import FOREGROUND
from fivefold.data.source import Labels

_MOST = 64
"""Higher numbers without names are shades of grey, and no classes."""
_FORMS = "a mask [H, W] or [H, W, K] of 0 and 1, of 0 and 255, or of class numbers"


@dataclass(frozen=True, eq=False)
class MaskFacts:
    """What one mask has in it; all that is kept of it.

    Attributes:
        planes: How many planes it has; 1 for [H, W] too.
        values: Whether each value occurs, packed into bits [32].
        shown: Whether anything is set in each plane, packed into bits.
        exclusive: Whether exactly one of several planes is set at every pixel.
    """

    planes: int
    values: bytes
    shown: bytes
    exclusive: bool

    @property
    def occurring(self) -> AnyArray:
        """Whether each value occurs [256]."""
        return np.unpackbits(np.frombuffer(self.values, np.uint8)).astype(bool)


@dataclass(frozen=True, eq=False)
class MaskReading:
    """How all masks of a data set are read.

    Attributes:
        kind: What they become.
        labels: What their targets mean.
        levels: Whether values are levels, above the middle of which a class is true; else they are
            classes, or 0 and 1, and 255 is ignored.
        planes: How many planes a mask has before it is read.
        note: What was found by looking; empty where it goes without saying.
    """

    kind: MaskKind
    labels: Labels
    levels: bool
    planes: int
    note: str = ""

    def read(self, y: Any, size: tuple[int, int]) -> Image:
        """Make a mask [H, W, P] of an item's `y`.

        Args:
            y: The mask.
            size: Height and width of its image.

        Raises:
            ImageProblem: If it is none of this data set's, or has another size.
        """
        values = as_values(y)
        if values.shape[:2] != size:
            raise wrong_size(values.shape[:2], size)
        if values.shape[2] != self.planes:
            detail = f"expected a mask of {self.planes} planes, got {values.shape[2]}"
            raise ImageProblem(Reason.MASK_VALUES, detail)
        if self.levels:
            values = (values > IGNORED // 2).astype(np.uint8)
        if not self.kind.exclusive or self.planes == 1:
            return values
        numbers: Image = values.argmax(axis=2).astype(np.uint8)
        numbers[(values == IGNORED).any(axis=2)] = IGNORED
        return numbers[:, :, None]

    def targets(self, facts: Sequence[MaskFacts]) -> Floats:
        """Say which classes occur in masks [N, C]."""
        count = len(self.labels.class_names)
        rows: list[AnyArray]
        if self.planes > 1:
            rows = [np.unpackbits(np.frombuffer(f.shown, np.uint8))[:count] for f in facts]
        elif self.kind.exclusive:
            rows = [f.occurring[:count] for f in facts]
        else:
            shown = slice(IGNORED // 2 + 1, None) if self.levels else slice(1, IGNORED)
            rows = [np.array([f.occurring[shown].any()]) for f in facts]
        return np.stack(rows).astype(np.float32)


def is_mask(y: Any) -> bool:
    """Tell whether an item's `y` is a mask: a picture, or an array of two or three axes."""
    if isinstance(y, Pillow.Image):
        return True
    return not isinstance(y, list | tuple | str) and np.ndim(y) in (2, 3)


def facts_of(y: Any) -> MaskFacts:
    """Look at a mask.

    Raises:
        ImageProblem: If it is none.
    """
    values = as_values(y)
    planes = values.shape[2]
    occurs = np.packbits(histogram(values) > 0).tobytes()
    is_set = values > 0
    ignored = (values == IGNORED).all(axis=2)
    shown = np.packbits((is_set & ~ignored[:, :, None]).any(axis=(0, 1))).tobytes()
    exclusive = planes > 1 and bool(((is_set.sum(axis=2) == 1) | ignored).all())
    return MaskFacts(planes, occurs, shown, exclusive)


def as_values(y: Any) -> Image:
    """Bring a mask to whole numbers [H, W, K]; fractions from 0 to 1 become 0 and 1.

    Raises:
        ImageProblem: If it is none.
    """
    values: AnyArray = np.asarray(y)
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or 0 in values.shape or values.dtype.kind not in "buif":
        found = f"{type(y).__name__} of shape {values.shape} and type {values.dtype}"
        raise ImageProblem(Reason.MASK_VALUES, f"expected {_FORMS}, got {found}")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= IGNORED):  # NaN is not either
        detail = f"expected {_FORMS}, got values from {low} to {high}"
        raise ImageProblem(Reason.MASK_VALUES, detail)
    if values.dtype.kind == "f":
        values = values > 0.5 if high <= 1 else np.rint(values)
    return np.ascontiguousarray(values.astype(np.uint8))


def as_y(mask: Image, kind: MaskKind) -> Image:
    """Write a mask [H, W, P] as the `y` of an item: [H, W, C] of 0 and 1, and 255 for ignored."""
    if not kind.exclusive:
        return mask
    hot: Image = (mask == np.arange(kind.num_classes)).astype(np.uint8)
    hot[(mask == IGNORED)[:, :, 0]] = IGNORED
    return hot


def reading_of(
    items: Sequence[tuple[str, Any]],
    class_names: tuple[str, ...],
    *,
    exclusive: bool | None = None,
) -> MaskReading:
    """Settle how the masks of a data set are read.

    Args:
        items: Ids and facts of all masks, at least one.
        class_names: Names that somebody gives; empty where nobody does.
        exclusive: Whether exactly one of several planes is true for every pixel; None where that is
            to be found.

    Raises:
        DataError: If an item has no mask, or one of another number of planes, values stand for no
            class, or two classes have one name.
    """
    first = items[0][1]
    twice = next((name for name in class_names if class_names.count(name) > 1), None)
    if twice is not None:
        msg = f"class_names: expected different names, got {twice!r} twice"
        raise DataError(msg, hint="name each class of the masks once", slug="data/label")
    for sample_id, facts in items:
        if not isinstance(facts, MaskFacts) or facts.planes != first.planes:
            got = f"{facts.planes} planes" if isinstance(facts, MaskFacts) else "no mask"
            msg = f"{sample_id}: label: expected a mask of {first.planes} planes as before, "
            raise DataError(msg + f"got {got}", slug="data/label")
    occurring = np.any([facts.occurring for _, facts in items], axis=0)
    values = np.flatnonzero(occurring).tolist()
    if first.planes > 1:
        overlaps = next((sample_id for sample_id, facts in items if not facts.exclusive), None)
        if exclusive and overlaps is not None:
            msg = (
                f"{overlaps}: label: expected a mask with exactly one of {first.planes} planes set "
            )
            msg += "at every pixel, got none or several at some"
            hint = "`exclusive = False` in the data set says that planes may overlap"
            raise DataError(msg, hint=hint, slug="data/label")
        exclusive = overlaps is None if exclusive is None else exclusive
        return _of_planes(first.planes, values, class_names, exclusive=exclusive)
    return _of_values(items, values, class_names)


def _of_planes(
    count: int, values: Sequence[int], names: tuple[str, ...], *, exclusive: bool
) -> MaskReading:
    known = names if len(names) == count else tuple(map(str, range(count)))
    kind = MaskKind(count, exclusive=exclusive)
    return MaskReading(kind, Labels("", known, exclusive=False), _are_levels(values), count)


def _of_values(
    items: Sequence[tuple[str, Any]], values: list[int], names: tuple[str, ...]
) -> MaskReading:
    numbers = [value for value in values if value != IGNORED]
    top = max(numbers, default=0)
    if len(names) < 2 and (top <= 1 or top >= _MOST):
        note = f"masks have shades up to {max(values)}: what is above 127 is the class"
        known = Labels("", names or (FOREGROUND,), exclusive=False)
        grey = note if top >= _MOST else _written_in_two_ways(items)
        return MaskReading(MaskKind(1, exclusive=False), known, _are_levels(values), 1, grey)
    count = len(names) if len(names) > 1 else top + 1
    if top >= count:
        culprit = next(sample_id for sample_id, facts in items if facts.occurring[top])
        msg = f"{culprit}: label: expected a mask of classes 0 to {count - 1}, got {top}"
        raise DataError(msg, hint="name each class, or mend the masks", slug="data/label")
    known = Labels("", names if len(names) > 1 else tuple(map(str, range(count))), exclusive=False)
    return MaskReading(MaskKind(count, exclusive=True), known, levels=False, planes=1)


def _written_in_two_ways(items: Sequence[tuple[str, Any]]) -> str:
    """Tell that some masks hold 0 and 1, and others 0 and 255; nothing where one holds both."""
    held = [(sample_id, *facts.occurring[[1, IGNORED]].tolist()) for sample_id, facts in items]
    ones = next((sample_id for sample_id, one, _ in held if one), None)
    white = next((sample_id for sample_id, _, white in held if white), None)
    if ones is None or white is None or any(one and white for _, one, white in held):
        return ""
    return f"255 is ignored in {white}, since {ones} has 1: write all masks alike if both are set"


def _are_levels(values: Sequence[int]) -> bool:
    """Tell whether values are levels up to 255, and not 0 and 1 with 255 for what is ignored."""
    return any(1 < value < IGNORED for value in values) or (IGNORED in values and 1 not in values)
