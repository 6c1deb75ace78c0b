"""What `fivefold predict` does where an experiment makes masks."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fivefold.cli.console import say
from fivefold.cli.outputs import STANDARD_OUTPUT
from fivefold.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fivefold.config import ExperimentConfig
    from fivefold.data import Source
    from fivefold.experiment.experiment import Experiment

_PANEL = "Masks"

Tiles = Annotated[
    bool,
    typer.Option(
        "--tiles",
        rich_help_panel=_PANEL,
        help="Cut each image into tiles of as many pixels as a typical image trained on had, so "
        "that things are as large as they were learnt. Each is resized to the network's size, and "
        "its map back; without this option whole images are.",
    ),
]
Overlap = Annotated[
    float | None,
    typer.Option(
        "--overlap",
        metavar="FRACTION",
        rich_help_panel=_PANEL,
        help="How much of a tile its neighbours share at least, 0 to 0.5; 0.25 if not given.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="P",
        rich_help_panel=_PANEL,
        help="A pixel shows a class that is more probable than this; if not given, what "
        "decisions.json says, or one half.",
    ),
]
SmallestArea = Annotated[
    int | None,
    typer.Option(
        "--smallest-area",
        metavar="PIXELS",
        rich_help_panel=_PANEL,
        help="Leave connected parts of fewer pixels out; if not given, what decisions.json says.",
    ),
]
Maps = Annotated[
    str | None,
    typer.Option(
        "--maps",
        metavar="npy|png",
        rich_help_panel=_PANEL,
        help="Write probabilities too: exactly, or as grey pictures with 255 for 1.",
    ),
]
Overlays = Annotated[
    bool,
    typer.Option("--overlays", rich_help_panel=_PANEL, help="Draw the masks over the images too."),
]


def share_of_tiles(overlap: float | None, *, tiles: bool) -> float | bool:
    """Say how much tiles share; false for no tiles.

    Raises:
        ConfigError: If there is an overlap of no tiles.
    """
    if overlap is None:
        return tiles
    if not tiles:
        message = "expected no overlap without --tiles, got one"
        raise ConfigError([Problem("cli/stray-option", "--overlap", message, "add --tiles")])
    return overlap


@dataclass(frozen=True)
class MaskOptions:
    """What the command line says of masks; each field is an option that means nothing elsewhere.

    Attributes:
        tiles: As `Tiles`.
        overlap: As `Overlap`.
        threshold: As `Threshold`.
        smallest_area: As `SmallestArea`.
        maps: As `Maps`.
        overlays: As `Overlays`.
    """

    tiles: bool = False
    overlap: float | None = None
    threshold: float | None = None
    smallest_area: int | None = None
    maps: str | None = None
    overlays: bool = False

    @property
    def share(self) -> float | bool:
        """How much tiles share; false for no tiles."""
        return share_of_tiles(self.overlap, tiles=self.tiles)

    def check(self) -> None:
        """Refuse what is wrong whatever the experiment is.

        Raises:
            ConfigError: If an option is wrong.
        """
        if self.maps not in (None, "npy", "png"):
            message = f"expected npy or png, got {self.maps!r}"
            raise ConfigError([Problem("config/bad-value", "--maps", message)])
        share_of_tiles(self.overlap, tiles=self.tiles)

    def refuse_all(self) -> None:
        """Refuse every option where an experiment labels images.

        Raises:
            ConfigError: If one is given.
        """
        for field in fields(self):
            if getattr(self, field.name) != field.default:
                option = f"--{field.name.replace('_', '-')}"
                message = "expected an experiment that makes masks, got one that labels images"
                hint = "leave it out"
                raise ConfigError([Problem("cli/stray-option", option, message, hint)])


def predict_into_folder(
    opened: "Experiment",
    source: "Source | Path | Sequence[Path]",
    inputs: Sequence[Path],
    output: Path,
    options: MaskOptions,
    how: dict[str, Any],
) -> None:
    """Predict masks and write them into a new folder.

    Args:
        opened: Makes masks.
        source: The images.
        inputs: What was named as such: the folder may not lie in it.
        output: The folder.
        options: What the command line says of masks.
        how: Folds, stage, tta and raw.

    Raises:
        FivefoldError: If something is wrong.
    """
    _check_output(output, [*inputs, *_folders_of_masks(opened.config)])
    from fivefold.apps.mask_files import Wanted, write_masks

    found = opened.predict_masks(
        source,
        **how,
        tiles=options.share,
        threshold=options.threshold,
        smallest_area=options.smallest_area,
    )
    say(f"masks: {found.told}")
    if found.tiles_told:
        say(f"tiles: {found.tiles_told}")
    maps: Any = options.maps
    written = write_masks(found, output, Wanted(maps, options.overlays))
    say(f"{output}: {_counted(written.images, written.empty)}")


def _counted(masks: int, empty: int) -> str:
    if masks == 1:
        return "1 mask, empty" if empty else "1 mask"
    return f"{masks} masks" + (f", {empty} of them empty" if empty else "")


def _folders_of_masks(config: "ExperimentConfig") -> list[Path]:
    """Find the folder of the masks that were trained on, unless the experiment lies in it."""
    masks = config.dataset.masks if config.dataset else None
    if not isinstance(masks, str):
        return []
    folder = config.directory / (config.datasets_path or "") / masks
    return [] if config.directory.resolve().is_relative_to(folder.resolve()) else [folder]


def _check_output(output: Path, inputs: Sequence[Path]) -> None:
    """Refuse the terminal, a folder with something in it, and one among the images."""
    from fivefold.apps.data_files.folder_writing import check_new_folder

    if output == STANDARD_OUTPUT:
        message = "expected a folder for masks, got none"
        raise ConfigError([Problem("cli/no-output", "--output", message, "such as -o masks")])
    for place in inputs:
        check_new_folder(output, place)
