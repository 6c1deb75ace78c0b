"""Style and scripts inside the page."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from fivefold.core.safe_html import theme_script

_FOLDER = Path(__file__).parent / "static"
_STYLES = ("page.css", "tables.css", "pictures.css", "print.css")
_SCRIPTS = ("tables.js", "charts.js", "samples.js", "search.js", "contents.js")


def styles() -> Markup:
    """Read the page's style sheets."""
    return _joined(_STYLES)


def scripts() -> Markup:
    """Read the page's scripts."""
    return Markup("\n").join((theme_script(), _joined(_SCRIPTS)))


def _joined(names: Sequence[str]) -> Markup:
    # Safe: files of ours, in which no name of the data is ever put.
    return Markup("\n".join((_FOLDER / name).read_text("utf-8") for name in names))
