"""Opens data by what a command names: a folder of classes, a table, a COCO file, a config."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.progress import Progress
from fivefold.data import ColumnKeys, CsvSource, FolderSource, ParquetSource, Source
from fivefold.data.coco import CocoSource, read_map
from fivefold.data.table import TableSource
from fivefold.data.text_encoding import is_encoding
from fivefold.experiment.assembling import assembled
from fivefold.experiment.loading import load_named
from fivefold.experiment.named_masks import FoundMasks, Hints, find_masks
from fivefold.experiment.option_words import in_options, told_in_options

Kind: TypeAlias = Literal["folder", "masks", "csv", "parquet", "coco", "config"]

_ENDINGS: Mapping[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "coco",
}
_CONFIGS = (".yaml", ".yml")
_WORDS: Mapping[Kind, str] = {
    "folder": "a folder",
    "masks": "a folder of masks",
    "csv": "a table",
    "parquet": "a Parquet file",
    "coco": "a COCO file",
    "config": "a config",
}


@dataclass(frozen=True)
class Reading:
    """How a table or a COCO file is to be read; None is found by looking, or left out.

    Attributes:
        images: Where paths start; the file's folder if not given.
        image_column: Of a table.
        label_column: Of a table; several are one output each.
        separator: Of a table: what stands between several labels in one cell.
        encoding: Of a table in a file of text; UTF-8 if not given.
        boxes_as_labels: Of a COCO file: boxes are labels of their images.
        category_map: Of a COCO file: a JSON file with the class of each category.
        level: Of a COCO file: how many supercategories up a class lies.
        background: Of a COCO file: the class that means "nothing".
        group_column: Of a table: rows with the same text in it belong together.
    """

    images: Path | None = None
    image_column: str | None = None
    label_column: tuple[str, ...] = ()
    separator: str | None = None
    encoding: str | None = None
    boxes_as_labels: bool = False
    category_map: Path | None = None
    level: int = 0
    background: str | None = None
    group_column: str | None = None

    def stray(self, kind: Kind) -> list[str]:
        """Name what was given and means nothing for a kind of data."""
        given = {name: value for name, value in vars(self).items() if value}
        return [name for name in given if kind not in _KINDS_OF[name]]

    @property
    def columns(self) -> ColumnKeys:
        """The keys of a table's columns."""
        return {
            "image_column": self.image_column,
            "label_column": self.label_column or None,
            "separator": self.separator,
            "group_column": self.group_column,
        }


_KINDS_OF: Mapping[str, tuple[Kind, ...]] = {
    "images": ("csv", "parquet", "coco"),
    "image_column": ("csv", "parquet"),
    "label_column": ("csv", "parquet"),
    "separator": ("csv", "parquet"),
    "encoding": ("csv",),
    "boxes_as_labels": ("coco",),
    "category_map": ("coco",),
    "level": ("coco",),
    "background": ("coco",),
    "group_column": ("csv", "parquet"),
}
_OPTIONS = {*_KINDS_OF, "boxes: labels"} - {"group_column"}
"""Keys of a config that every command which reads data has an option for."""


@dataclass(frozen=True, eq=False)
class Opened:
    """Data that were opened.

    Attributes:
        path: What was named.
        kind: Which kind of data it is.
        source: Its samples.
        images_dir: Where their ids start.
        separator: What stands between labels in a table's cells, if anything does.
        reading: How it was asked to be read.
        config: What describes it, if a config does.
    """

    path: Path
    kind: Kind
    source: Source
    images_dir: Path
    separator: str | None = None
    reading: Reading = Reading()
    config: ExperimentConfig | None = None

    @property
    def left_out(self) -> dict[str, int]:
        """Count what the listing left out, by rule."""
        found: dict[str, int] = {}
        for _, rule in self.source.excluded:
            found[rule] = found.get(rule, 0) + 1
        return dict(sorted(found.items()))


def open_data(path: Path, reading: Reading, more_options: Collection[str] = ()) -> Opened:
    """Open a folder of classes, a table, a COCO file, or images with masks.

    Messages name options, and no keys. Masks are found by looking; see `find_masks`.

    Args:
        path: Where it is.
        reading: How to read it.
        more_options: Keys that only this command has an option for.

    Raises:
        ConfigError: If an option means nothing for this kind of data.
        DataError: If there is no such data, or it cannot be used.
        MissingExtraError: If what reads it is not installed.
        UnsafeInputError: If images lie outside of their folder.
    """
    kind = kind_of(path)
    _refuse_stray(reading, kind)
    options = {*_OPTIONS, *more_options}
    with told_in_options(options):
        opened = _opened(path, kind, reading)
    opened.source.warnings = tuple(in_options(text, options) for text in opened.source.warnings)
    return opened


