"""Where commands of `fivefold data` may write: nowhere over what they read."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fivefold.cli.outputs import check_free
from fivefold.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fivefold.experiment.named_data import Opened


def check_outputs(
    tables: Iterable[Path], inputs: Iterable[Path], *, force: bool, example: str = "labels.csv"
) -> None:
    """Refuse names that are taken, are of another kind, or are what is read.

    Args:
        tables: What would be written.
        inputs: What is read, which not even `--force` replaces.
        force: Whether other existing files may be replaced.
        example: A name of the kind.

    Raises:
        ConfigError: If one of them cannot be written.
    """
    read = {os.path.realpath(path) for path in inputs}
    for path in tables:
        if os.path.realpath(path) in read:
            message = "expected another file than the one that is read, got the same"
            hint = "data are never written over: choose another name"
            raise ConfigError([Problem("cli/output-is-input", str(path), message, hint)])
        is_special = path.exists() and not (path.is_file() or path.is_dir())
        if path == Path("-") or is_special:
            message = (
                f"expected a file, got {'a device or a pipe' if is_special else 'the terminal'}"
            )
            raise ConfigError([Problem("cli/output-name", str(path), message, "such as -o a.csv")])
        check_free(path, force=force, example=example)


def check_named(output: Path) -> None:
    """Refuse what has no name of its own, from which others could be made, such as a dot.

    Raises:
        ConfigError: If it has none.
    """
    if not output.name:
        message = "expected a file to write, got a folder"
        hint = f"a file in it, such as -o {output / 'labels.csv'}"
        raise ConfigError([Problem("cli/output-exists", str(output), message, hint)])


def check_apart(output: Path, opened: "Opened") -> None:
    """Refuse a picture among images that are listed: the next listing would find it.

    Raises:
        ConfigError: If it would lie in a folder of classes.
    """
    from fivefold.data.files import is_inside

    if opened.kind == "folder" and is_inside(output, os.path.realpath(opened.path)):
        message = f"expected a place apart from the images, got one inside {str(opened.path)!r}"
        hint = "the next listing of the images would find it: choose another place"
        raise ConfigError([Problem("cli/output-in-data", str(output), message, hint)])


def check_output(output: Path, data: Path, *, force: bool) -> None:
    """Refuse an output as `check_outputs` does; a folder by whoever makes it.

    Raises:
        ConfigError: If it cannot be written.
    """
    from fivefold.apps.data_files.converting import kind_to_write

    kind = kind_to_write(output)
    if kind != "folder":
        example = "labels.csv" if kind == "csv" else "x.json"
        check_outputs([output], [data], force=force, example=example)
    elif force:
        message = "expected no such option with a folder, got one"
        hint = "folders are not replaced: leave it out, and choose a new name"
        raise ConfigError([Problem("cli/stray-option", "--force", message, hint)])
