"""Which colour of a picture of masks is which class."""

from collections.abc import Sequence

from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.masks import MaskKind
from fivefold.engine.captions import font, shortened
from fivefold.engine.overlays import IGNORED_COLOUR, colour_of, shown_classes

_GAP, _LINE, _SWATCH, _INK = 20, 19, 13, "#1c1c1e"


def draw_legend(
    class_names: Sequence[str], kind: MaskKind, width: int, *, ignored: bool
) -> Pillow.Image:
    """Name the colours of several classes, in as many lines as they need.

    Args:
        class_names: Of all classes; a single one that is drawn needs no name.
        kind: How masks are written.
        width: Of the picture, in pixels.
        ignored: Whether pixels that do not count are drawn.

    Returns:
        A picture on white, 1 pixel high where there is nothing to name.
    """
    names = [(class_names[k], colour_of(kind, k)) for k in shown_classes(kind)]
    names = names if len(names) > 1 else []
    names += [("not counted", IGNORED_COLOUR)] if ignored else []
    places, x, y = list[tuple[int, int, str, tuple[int, int, int]]](), 0, 0
    for name, colour in names:
        text = shortened(name, width / 3)
        needed = round(font().getlength(text)) + _SWATCH + _GAP + 6
        if x and x + needed > width:
            x, y = 0, y + _LINE
        places.append((x, y, text, colour))
        x += needed
    picture = Pillow.new("RGB", (width, y + _LINE + 4 if places else 1), "white")
    draw = ImageDraw.Draw(picture)
    for left, top, text, colour in places:
        box = (left, top + 2, left + _SWATCH, top + 2 + _SWATCH)
        draw.rectangle(box, colour, _INK)
        draw.text((left + _SWATCH + 6, top), text, _INK, font())
    return picture
