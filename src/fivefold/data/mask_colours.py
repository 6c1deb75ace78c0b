"""Which colours in masks are classes, found by counting them where nobody says it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.progress import Progress
from fivefold.data.decode import opened_image, read_bytes
from fivefold.data.image_problem import ImageProblem
from fivefold.data.mask_looks import BACKGROUND
from fivefold.data.mask_values import Colour, counted_colours, values_of

_LOOKED = 512  # masks, evenly spread over all
_AHEAD = 16
_KEPT = 256  # colours of a mask: pictures that are no masks have as many as pixels
_FAIR = 1e-3  # of the pixels of the masks that show it: less is a rim
_FEWEST, _RARE = 2, 0.01  # masks that show it, and their part of all
_MOST, _MOST_ODD = 32, 16
_BLACK = (0, 0, 0)


@dataclass(frozen=True)
class FoundColours:
    """What colours of masks were taken for.

    Attributes:
        classes: The colour of each class; black is the background, and first. One thing alone has
            no class of its background.
        odd: Colours that are too rare for a class, each with the first mask that shows it.
    """

    classes: Mapping[str, Colour]
    odd: Mapping[Colour, Path]

    @property
    def note(self) -> str:
        """Say in a line that names are guesses."""
        return "masks hold colours, whose classes have no names: `mask_classes` in the config does"

    @property
    def warning(self) -> str:
        """Say in a line which colours were made no classes; empty without any."""
        if not self.odd:
            return ""
        shown = ", ".join(str(list(colour)) for colour in list(self.odd)[:4])
        shown += ", …" * (len(self.odd) > 4)
        what = "1 colour is" if len(self.odd) == 1 else f"{len(self.odd)} colours are"
        first = next(iter(self.odd.values()))
        return (
            f"{what} too rare in masks for a class: {shown}, such as in {first}; such masks are "
            "set aside, unless `mask_classes` or `ignore_value` has the colour"
        )


def find_colours(paths: Sequence[Path], progress: Progress) -> FoundColours | None:
    """Find colours that are frequent enough for classes; None where there are too many, or none.

    A class covers at least a thousandth of the masks that show it, and is in two of them at least
    and in one of a hundred. More than 32 of those, or more than 16 others, are no classes but
    rims, photographs or what JPEG makes of colours.

    Args:
        paths: Of the masks; of many, 512 are looked at.
        progress: Who watches.
    """
    pixels, shown = Counter[Colour](), Counter[Colour]()
    around, first = Counter[Colour](), dict[Colour, Path]()
    looked, threads = _spread(paths), decoding_threads()
    seen = map_ahead(_seen, iter(looked), threads=threads, ahead=threads * _AHEAD)
    with progress.bar("looking at colours", len(looked)) as advance, closing(seen):
        for path, counts in zip(looked, seen, strict=True):
            advance(1)
            total = sum(counts.values())
            for colour, count in counts.items():
                pixels[colour] += count
                shown[colour] += 1
                around[colour] += total
                first.setdefault(colour, path)
    fewest = max(min(_FEWEST, len(looked)), _RARE * len(looked))
    fair = [c for c in pixels if shown[c] >= fewest and pixels[c] >= _FAIR * around[c]]
    odd = {c: first[c] for c in sorted(pixels) if c not in fair}
    things = sorted(set(fair) - {_BLACK}, key=lambda c: (-pixels[c], c))
    is_alone = len(things) == 1 and _BLACK not in fair
    if not things or is_alone or len(things) > _MOST or len(odd) > _MOST_ODD:
        return None
    return FoundColours(_named(things, black=_BLACK in fair), odd)


def _named(things: Sequence[Colour], *, black: bool) -> dict[str, Colour]:
    named = {f"class_{k}": colour for k, colour in enumerate(things, start=1)}
    return {BACKGROUND: _BLACK, **named} if black and len(things) > 1 else named


def _spread(paths: Sequence[Path]) -> list[Path]:
    places = np.linspace(0, len(paths) - 1, min(len(paths), _LOOKED)).astype(int)
    return [paths[k] for k in np.unique(places).tolist()]


def _seen(path: Path) -> dict[Colour, int]:
    """Count the commonest colours of a mask; nothing where the audit will say what is wrong."""
    try:
        with opened_image(read_bytes(path)) as (image, _):
            values = values_of(image, colours=True)
    except ImageProblem:
        return {}
    return dict(list(counted_colours(values).items())[:_KEPT])
