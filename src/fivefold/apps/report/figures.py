"""Figures of matplotlib without its global state; the same drawing gives the same bytes."""

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, RULE = "#010101", "#020202"
"""Stand for the page's text and line colours in an SVG."""
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
_SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$x$"
    "xtick.color": INK,
    "ytick.color": INK,
}
_ON_WHITE = {"axes.edgecolor": "#d4d4d2", "grid.color": "#e4e4e2"}


def fold_color(fold: int) -> str:
    """Give each fold a colour that is seen on light and dark, by every kind of eye."""
    return _COLORS[fold % len(_COLORS)]


def drawn(
    draw: Callable[["Figure"], None], size: tuple[float, float], kind: Literal["svg", "png"]
) -> bytes:
    """Draw a figure into the bytes of a file.

    Args:
        draw: Adds axes and what is on them.
        size: Width and height in inches.
        kind: The format.
    """
    # Half a second: only who draws pays for it.
    import matplotlib as mpl  # noqa: PLC0415  see above
    from matplotlib.figure import Figure  # noqa: PLC0415  see above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415  see above

    file = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    settings = _SETTINGS if kind == "svg" else {**_SETTINGS, **_ON_WHITE}
    with mpl.rc_context({**settings, "svg.hashsalt": "fivefold"}), warnings.catch_warnings():
        # DejaVu Sans draws a box for such a letter, which is all that there is to do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        pad = 0.04 if kind == "svg" else 0.14
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=pad, h_pad=pad))
        draw(figure)
        figure.savefig(file, format=kind, metadata=metadata, dpi=150, transparent=kind == "svg")
    return file.getvalue()


def inline_svg(svg: bytes, prefix: str, label: str) -> str:
    """Make a drawn SVG a part of a page: its colours and font are then the page's own.

    Args:
        svg: What `drawn` gave.
        prefix: Made a part of all ids, since those of two drawings are alike.
        label: What a screen reader says; plain words of ours, no user's text.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{label}">', text
    )
    text = text.replace('xlink:href="#', f'href="#{prefix}-').replace("url(#", f"url(#{prefix}-")
    text = text.replace(' id="', f' id="{prefix}-')
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    return text.replace(INK, "currentColor").replace(RULE, "var(--rule)")


def plain(text: str) -> str:
    """Make a name drawable on one line, at most 28 letters long."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= 28 else text[:27] + "…"
