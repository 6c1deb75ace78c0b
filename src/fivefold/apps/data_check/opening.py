"""Opens data by a config, a folder, a table or a COCO file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fivefold.build.pixels import build_kept, build_preprocess
from fivefold.core.errors import DataError
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.progress import Progress
from fivefold.data import CsvSource, FolderSource, Source
from fivefold.data.coco import CocoSource
from fivefold.data.kept import Kept
from fivefold.experiment.assembling import assembled
from fivefold.experiment.datasets import given_folds
from fivefold.experiment.loading import load_named
from fivefold.experiment.splitting import near_distance, split_settings

_CONFIGS = (".yaml", ".yml")
_FOLDS = 5  # as in a config that does not say, likewise below
_NEAR = 4
_SHAPE = (256, 256, 3)


@dataclass(frozen=True)
class Opened:
    """Data, and how they would be divided.

    Attributes:
        name: What was asked for.
        source: Reads them.
        folds: How many folds there would be.
        settings: All that decides the folds.
        near: In how many bits of 64 the hashes of near duplicates may differ; 0: none are looked
            for.
        kept: Keeps the pixels that are read.
    """

    name: str
    source: Source
    kept: Kept
    folds: int = _FOLDS
    settings: Mapping[str, Any] = field(default_factory=lambda: {"folds": _FOLDS})
    near: int = _NEAR


def open_data(
    path: Path,
    images: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    allow_imports: bool = False,
    progress: Progress,
) -> Opened:
    """Open data.

    Args:
        path: A config or its folder, a folder of classes, a CSV table, a COCO file.
        images: Where a table's or a COCO file's paths start; its own folder if not given.
        overrides: `key=value` for a config.
        allow_imports: Whether a config may name Python code to run.
        progress: Who watches.

    Raises:
        DataError: If there is nothing that can be read.
        ConfigError: If a config is wrong.
        UnsafeInputError: If it names code and that was not allowed.
    """
    is_config = path.suffix.lower() in _CONFIGS or (path / CONFIG_NAME).is_file()
    if is_config:
        _refuse_images(path, images, "a config says")
        config = load_named(RunFolder.of(path).config_path, overrides, allow_imports=allow_imports)
        source = assembled(config, allow_imports=allow_imports, progress=progress)
        settings = split_settings(config) | {"given": given_folds(config, source)}
        del settings["near_duplicates"]  # the folds are drawn of what they have tied
        kept, near = build_kept(config, source), near_distance(config)
        return Opened(str(path), source, kept, config.folds_count, settings, near)
    if path.is_dir():
        _refuse_images(path, images, "a folder of classes holds")
        return _opened(path, FolderSource(path))
    if not path.exists():
        msg = f"{path}: expected a config, a folder of classes, a table or a COCO file, got nothing"
        raise DataError(msg, hint="check the path", slug="data/missing-file")
    opener = CocoSource if path.suffix.lower() == ".json" else CsvSource
    return _opened(path, opener(path, images or path.parent))


def _opened(path: Path, source: Source) -> Opened:
    return Opened(str(path), source, Kept(build_preprocess(_SHAPE), len(source)))


def _refuse_images(path: Path, images: Path | None, what: str) -> None:
    if images is not None:
        msg = f"{path}: expected a CSV table beside --images, got no table"
        hint = f"{what} itself where the images are"
        raise DataError(msg, hint=hint, slug="data/not-a-table")
