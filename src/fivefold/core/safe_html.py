"""What a page needs so that no name in it can run as code."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

# Inside <script> the parser looks for these alone; the others are for whoever copies the text.
_IN_JSON = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_UNSHOWN = re.compile(
    # Control characters; marks that turn the direction of what follows; halves of characters.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def theme_script() -> Markup:
    """Read the script of a page's switch between light and dark, a button `theme`."""
    # Safe: a file of ours, in which no name of the data is ever put.
    return Markup(Path(__file__).with_name("theme.js").read_text("utf-8"))


def policy(style: str, script: str) -> str:
    """Write the Content-Security-Policy under which nothing but these two texts counts.

    A script or a style that a name would smuggle in has another hash, so that a browser refuses
    it; nothing is asked for from anywhere.
    """
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def json_island(data: Mapping[str, Any]) -> Markup:
    """Write data for `<script type="application/json">`: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for letter, escape in _IN_JSON.items():
        text = text.replace(letter, escape)
    return Markup(text)


def escaped(text: str) -> str:
    r"""Write characters that a page cannot show, or that turn what follows, as escapes.

    Example:
        >>> escaped("a\x00b")
        'a\\x00b'
    """
    if text.isprintable():
        return text
    return _UNSHOWN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
