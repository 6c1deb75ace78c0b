"""The command that makes images smaller."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_pairs
from fivefold.cli.data.told import say_left_out
from fivefold.cli.guard import guarded
from fivefold.core.progress import Terminal

_SHOWN = 10

_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Images, however deep.")]
_NewFolder = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="The new folder.")
]
_MaxSize = Annotated[
    int, typer.Option("--max-size", metavar="PIXELS", help="What the longer side gets.")
]
_Grayscale = Annotated[bool, typer.Option("--grayscale", help="Make colours grey.")]
_Keep = Annotated[
    bool, typer.Option("--keep-metadata", help="Keep EXIF and colour profiles, which go else.")
]
_Nearest = Annotated[
    bool,
    typer.Option(
        "--nearest", help="All are masks: values stay as they are. Found where images lie beside."
    ),
]
_Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="How many at once."),
]
_ForceFolder = Annotated[
    bool,
    typer.Option("--force", "-f", help="Write into a folder that is there; same names go."),
]


@guarded
def resize(  # noqa: PLR0913  one parameter for each option
    folder: _Folder,
    output: _NewFolder,
    max_size: _MaxSize,
    grayscale: _Grayscale = False,
    keep_metadata: _Keep = False,
    nearest: _Nearest = False,
    jobs: _Jobs = None,
    force: _ForceFolder = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Resize all images below a folder into a new one.

    The longer side gets so many pixels, by Lanczos' filter; smaller images are made larger. Names,
    folders and formats stay; EXIF rotation is applied. Files that cannot be read are named and left
    out; of an animation there is only the first picture. Masks that lie beside their images take
    the nearest value.
    """
    from fivefold.apps.data_files.resizing import Wanted, resize_folder

    wanted = Wanted(max_size, grayscale, keep_metadata, jobs, nearest)
    done = resize_folder(folder, output, wanted, force=force, progress=Terminal())
    if as_json:
        show_json({"output": output, **vars(done)})
    else:
        enlarged = f", {done.enlarged:,} of them larger than before" if done.enlarged else ""
        lines = [("images", f"{done.images:,}{enlarged}"), ("longer side", f"{max_size} pixels")]
        if done.masks:
            lines.append(("masks", f"{done.masks:,} of them, whose values stay as they are"))
        show_pairs([*lines, ("folder", str(output))])
    for name, reason in islice(done.unreadable.items(), _SHOWN):
        say(f"unreadable: {name}: {reason}")
    if len(done.unreadable) > _SHOWN:
        say(f"unreadable: {len(done.unreadable) - _SHOWN:,} more; --json names all")
    if done.first_only:
        say(f"warning: {done.first_only:,} files have several pictures: only the first is there")
    say_left_out(done.left_out)