def _opened(path: Path, kind: Kind, reading: Reading) -> Opened:
    images_dir = reading.images or path.parent
    found = _masks_in(path, reading)
    if found is not None:
        kind = "masks" if kind == "folder" else kind
        return Opened(path, kind, found.source, found.paths["images"], reading=reading)
    if kind == "folder":
        return Opened(path, kind, FolderSource(path), path)
    if kind == "coco":
        return Opened(path, kind, _open_coco(path, images_dir, reading), images_dir)
    source = open_table(path, images_dir, reading)
    separator = next(iter(source.separators), None)
    return Opened(path, kind, source, images_dir, separator, reading)


def _masks_in(path: Path, reading: Reading) -> FoundMasks | None:
    """Find masks, unless something is said of labels."""
    labels = reading.label_column or reading.separator or reading.boxes_as_labels
    if labels or reading.category_map or reading.level or reading.background:
        return None
    check_encoding(reading.encoding)
    return find_masks(path, Hints(reading.images, reading.image_column, reading.encoding))


def open_any(
    path: Path,
    reading: Reading,
    overrides: Sequence[str] = (),
    *,
    allow_imports: bool = False,
    progress: Progress,
) -> Opened:
    """Open what `open_data` opens, or the data of a config.

    Args:
        path: A config or its folder, or data.
        reading: How to read data; a config says so itself.
        overrides: `key=value` for a config.
        allow_imports: Whether a config may name Python code to run.
        progress: Who watches.

    Raises:
        ConfigError: If a config is wrong, or an option means nothing here.
        DataError: If there is nothing that can be read.
        UnsafeInputError: If a config names code and that was not allowed.
    """
    if path.suffix.lower() in _CONFIGS or (path / CONFIG_NAME).is_file():
        _refuse_stray(reading, "config")
        config = load_named(RunFolder.of(path).config_path, overrides, allow_imports=allow_imports)
        source = assembled(config, allow_imports=allow_imports, progress=progress)
        return Opened(path, "config", source, config.directory, config=config)
    opened = open_data(path, reading)
    if overrides:
        message = f"expected no such option with {_WORDS[opened.kind]}, got {overrides[0]!r}"
        raise ConfigError([Problem("cli/stray-option", "--set", message, "leave it out")])
    return opened


def open_table(path: Path, images_dir: Path, reading: Reading) -> TableSource:
    """Open a table in a file of text or a Parquet file.

    Raises:
        ConfigError: If there is no such encoding, or the separator is empty.
        DataError: If it is no such table.
        MissingExtraError: If what reads it is not installed.
    """
    _check_words(reading)
    if kind_of(path) == "parquet":
        return ParquetSource(path, images_dir, **reading.columns)
    return CsvSource(path, images_dir, encoding=reading.encoding, **reading.columns)


def kind_of(path: Path) -> Kind:
    """Tell what kind of data a path is; never a config.

    Raises:
        DataError: If there is nothing, or a file of another kind.
    """
    if path.is_dir():
        return "folder"
    kind = _ENDINGS.get(path.suffix.casefold())
    if kind is not None:
        return kind
    found = "another file" if path.exists() else "nothing there"
    msg = f"{path}: expected a folder of classes, a CSV table or a COCO file, got {found}"
    hint = "tables end with .csv, .tsv, .txt or .parquet, COCO files with .json"
    raise DataError(msg, hint=hint, slug="data/not-data")


def check_encoding(encoding: str | None) -> None:
    """Refuse a name that no encoding has.

    Raises:
        ConfigError: If it is such.
    """
    if encoding is not None and not is_encoding(encoding):
        message = f"expected an encoding of texts, got {encoding!r:.60}"
        hint = "such as utf-8, cp1251 or shift_jis"
        raise ConfigError([Problem("cli/encoding", "--encoding", message, hint)])


def _check_words(reading: Reading) -> None:
    check_encoding(reading.encoding)
    if reading.separator == "":
        message, hint = "expected a sign such as $ or |, got ''", "leave it out to have it found"
        raise ConfigError([Problem("cli/separator", "--separator", message, hint)])


def _refuse_stray(reading: Reading, kind: Kind) -> None:
    if stray := reading.stray(kind):
        option = f"--{stray[0].replace('_', '-')}"
        message = f"expected no such option with {_WORDS[kind]}, got one"
        raise ConfigError([Problem("cli/stray-option", option, message, "leave it out")])


def _open_coco(path: Path, images_dir: Path, reading: Reading) -> Source:
    return CocoSource(
        path,
        images_dir,
        boxes="labels" if reading.boxes_as_labels else None,
        category_map=read_map(reading.category_map) if reading.category_map else None,
        level=reading.level,
        background=reading.background,
    )
