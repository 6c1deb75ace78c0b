"""Figures of matplotlib without its global state; the same drawing gives the same bytes."""

import io
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
"""Told apart by every kind of eye, on light and dark."""

_SETTINGS: Mapping[str, Any] = {
    "axes.edgecolor": "#d4d4d2",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": "#e4e4e2",
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "fivefold",
    "text.parse_math": False,  # a class may be called "$x$"
}


def drawn(
    draw: Callable[["Figure"], None],
    size: tuple[float, float],
    kind: Literal["png", "svg"] = "png",
    *,
    settings: Mapping[str, Any],
    pad: float = 0.14,
) -> bytes:
    """Draw a figure into the bytes of a file.

    Args:
        draw: Adds axes and what is on them.
        size: Width and height in inches.
        kind: Of the file.
        settings: Of matplotlib, beside and before the common ones.
        pad: Inches that are left free around.
    """
    # Half a second: only who draws pays for it.
    from matplotlib import rc_context  # noqa: PLC0415  see above
    from matplotlib.figure import Figure  # noqa: PLC0415  see above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415  see above

    file = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with rc_context({**_SETTINGS, **settings}), warnings.catch_warnings():  # type: ignore[dict-item]  # names of settings
        # DejaVu Sans draws a box for such a letter, which is all that there is to do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=pad, h_pad=pad))
        draw(figure)
        figure.savefig(file, format=kind, metadata=metadata, dpi=150)
    return file.getvalue()


def plain(text: str, room: int = 28) -> str:
    """Make a name drawable on one line.

    Args:
        text: Any name.
        room: Letters at most.
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= room else text[: room - 1] + "…"
