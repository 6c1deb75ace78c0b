"""From sections of a config like `dataset:` to the sources that read their samples."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fivefold.config import SHARED_NAME, DatasetSection, ExperimentConfig, find_project
from fivefold.core.cache_home import cache_home
from fivefold.core.durable import file_sha256
from fivefold.core.errors import ConfigError, Problem, UnsafeInputError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.data import ColumnKeys, CsvSource, FolderSource, ParquetSource, Source, open_python
from fivefold.data.coco import CocoBoxes, CocoMasks, CocoSource, read_map
from fivefold.data.corrections import corrected
from fivefold.data.csv_text import read_table
from fivefold.data.datasets.paths import looked_for_in
from fivefold.data.hub import HubSource
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.mask_looks import BACKGROUND, AskedClasses
from fivefold.data.parquet import read_parquet
from fivefold.data.run_lengths import RunLengthSource, Runs
from fivefold.data.tars import ShardSource
from fivefold.data.text_table import Table
from fivefold.experiment.chains import made
from fivefold.experiment.datasets import wrap
from fivefold.experiment.functions import find_function
from fivefold.experiment.imports import import_modules


@dataclass(frozen=True)
class Asked:
    """What is to be opened.

    Attributes:
        config: Whose data.
        key: What is to be opened: `dataset` or `extra_train_data`.
        section: What stands behind it.
        allow_imports: Whether Python code that it names may run.
        progress: Who watches.
    """

    config: ExperimentConfig
    key: str
    section: DatasetSection
    allow_imports: bool
    progress: Progress

    def path(self, name: str) -> Path:
        """Find a path of the section, which starts where the config says."""
        return self.config.directory / (self.config.datasets_path or "") / name


def open_source(config: ExperimentConfig, *, allow_imports: bool, progress: Progress) -> Source:
    """Open the data that a config names.

    Raises:
        ConfigError: If it names none.
        UnsafeInputError: If it names Python code and that was not allowed.
        DataError: If the data cannot be used.
    """
    section = config.dataset
    if section is None:
        message = "dataset: required, but not set"
        hint = "for example `dataset: {folder: images}`, a folder with one sub-folder per class"
        raise ConfigError([Problem("config/missing-key", config.where(), message, hint)])
    return open_section(config, "dataset", section, allow_imports=allow_imports, progress=progress)


def open_section(
    config: ExperimentConfig,
    key: str,
    section: DatasetSection,
    *,
    allow_imports: bool,
    progress: Progress,
) -> Source:
    """Open the data that one key of a config describes.

    Args:
        config: Where relative paths start, and for messages.
        key: `dataset` or `extra_train_data`.
        section: What stands behind it.
        allow_imports: Whether Python code that it names may run.
        progress: Who watches.

    Raises:
        ConfigError: If it names a folder that the run writes into.
        UnsafeInputError: If it names Python code and that was not allowed.
        DataError: If the data cannot be used.
    """
    asked = Asked(config, key, section, allow_imports, progress)
    _refuse_own_folders(asked, RunFolder.of(config.directory))
    source = _OPENERS[section.kind](asked)
    if section.corrections is None:
        return source
    return corrected(source, corrections_path(config, section))


def corrections_path(config: ExperimentConfig, section: DatasetSection) -> Path:
    """Find the table of corrections that a section names; it starts at the config's folder."""
    return config.directory / str(section.corrections)


def corrections_digests(config: ExperimentConfig) -> dict[str, str]:
    """Give the SHA-256 of each table of corrections that a config names, by the key of its data."""
    sections = {"dataset": config.dataset, "extra_train_data": config.extra_train_data}
    named = {
        key: corrections_path(config, section)
        for key, section in sections.items()
        if isinstance(section, DatasetSection) and section.corrections is not None
    }
    return {key: file_sha256(path) for key, path in named.items() if path.is_file()}


def _open_folder(asked: Asked) -> Source:
    return FolderSource(asked.path(str(asked.section.folder)))


def _open_csv(asked: Asked) -> Source:
    path = asked.path(str(asked.section.csv))
    encoding = asked.section.encoding
    if asked.section.rle_column is not None:
        return _with_runs(asked, path, read_table(path, encoding=encoding or ""))
    return CsvSource(path, _beside(asked, path), encoding=encoding, **_columns(asked.section))


def _open_parquet(asked: Asked) -> Source:
    path = asked.path(str(asked.section.parquet))
    if asked.section.rle_column is not None:
        return _with_runs(asked, path, read_parquet(path))
    return ParquetSource(path, _beside(asked, path), **_columns(asked.section))


def _with_runs(asked: Asked, path: Path, table: Table) -> Source:
    section = asked.section
    runs = Runs(
        rle_column=str(section.rle_column),
        class_column=section.class_column,
        form=section.rle or "columns",
        mask_shape=section.mask_shape,
        background=_background(asked),
    )
    return RunLengthSource(table, _beside(asked, path), runs, _columns(section))


