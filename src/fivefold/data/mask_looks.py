"""What mask files hold, found by looking at them where nobody says it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, histogram
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data.decode import opened_image, read_bytes
from fivefold.data.image_problem import ImageProblem
from fivefold.data.mask_checks import empty_masks
from fivefold.data.mask_values import (
    MOST_CLASSES,
    Colour,
    Reading,
    Value,
    commonest_colours,
    one_class,
    several_classes,
    values_of,
)

BACKGROUND, FOREGROUND = "background", "foreground"
"""What classes are called that nobody names: the first of exclusive ones, and the only one."""

_LOOKED = 64  # masks, evenly spread over all: enough to tell black and white from numbers
_MOST_NUMBERS = 100  # above, values are greys rather than numbers of classes
_BLACK, _WHITE = 32, 223  # up to here and from here on grey is the rim of something white
_RIM = 0.25  # at most such a share of all pixels
_MOST_RIM = 4  # times what is white: of thin lines
_FEWEST_GREYS = 7  # fewer are classes that are painted grey
_AHEAD = 16
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif")

_Pair: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""The numbers that stand for nothing, and those for something."""
_HALVES: _Pair = (range(128), range(128, 256))


@dataclass(frozen=True)
class AskedClasses:
    """What a user says of the classes in masks.

    Attributes:
        names: Of the classes, or the value that stands for each; None where that is to be found.
        count: How many there are; None likewise.
        exclusive: Whether one of them is true for every pixel; None likewise.
        ignore: The value of what is ignored; None for 255 where no class has it.
    """

    names: Sequence[str] | Mapping[str, Value] | None = None
    count: int | None = None
    exclusive: bool | None = None
    ignore: Value | None = None


def find_reading(
    paths: Sequence[Path], asked: AskedClasses, where: Path, progress: Progress
) -> tuple[Reading, str]:
    """Find out what the values of masks mean.

    Args:
        paths: Of the masks, at least one.
        asked: What is known.
        where: What messages begin with: the folder of the masks.
        progress: Who watches.

    Returns:
        How to read them, and what was found by looking; nothing where it was said.

    Raises:
        DataError: If what they hold has no meaning that could be guessed.
    """
    if isinstance(asked.names, Mapping):
        _refuse_ignored(asked.names, asked.ignore)
        exclusive = len(asked.names) > 1 if asked.exclusive is None else asked.exclusive
        ordered = _in_order(asked.names) if exclusive else asked.names
        return several_classes(ordered, exclusive=exclusive, ignore=asked.ignore), ""
    found = _look(paths, _spread(len(paths)), progress)
    if len(found.paths) < len(paths) and _needs_all(asked, found):
        found = _look(paths, range(len(paths)), progress)
    _refuse_unread(found, where)
    _refuse_colours(found)
    return _Finder(asked, found, where).reading()


def _in_order(classes: Mapping[str, Value]) -> Mapping[str, Value]:
    """Put the background first: by its name, by 0 or by black; numbers are sorted."""
    names = list(classes)
    if all(isinstance(value, int) for value in classes.values()):
        names.sort(key=lambda name: classes[name])
    names.sort(key=lambda name: classes[name] not in (0, (0, 0, 0)))
    names.sort(key=lambda name: name.casefold() != BACKGROUND)
    return {name: classes[name] for name in names}


@dataclass(frozen=True, eq=False)
class _Found:
    """What some masks hold.

    Attributes:
        paths: Of those that could be read.
        counts: How many pixels have each number [N, 256]; none of masks of colours.
        colours: The commonest colours of those that hold any, by their places.
        problem: What is wrong with the first that could not be read.
    """

    paths: Sequence[Path]
    counts: AnyArray
    colours: Mapping[int, Sequence[Colour]]
    problem: str = ""

    @property
    def values(self) -> list[int]:
        """All numbers that occur."""
        held: list[int] = np.flatnonzero(self.counts.sum(axis=0)).tolist()
        return held

    def first_with(self, value: int) -> Path:
        """Find the first mask that holds a number."""
        return self.paths[int(self.counts[:, value].argmax())]


