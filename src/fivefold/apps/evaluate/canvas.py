"""Pictures of matplotlib without its global state; the same drawing gives the same bytes."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK, SOFT, RULE = "#1c1c1e", "#6e6e73", "#d4d4d2"
RIGHT, WRONG, PAPER = "#0b6e99", "#c8372d", "#f7f7f7"
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1")
"""Told apart by every kind of eye."""

_SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "font.size": 10,
    "grid.color": "#e4e4e2",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$x$"
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def png(draw: Callable[[Figure], None], size: tuple[float, float]) -> bytes:
    """Draw a figure into the bytes of a PNG.

    Args:
        draw: Adds axes and what is on them.
        size: Width and height in inches.
    """
    file = io.BytesIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # DejaVu Sans draws a box for such a letter, which is all that there is to do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.14))
        draw(figure)
        figure.savefig(file, format="png", metadata={"Software": None}, dpi=150)
    return file.getvalue()


def plain(text: str, room: int = 28) -> str:
    """Make a name drawable on one line.

    Args:
        text: Any name.
        room: Letters at most.
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= room else text[: room - 1] + "…"
