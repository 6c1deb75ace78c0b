"""What the values of mask files mean: one class, numbers of classes, or colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image as Pillow

from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Image
from fivefold.data.image_problem import ImageProblem, Reason

if TYPE_CHECKING:
    import cv2
else:  # data are listed without it
    cv2 = late("cv2")

Colour: TypeAlias = tuple[int, ...]
"""Red, green and blue, 0-255."""
Value: TypeAlias = int | Colour
"""What a mask file holds where something is: a number 0-255, or a colour."""

_NOTHING, _UNKNOWN = 253, 254  # of no class; not known
MOST_CLASSES = 253
"""So many classes have numbers, beside those for what is ignored, unknown or nothing."""

_SHOWN = 5


@dataclass(frozen=True)
class Reading:
    """What the values of mask files mean.

    Attributes:
        kind: How the masks are written that come out.
        class_names: Their classes.
        table: For each number 0-255 the class; 253 stands for none, 254 for numbers that no mask
            may hold, 255 for what is ignored. Empty where colours are read.
        colours: The class of each colour, likewise.
        levels: Whether numbers are levels of grey, of which the upper half is the only class.
    """

    kind: MaskKind
    class_names: tuple[str, ...]
    table: bytes = b""
    colours: tuple[tuple[Colour, int], ...] = ()
    levels: bool = False

    def mask(self, values: Image) -> Image:
        """Make a mask [H, W, P] of what a file holds: [H, W], or colours [H, W, 3].

        Raises:
            ImageProblem: If it holds what stands for nothing.
        """
        found = self._of_colours(values) if self.colours else self._of_numbers(values)
        if self.kind.exclusive:
            return found[..., None]
        planes = np.empty((*found.shape, self.kind.planes), dtype=np.uint8)
        for k in range(self.kind.planes):
            planes[..., k] = found == k
        planes[found == IGNORED] = IGNORED
        return planes

    def _of_numbers(self, values: Image) -> Image:
        if values.ndim == 3:
            shown = ", ".join(map(str, commonest_colours(values)[:_SHOWN]))
            detail = f"RGB where labels are expected, such as {shown}; expected one number 0-255 "
            detail += "for each pixel, or colours that `mask_classes` names"
            raise ImageProblem(Reason.MASK_COLOURS, detail)
        found = cv2.LUT(values, np.frombuffer(self.table, dtype=np.uint8)).astype(
            np.uint8, copy=False
        )
        if (found == _UNKNOWN).any():
            wrong = np.unique(values[found == _UNKNOWN]).tolist()
            known = [k for k, to in enumerate(self.table) if to != _UNKNOWN]
            raise ImageProblem(Reason.MASK_VALUES, _unknown(wrong, known))
        if self.levels:
            self._refuse_dark(values, found)
        return found

    def _refuse_dark(self, values: Image, found: Image) -> None:
        """Refuse a mask that shows something, but nowhere as much as half: it is written otherwise.

        Raises:
            ImageProblem: If it is such a mask.
        """
        counted = values[found != IGNORED]
        highest = int(counted.max(initial=0))
        if 0 < highest <= IGNORED // 2:
            detail = f"expected black and white as in other masks, or black alone, got {highest} "
            detail += "as the highest value"
            raise ImageProblem(Reason.MASK_VALUES, detail)

    def _of_colours(self, values: Image) -> Image:
        codes = _codes(values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2))
        found = np.full(codes.shape, _UNKNOWN, dtype=np.uint8)
        for colour, to in self.colours:
            found[codes == _code(colour)] = to
        if (found == _UNKNOWN).any():
            wrong = [_colour(code) for code in np.unique(codes[found == _UNKNOWN]).tolist()]
            raise ImageProblem(Reason.MASK_COLOURS, _unknown(wrong, [c for c, _ in self.colours]))
        return found


def one_class(
    names: tuple[str, ...], *, ones: Sequence[int], zeros: Sequence[int], ignore: Value | None
) -> Reading:
    """Make the reading of masks that show one thing, or nothing.

    Args:
        names: Of the thing; before it that of the background where that is a class.
        ones: Numbers that stand for the thing.
        zeros: Those for the background.
        ignore: What is ignored; None for 255 where it stands for nothing else.
    """
    exclusive = len(names) == 2
    table = np.full(256, _UNKNOWN, dtype=np.uint8)
    if ignore is None:
        table[IGNORED] = IGNORED
    table[list(zeros)] = 0 if exclusive else _NOTHING
    table[list(ones)] = 1 if exclusive else 0
    if isinstance(ignore, int):
        table[ignore] = IGNORED
    kind = MaskKind(len(names), exclusive)
    return Reading(kind, names, table.tobytes(), levels=len(ones) > 1)


def several_classes(
    classes: Mapping[str, Value], *, exclusive: bool, ignore: Value | None
) -> Reading:
    """Make the reading of masks whose classes are known by their numbers or colours.

    Args:
        classes: The value of each class, in the order of the classes; of exclusive ones the first
            is the background.
        exclusive: Whether one of them is true for every pixel; else 0 and black stand for none
            where no class has them.
        ignore: What is ignored; None for 255 where no class has it.
    """
    kind, names = MaskKind(len(classes), exclusive), tuple(classes)
    coloured = any(not isinstance(value, int) for value in classes.values())
    meaning: dict[Value, int] = {}
    if not exclusive:
        meaning[(0, 0, 0) if coloured else 0] = _NOTHING
    if ignore is not None or not coloured:
        meaning[IGNORED if ignore is None else ignore] = IGNORED
    meaning |= {value: k for k, value in enumerate(classes.values())}
    if coloured:
        colours = tuple((v, to) for v, to in meaning.items() if not isinstance(v, int))
        return Reading(kind, names, colours=colours)
    table = np.full(256, _UNKNOWN, dtype=np.uint8)
    for value, to in meaning.items():
        table[value] = to
    return Reading(kind, names, table.tobytes())


def values_of(image: Pillow.Image, *, colours: bool = False) -> Image:
    """Take what a loaded mask file holds: numbers [H, W], or colours [H, W, 3].

    A palette's numbers are taken, not its colours, unless these are black and white, which programs
    number as they like. Three equal channels are one.

    Args:
        image: Of any mode.
        colours: Whether colours are wanted, also those of a palette.

    Raises:
        ImageProblem: If its numbers do not fit into 0-255.
    """
    if colours:
        return np.array(image.convert("RGB"))
    white = _white_beside_black(image) if image.mode == "P" else None
    if white is not None:
        return np.where(np.array(image) == white, np.uint8(255), np.uint8(0))
    if image.mode in ("1", "L", "P"):
        return np.array(image, dtype=np.uint8)
    if image.mode in ("LA", "La", "PA"):
        return np.array(image)[..., 0]
    if image.mode[0] in "IF":
        return _narrow(np.asarray(image))
    pixels = np.array(image.convert("RGB"))
    grey = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    return np.ascontiguousarray(pixels[..., 0]) if grey else pixels


def _white_beside_black(image: Pillow.Image) -> int | None:
    """Find the number of white if an image with a palette is black and white, and nothing else."""
    held = [number for number, count in enumerate(image.histogram()) if count]
    palette = image.getpalette("RGB") or []
    numbers = {tuple(palette[3 * number : 3 * number + 3]): number for number in held}
    is_so = len(held) == 2 and set(numbers) == {(0, 0, 0), (255, 255, 255)}
    return numbers[255, 255, 255] if is_so else None


def commonest_colours(values: Image) -> list[Colour]:
    """List the colours of pixels [H, W, 3], those that are most frequent first."""
    return list(counted_colours(values))


def counted_colours(values: Image) -> dict[Colour, int]:
    """Count the pixels [H, W, 3] of each colour, those that are most frequent first."""
    codes, counts = np.unique(_codes(values), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    pairs = zip(codes[order].tolist(), counts[order].tolist(), strict=True)
    return {_colour(code): count for code, count in pairs}


def _narrow(values: AnyArray) -> Image:
    """Bring wider numbers to 0-255: those of black and white in 16 bits, else as they are."""
    low, high = float(values.min()), float(values.max())
    if high == 65535 and np.isin(values, (0, 65535)).all():
        return (values > 0).astype(np.uint8) * np.uint8(255)
    if not (low >= 0 and high <= 255) or (values != values.astype(np.uint8)).any():
        detail = f"expected whole numbers 0 to 255, got {low:g} to {high:g}"
        raise ImageProblem(Reason.MASK_VALUES, detail)
    return values.astype(np.uint8)


def _unknown(wrong: Sequence[Value], known: Sequence[Value]) -> str:
    return f"expected {_listed(known)}, got {_listed(wrong)}; `mask_classes` says what values mean"


def _listed(values: Sequence[Value]) -> str:
    first = ", ".join(map(str, values[:_SHOWN]))
    return f"{first}, … {values[-1]}" if len(values) > _SHOWN else first


def _codes(pixels: Image) -> AnyArray:
    codes = pixels.astype(np.uint32)
    found: AnyArray = codes[..., 0] << 16 | codes[..., 1] << 8 | codes[..., 2]
    return found


def _code(colour: Colour) -> int:
    return colour[0] << 16 | colour[1] << 8 | colour[2]


def _colour(code: int) -> Colour:
    return (code >> 16, code >> 8 & 255, code & 255)
