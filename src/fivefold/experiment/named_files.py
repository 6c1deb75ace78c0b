"""Files that a config names: whether they are there, and where an error of one stands in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fivefold.config import DatasetSection, ExperimentConfig, in_order
from fivefold.config.musket import VALUES_NOT_YET
from fivefold.core.errors import DataError, FivefoldError, Problem, UnsafeInputError
from fivefold.core.layout import RunFolder
from fivefold.models.architectures import VOC

_FROM_CONFIG = "paths start at the folder of the config"
_NO_FILES = {"imagenet", "none", *VALUES_NOT_YET["weights"]}
_TABLES = {
    "csv": ("a table", "data/missing-table"),
    "parquet": ("a table", "data/missing-table"),
    "coco": ("a COCO file", "data/missing-coco"),
    "coco_validation": ("a COCO file", "data/missing-coco"),
}


def missing_files(config: ExperimentConfig, *, data: bool = True) -> list[Problem]:
    """Find what a config names that is not there; opens nothing, and does without torch.

    Args:
        config: As far as it is right.
        data: Whether its data sets count; else only files of weights.
    """
    problems = [*_missing_weights(config), *_missing_initial_weights(config)]
    for key in ("dataset", "extra_train_data") if data else ():
        section = getattr(config, key)
        if isinstance(section, DatasetSection):
            problems += _missing_data(config, key, section)
            problems += _missing_corrections(config, key, section)
    return problems


def check_files(config: ExperimentConfig, *, data: bool) -> None:
    """Refuse to begin where a file is missing; see `missing_files`.

    Raises:
        DataError: Names all that are missing.
    """
    problems = in_order(missing_files(config, data=data))
    if problems:
        raise DataError("\n".join(map(str, problems)), slug=problems[0].slug)


@contextmanager
def placed_in(config: ExperimentConfig) -> Iterator[None]:
    """Tell of weights and channels that do not fit also where the config asks for them."""
    try:
        yield
    except (DataError, UnsafeInputError) as error:
        path = _place_of(error, config)
        if not path:
            raise
        text, key = str(error), ".".join(map(str, path))
        text = text if text.startswith(f"{key}: ") else f"{key}: {text}"
        text = f"{config.where(*path)}: {text.removesuffix(f'{chr(10)}    {error.hint}')}"
        raise type(error)(text, hint=error.hint, slug=error.slug) from error


def initial_weights_path(directory: Path, name: str) -> Path:
    """Find the file of a stage's `initial_weights`; Musket's ending means the same file."""
    path = directory / name
    return path.with_suffix(".safetensors") if path.suffix == ".weights" else path


def _place_of(error: FivefoldError, config: ExperimentConfig) -> Sequence[str | int]:
    if error.slug == "data/channels":
        return ("shape",)
    if not error.slug.startswith("weights/") and error.slug != "unsafe/weights-format":
        return ()
    text = str(error)
    for path, name in _initial_weights(config):
        file = initial_weights_path(config.directory, name)
        if (
            text.startswith((f"{file}: ", f"{file.with_suffix('.json')}: "))
            or repr(str(file)) in text
        ):
            return path
    return ("weights",) if text.startswith(("weights: ", *_named_first(config))) else ()


def _named_first(config: ExperimentConfig) -> tuple[str, ...]:
    file = config.directory / Path(config.weights).expanduser()
    return (f"{file}: ", f"{config.weights}: ")


def _missing_weights(config: ExperimentConfig) -> Iterator[Problem]:
    file = config.directory / Path(config.weights).expanduser()
    names = _NO_FILES | {VOC} if config.makes_masks else _NO_FILES
    if config.weights not in names and not file.is_file():
        message = f"weights: expected a file, got {config.weights!r}, which {_is(file)}"
        known = f"imagenet, {VOC}, none" if config.makes_masks else "imagenet, none"
        hint = f"`weights` is {known} or a file; {_FROM_CONFIG}"
        yield Problem("weights/not-found", config.where("weights"), message, hint)


def _initial_weights(config: ExperimentConfig) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, stage in enumerate(config.stages or ()):
        if stage.initial_weights:
            yield ("stages", index, "initial_weights"), stage.initial_weights


def _missing_initial_weights(config: ExperimentConfig) -> Iterator[Problem]:
    own = RunFolder.of(config.directory).weights(0, 0).parent
    for path, name in _initial_weights(config):
        file = initial_weights_path(config.directory, name)
        made_before = path[1] != 0 and file.resolve().parent == own.resolve()
        if not file.is_file() and not made_before:
            key = ".".join(map(str, path))
            message = f"{key}: expected a file, got {name!r}, which {_is(file)}"
            yield Problem("weights/not-found", config.where(*path), message, _FROM_CONFIG)


def _missing_data(config: ExperimentConfig, key: str, section: DatasetSection) -> Iterator[Problem]:
    start = config.directory / (config.datasets_path or "")
    hint = _FROM_CONFIG if config.datasets_path is None else "paths start at `datasets_path`"
    for name in ("folder", "images"):
        given = getattr(section, name)
        if given and not (start / given).is_dir():
            message = f"{key}.{name}: expected a folder, got {given!r}, which {_is(start / given)}"
            yield Problem("data/missing-folder", config.where(key, name), message, hint)
    for name, (kind, slug) in _TABLES.items():
        given = getattr(section, name)
        if given and not (start / given).exists():
            message = f"{key}.{name}: expected {kind}, got {given!r}, which {_is(start / given)}"
            yield Problem(slug, config.where(key, name), message, hint)


def _missing_corrections(
    config: ExperimentConfig, key: str, section: DatasetSection
) -> Iterator[Problem]:
    given = section.corrections
    path = config.directory / str(given)
    if given is not None and not path.is_file():
        message = f"{key}.corrections: expected a table, got {given!r}, which {_is(path)}"
        where = config.where(key, "corrections")
        yield Problem("data/missing-table", where, message, _FROM_CONFIG)


def _is(path: Path) -> str:
    return "is none" if path.exists() else "does not exist"
