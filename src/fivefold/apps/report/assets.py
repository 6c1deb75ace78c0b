"""Style, scripts and data inside the page, and the policy that lets only these run."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

_FOLDER = Path(__file__).parent / "static"
_STYLES = ("page.css", "tables.css", "pictures.css", "print.css")
_SCRIPTS = ("theme.js", "tables.js", "charts.js", "samples.js", "search.js", "contents.js")
# Inside <script> the parser looks for these alone; the others are for whoever copies the text.
_IN_JSON = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def styles() -> Markup:
    """Read the page's style sheets."""
    return _joined(_STYLES)


def scripts() -> Markup:
    """Read the page's scripts."""
    return _joined(_SCRIPTS)


def _joined(names: Sequence[str]) -> Markup:
    # Safe: files of ours, in which no name of the data is ever put.
    return Markup("\n".join((_FOLDER / name).read_text("utf-8") for name in names))


def policy(style: Markup, script: Markup) -> str:
    """Write the Content-Security-Policy under which nothing but these two texts counts.

    A script or a style that a name would smuggle in has another hash, so that a browser refuses
    it; nothing is asked for from anywhere.
    """
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def json_island(data: Mapping[str, Any]) -> Markup:
    """Write data for `<script type="application/json">`: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for letter, escape in _IN_JSON.items():
        text = text.replace(letter, escape)
    return Markup(text)
