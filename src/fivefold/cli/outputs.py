"""The files that commands write: never over what is somebody else's."""

import os
from pathlib import Path

from fivefold.core.errors import ConfigError, Problem

STANDARD_OUTPUT = Path("-")

_ENDINGS = {
    "labels.csv": (".csv", ".tsv", ".txt", ""),
    "lr.png": (".png",),
    "curves.png": (".png", ".svg"),
    "x.json": (".json",),
    "compare.html": (".html", ".htm"),
}


def check_free(output: Path, *, force: bool, example: str = "labels.csv") -> None:
    """Refuse a file that exists, unless it may be replaced, a folder, and another kind's name.

    The last keeps `--force` from replacing a config, a photograph or a script.

    Args:
        output: Where the command would write; `-` is the terminal.
        force: Whether an existing file may be replaced.
        example: A name of its kind: `labels.csv`, `lr.png`, `x.json`, …

    Raises:
        ConfigError: If it cannot be written.
    """
    if output.is_dir():
        message = "expected a file to write, got a folder"
        hint = f"a file in it, such as -o {output / example}"
        raise ConfigError([Problem("cli/output-exists", str(output), message, hint)])
    endings = _ENDINGS[example]
    is_special = output.exists() and not output.is_file()
    if (output == STANDARD_OUTPUT and example == "labels.csv") or is_special:
        return
    if output.suffix.casefold() not in endings:
        message = f"expected a name that ends with {' or '.join(filter(None, endings))}"
        named = Path(example) if output == STANDARD_OUTPUT else output.with_suffix(endings[0])
        hint = f"such as -o {named}"
        problem = Problem("cli/output-name", str(output), f"{message}, got {output.name!r}", hint)
        raise ConfigError([problem])
    if force or not os.path.lexists(output):  # a link that leads nowhere is somebody's, too
        return
    message = "expected a name that is free, got an existing file"
    problem = Problem("cli/output-exists", str(output), message, "--force replaces it")
    raise ConfigError([problem])
