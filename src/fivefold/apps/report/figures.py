"""How the report's pictures look."""

from collections.abc import Mapping
from typing import Any

from fivefold.core.figures import COLORS

INK = "#010101"
SETTINGS: Mapping[str, Any] = {
    "axes.labelcolor": INK,
    "axes.spines.left": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
"""Of matplotlib."""


def fold_color(fold: int) -> str:
    """Give each fold a colour that is seen on light and dark, by every kind of eye."""
    return COLORS[fold % len(COLORS)]