def _spread(count: int) -> Sequence[int]:
    if count <= _LOOKED:
        return range(count)
    return [k * count // _LOOKED for k in range(_LOOKED)]


def _look(paths: Sequence[Path], places: Sequence[int], progress: Progress) -> _Found:
    known, counts, colours = list[Path](), list[AnyArray](), dict[int, Sequence[Colour]]()
    problem = ""
    threads = decoding_threads()
    seen = map_ahead(_seen, (paths[k] for k in places), threads=threads, ahead=threads * _AHEAD)
    with progress.bar("looking at masks", len(places)) as advance, closing(seen):
        for k, found in zip(places, seen, strict=True):
            advance(1)
            if isinstance(found, str):  # the audit says it, if others can be read
                problem = problem or f"{paths[k]}: {found}"
                continue
            if isinstance(found, list):
                colours[len(known)] = found
                found = np.zeros(256, dtype=np.int64)
            known.append(paths[k])
            counts.append(found)
    return _Found(known, np.reshape(np.asarray(counts, np.int64), (-1, 256)), colours, problem)


def _seen(path: Path) -> AnyArray | list[Colour] | str:
    """Count the numbers of a mask [256], or list its colours; say why it cannot be read."""
    try:
        with opened_image(read_bytes(path)) as (image, _):
            values = values_of(image)
    except ImageProblem as problem:
        return problem.detail
    return histogram(values) if values.ndim == 2 else commonest_colours(values)


def _needs_all(asked: AskedClasses, found: _Found) -> bool:
    """Say whether some masks do not tell how many classes there are."""
    held = [value for value in found.values if value != IGNORED]
    is_told = asked.count is not None or asked.names is not None
    return not any(held) or (not is_told and max(held) > 1)


def _refuse_unread(found: _Found, where: Path) -> None:
    if not found.paths:
        msg = f"{where}: expected masks that can be read, got none; the first is {found.problem}"
        hint = "a mask is a PNG file of numbers 0 to 255, or of colours"
        raise DataError(msg, hint=hint, slug="data/mask-values")


def _refuse_ignored(classes: Mapping[str, Value], ignore: Value | None) -> None:
    """Refuse to ignore what is a class, and a colour among numbers or the reverse."""
    values = list(classes.values())
    if ignore is None or (ignore not in values and type(ignore) is type(values[0])):
        return
    shown = ignore if isinstance(ignore, int) else _written(ignore)
    if ignore in values:
        expected, name = "what stands for no class", list(classes)[values.index(ignore)]
        got = f"{shown}, which is {name!r}"
    else:
        of_numbers = isinstance(values[0], int)
        expected = "a number, as masks hold" if of_numbers else "a colour, as `mask_classes` has"
        got = f"{shown}"
    hint = "`mask_classes: {name: VALUE}` says which values are classes"
    msg = f"ignore_value: expected {expected}, got {got}"
    raise DataError(msg, hint=hint, slug="data/mask-values")


def _refuse_colours(found: _Found) -> None:
    """Refuse masks of colours that nobody has named, unless they are a few among others."""
    if not found.colours or 2 * len(found.colours) < len(found.paths):
        return
    place, colours = next(iter(found.colours.items()))
    shown = ", ".join(map(_written, colours[:4])) + ", …" * (len(colours) > 4)
    msg = f"{found.paths[place]}: expected labels, one number for each pixel, got RGB: {shown}"
    every = dict.fromkeys(colour for own in found.colours.values() for colour in own[:8])
    named = [(f"class_{k}", colour) for k, colour in enumerate(filter(any, every), start=1)]
    pairs = [*([(BACKGROUND, (0, 0, 0))] if (0, 0, 0) in every else []), *named][:8]
    listed = ", ".join(f"{name}: {_written(colour)}" for name, colour in pairs)
    hint = f"say which colour is which class: `mask_classes: {{{listed}}}`"
    raise DataError(msg, hint=hint, slug="data/mask-colours")


def _written(colour: Colour) -> str:
    return f"[{', '.join(map(str, colour))}]"


@dataclass(frozen=True)
class _Finder:
    """Decides what numbers mean."""

    asked: AskedClasses
    found: _Found
    where: Path

    def reading(self) -> tuple[Reading, str]:
        """Give the reading, and what was found, in words."""
        values = [value for value in self.found.values if value != self.asked.ignore]
        if not any(values):
            raise empty_masks(str(self.where), len(self.found.paths))
        if self._count is not None and not self._is_one:
            return self._numbers(self._count, values)
        self._refuse_mixed(values)
        pair = self._pair(values)
        if pair is not None:
            return self._one(*pair)
        highest = max(value for value in values if value != IGNORED)
        if self._count is None and highest < _MOST_NUMBERS:
            return self._numbers(highest + (self.asked.exclusive is not False), values)
        if self._is_grey(values) or (self._count is not None and max(values) > _WHITE):
            return self._one(*_HALVES)
        hint = "write `mask_classes: {background: 0, name: VALUE}`, and `ignore_value` for others"
        raise self._no_meaning(values[-1], f"0 and 255, or numbers of classes from 0; {hint}")

    @property
    def _count(self) -> int | None:
        """How many classes there are, as far as is known."""
        return self.asked.count if self.asked.names is None else len(self.asked.names)

    @property
    def _is_exclusive(self) -> bool:
        if self.asked.exclusive is not None:
            return self.asked.exclusive
        return self._count is None or self._count > 1

    @property
    def _is_one(self) -> bool:
        """Whether there is one thing to find, and the background where that is a class."""
        return self._count == (2 if self._is_exclusive else 1)

    def _refuse_mixed(self, values: Sequence[int]) -> None:
        """Refuse masks of which some hold 0 and 1 and others 0 and 255: who would be right?"""
        ones, whites = (self.found.counts[:, value] > 0 for value in (1, IGNORED))
        is_told = self.asked.ignore is not None or not {1, IGNORED} <= set(values) <= {
            0,
            1,
            IGNORED,
        }
        if is_told or (ones & whites).any():
            return
        msg = f"{self.found.first_with(IGNORED)}: expected a mask of 0 and 1 as "
        msg += f"{self.found.first_with(1)}, got 0 and 255"
        hint = "write all masks alike; `ignore_value: 255` if nobody knows what is there"
        raise DataError(msg, hint=hint, slug="data/mask-values")

    def _pair(self, values: Sequence[int]) -> _Pair | None:
        """Find the numbers that stand for nothing and for something."""
        if values in ([0, IGNORED], [IGNORED]):
            return _HALVES
        held = [value for value in values if value != IGNORED]
        if held in ([0, 1], [1]) and (IGNORED not in values or self._count is not None):
            return (0,), (1,)
        return ((values[0],), (values[1],)) if len(values) == 2 else None

    def _is_grey(self, values: Sequence[int]) -> bool:
        """Say whether what is neither black nor white are rims."""
        counts = self.found.counts.sum(axis=0)
        between = [value for value in values if _BLACK < value < _WHITE]
        many, grey = len(values) >= _FEWEST_GREYS, counts[between].sum()
        is_rim = grey < _RIM * counts.sum() and grey < _MOST_RIM * counts[_WHITE:].sum()
        return bool(many and max(values) >= _WHITE and is_rim)

    def _one(self, zeros: Sequence[int], ones: Sequence[int]) -> tuple[Reading, str]:
        """Read masks of one thing; the background is a class only where that is asked for."""
        if len(ones) == 1:
            _refuse_ignored({"background": zeros[0], "foreground": ones[0]}, self.asked.ignore)
        exclusive = bool(self.asked.exclusive if self._count is None else self._is_exclusive)
        names = tuple(self.asked.names or (BACKGROUND, FOREGROUND)[not exclusive :])
        name = names[-1]
        made = one_class(names, ones=ones, zeros=zeros, ignore=self.asked.ignore)
        if len(ones) > 1:
            return made, self._told(f"black and white: white, above half, is {name!r}")
        return made, self._told(f"{zeros[0]} and {ones[0]}: {ones[0]} is {name!r}")

    def _numbers(self, count: int, values: Sequence[int]) -> tuple[Reading, str]:
        """Read numbers of so many classes."""
        start = 0 if self._is_exclusive else 1
        top = count - 1 + start
        self._refuse_count(count)
        beyond = [value for value in values if top < value != IGNORED]
        if not any(value for value in values if value != IGNORED):
            raise self._no_numbers(count, top)
        if beyond:
            last = f"numbers 0 to {top} for {count} classes, {IGNORED} for what is ignored"
            raise self._no_meaning(beyond[-1], last)
        numbers = range(start, top + 1)
        named = self.asked.names or [str(k) if k else BACKGROUND for k in numbers]
        classes = dict(zip(named, numbers, strict=True))
        _refuse_ignored(classes, self.asked.ignore)
        made = several_classes(classes, exclusive=self._is_exclusive, ignore=self.asked.ignore)
        if self.asked.names:
            return made, ""
        how = "one for each pixel" if self._is_exclusive else "0 is none of them"
        return made, self._told(f"numbers 0 to {top}: {count} classes, {how}")

    def _no_numbers(self, count: int, top: int) -> DataError:
        msg = f"{self.where}: expected numbers 0 to {top} for {count} classes, got nothing but "
        msg += f"{' and '.join(map(str, self.found.values))}, and {IGNORED} is ignored"
        hint = "black and white masks are `classes: 1` with `sigmoid`, or `classes: 2` with "
        return DataError(msg, hint=f"{hint}`softmax`", slug="data/mask-values")

    def _refuse_count(self, count: int) -> None:
        """Refuse more classes than a byte tells apart, a background alone, and blurred numbers."""
        if count > MOST_CLASSES or (count < 2 and self._is_exclusive):
            least = 2 if self._is_exclusive else 1
            msg = f"{self.where}: expected {least} to {MOST_CLASSES} classes, got {count}"
            hint = "of exclusive classes (`softmax`) the background is one"
            raise DataError(msg, hint=hint, slug="data/mask-values")
        blurred = next((p for p in self.found.paths if p.suffix.casefold() in _LOSSY), None)
        if blurred is not None:
            msg = f"{blurred}: expected numbers of {count} classes in a format that keeps them, "
            msg += "got JPEG, which changes them a little"
            hint = "write masks as PNG; JPEG will do for black and white alone"
            raise DataError(msg, hint=hint, slug="data/mask-values")

    def _told(self, text: str) -> str:
        return f"{self.where.name} holds {text}; `mask_classes` names and changes that"

    def _no_meaning(self, value: int, expected: str) -> DataError:
        expected, _, hint = expected.partition("; ")
        listed = ", ".join(map(str, self.found.values[:8])) + ", …" * (len(self.found.values) > 8)
        msg = f"{self.found.first_with(value)}: expected {expected}, got {value}"
        hint = hint or "check `classes`, or say what values mean by `mask_classes`"
        return DataError(f"{msg} (all masks: {listed})", hint=hint, slug="data/mask-values")