def _background(asked: Asked) -> str | None:
    """Name the background where the config's classes of pixels are exclusive."""
    named = asked.config.activation
    activation = named[0] if isinstance(named, tuple) and named else named
    is_softmax = isinstance(activation, str) and activation.casefold() == "softmax"
    return (asked.section.background or BACKGROUND) if is_softmax else None


def _beside(asked: Asked, path: Path) -> Path:
    return asked.path(asked.section.images) if asked.section.images else path.parent


def _columns(section: DatasetSection) -> ColumnKeys:
    return {
        "image_column": section.image_column,
        "label_column": section.label_column,
        "indicator_columns": section.indicator_columns,
        "separator": section.separator,
        "extension": section.extension,
        "group_column": section.group_column,
        "weight_column": section.weight_column,
        "split_column": section.split_column,
        "fold_column": section.fold_column,
    }


def _open_coco(asked: Asked) -> Source:
    section, path = asked.section, asked.path(str(asked.section.coco))
    images = asked.path(section.images) if section.images else path.parent
    given = section.category_map
    category_map = read_map(asked.path(given)) if isinstance(given, str) else given
    validation = asked.path(section.coco_validation) if section.coco_validation else None
    if section.masks:
        return CocoMasks(
            path,
            images,
            validation=validation,
            category_map=category_map,
            level=section.level,
            background=_background(asked),
        )
    if section.boxes == "crops":
        return CocoBoxes(
            path,
            images,
            category_map=category_map,
            level=section.level,
            margin=section.box_margin,
            smallest=section.smallest_box,
        )
    return CocoSource(
        path,
        images,
        validation=validation,
        boxes=section.boxes,
        category_map=category_map,
        level=section.level,
        background=section.background,
    )


def _open_masks(asked: Asked) -> Source:
    section, config = asked.section, asked.config
    names = [config.activation] if isinstance(config.activation, str) else config.activation
    counts = [config.classes] if isinstance(config.classes, int) else config.classes
    known = AskedClasses(
        names=section.mask_classes,
        count=counts[0] if counts else None,
        exclusive=names[0].casefold() == "softmax" if names else None,
        ignore=section.ignore_value,
    )
    images, masks = asked.path(str(section.images)), asked.path(str(section.masks))
    return MaskFolderSource(images, masks, known, asked.progress)


def _open_shards(asked: Asked) -> Source:
    section, label = asked.section, asked.section.label_column
    return ShardSource(
        asked.path(str(section.shards)),
        image_ending=section.image_column,
        label=label if isinstance(label, str) else None,
        separator=section.separator,
        home=cache_home(asked.config.cache),
        progress=asked.progress,
    )


def _open_hub(asked: Asked) -> Source:
    section, label, name = asked.section, asked.section.label_column, str(asked.section.hub)
    path = asked.path(name)
    return HubSource(
        path if path.exists() or name.startswith((".", "/")) else name,
        split=section.split,
        image_column=section.image_column,
        label_column=label if isinstance(label, str) else None,
        revision=section.revision,
        streamed=section.streamed,
    )


def _open_python(asked: Asked) -> Source:
    config, section = asked.config, asked.section
    if not asked.allow_imports:
        msg = f"{config.where(asked.key, 'python')}: {asked.key}.python names code to run"
        hint = "if you trust it, run again with --allow-imports"
        raise UnsafeInputError(msg, hint=hint, slug="unsafe/imports")
    name, directory = str(section.python), config.directory
    with looked_for_in(_around(asked)):
        return open_python(name, directory, dict(section.args), progress=asked.progress)


def _open_function(asked: Asked) -> Source:
    config, name = asked.config, str(asked.section.function)
    import_modules(config, allowed=asked.allow_imports)
    function = find_function(config, name, asked.key)
    with looked_for_in(_around(asked)):
        return wrap(made(function, (), asked.section.args, f"{asked.key}: {name}"), asked.progress)


def _around(asked: Asked) -> list[Path]:
    """List where files are looked for that code names, as if it ran where Musket lets it run."""
    project = find_project(asked.config.directory / SHARED_NAME)
    return [asked.path(""), *([project / "data", project] if project else [])]


_OPENERS: dict[str, Callable[[Asked], Source]] = {
    "folder": _open_folder,
    "csv": _open_csv,
    "parquet": _open_parquet,
    "coco": _open_coco,
    "masks": _open_masks,
    "shards": _open_shards,
    "hub": _open_hub,
    "python": _open_python,
    "function": _open_function,
}
"""How each kind of data is opened."""


def _refuse_own_folders(asked: Asked, folder: RunFolder) -> None:
    """Keep the run's files out of the user's: it would list its own pictures as data."""
    problems = []
    for key in ("folder", "images", "masks"):
        named = getattr(asked.section, key, None)
        path = asked.path(named) if isinstance(named, str) else None
        if path is None or not folder.mixes_with(path, listed=key == "folder"):
            continue
        message = f"{asked.key}.{key}: expected a folder that no run writes into, got {named!r}"
        hint = f"the run keeps its own files in {folder.root}/data and beside it: use another name"
        place = asked.config.where(asked.key, key)
        problems.append(Problem("config/own-folder", place, message, hint))
    if problems:
        raise ConfigError(problems)
