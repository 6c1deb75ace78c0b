"""Figures of matplotlib without its global state; the same drawing gives the same bytes."""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010101"
_LINE, _GRID = "#d4d4d2", "#e4e4e2"
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
_PAD = 0.14  # inches
_SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": _LINE,
    "axes.labelcolor": INK,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$x$"
    "xtick.color": INK,
    "ytick.color": INK,
}


def fold_color(fold: int) -> str:
    """Give each fold a colour that is seen on light and dark, by every kind of eye."""
    return _COLORS[fold % len(_COLORS)]


def drawn(draw: Callable[["Figure"], None], size: tuple[float, float]) -> bytes:
    """Draw a figure into the bytes of a PNG.

    Args:
        draw: Adds axes and what is on them.
        size: Width and height in inches.
    """
    # Half a second: only who draws pays for it.
    import matplotlib as mpl  # noqa: PLC0415  see above
    from matplotlib.figure import Figure  # noqa: PLC0415  see above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415  see above

    file = io.BytesIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # DejaVu Sans draws a box for such a letter, which is all that there is to do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD))
        draw(figure)
        figure.savefig(file, format="png", metadata={"Software": None}, dpi=150)
    return file.getvalue()


def plain(text: str) -> str:
    """Make a name drawable on one line, at most 28 letters long."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= 28 else text[:27] + "…"
