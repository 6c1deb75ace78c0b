"""From a glance at the data to a written config."""

import logging
from dataclasses import dataclass
from pathlib import Path

from fivefold.apps.new.defaults import choose
from fivefold.apps.new.mask_template import (
    choose_for_masks,
    describe_masks,
    look_at_masks,
    render_masks,
)
from fivefold.apps.new.naming import holds_experiments, name_of_data, next_name
from fivefold.apps.new.opening import FOUND, TableChoice
from fivefold.apps.new.survey import Survey, look_at
from fivefold.apps.new.template import decisions, describe, render
from fivefold.core.durable import write_text
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.core.segmenters import segmenter_named
from fivefold.experiment.named_data import check_encoding
from fivefold.experiment.named_masks import FoundMasks, Hints, find_masks
from fivefold.models.names import backbone_problem

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """A new experiment.

    Attributes:
        experiment: What to give to the other commands.
        config_path: The YAML.
        notes: What was seen in the data and what follows from it, a line each.
    """

    experiment: Path
    config_path: Path
    notes: tuple[str, ...]


def write_experiment(
    experiment: Path,
    data: Path,
    *,
    table: TableChoice = FOUND,
    architecture: str | None = None,
) -> Written:
    """Look at a data set and write a commented config with good defaults for it.

    Args:
        experiment: A folder to make or fill, a YAML file, or a folder that holds experiments:
            then the next one is made in it, named like `002.digits.resnet18-lr5e-4`.
        data: A folder with one folder per class, a CSV or Parquet table, a COCO file, tar files; or
            images with masks, see `find_masks`.
        table: How to read a table; what it leaves open is found by looking.
        architecture: The backbone, or of masks the architecture; what can be had when not given.

    Raises:
        ConfigError: If there is a config already, no such backbone, or the run's own files would
            mix with the images.
        DataError: If the data cannot be used, or no config can name its path.
    """
    of_masks = architecture is not None and segmenter_named(architecture) is not None
    problem = backbone_problem(architecture) if architecture and not of_masks else None
    if problem:
        raise ConfigError([problem])
    if not holds_experiments(experiment):
        _check_free(_folder_of(experiment).config_path)
    found = _masks_in(data, table)
    if found is not None:
        return _write_for_masks(experiment, data, found, architecture)
    if of_masks:
        message = f"expected a backbone, since {data} has no masks, got {architecture!r}"
        hint = "masks are found in folders such as images and masks, in run-length tables and in "
        hint += "COCO files with polygons"
        raise ConfigError([Problem("cli/no-masks", "--architecture", message, hint)])
    survey = look_at(data, table)
    settings = choose(survey, architecture)
    if holds_experiments(experiment):
        names = name_of_data(data), settings.architecture, settings.lr
        experiment = experiment / next_name(experiment, *names)
    folder = _folder_of(experiment)
    _check_free(folder.config_path)
    _check_apart(folder, survey)
    write_text(folder.config_path, render(survey, settings, folder.root))
    notes = (*filter(None, describe(survey)), *decisions(survey, settings))
    return Written(experiment, folder.config_path, notes)


def _masks_in(data: Path, table: TableChoice) -> FoundMasks | None:
    """Find masks, unless labels are asked for."""
    if table.label_columns or table.separator or table.boxes_as_labels:
        return None
    check_encoding(table.encoding)
    return find_masks(data, Hints(table.images, table.image_column, table.encoding), Silent())


def _write_for_masks(
    experiment: Path, data: Path, found: FoundMasks, architecture: str | None
) -> Written:
    """Write a config for data with masks; see `write_experiment`."""
    for text in found.source.warnings:
        logger.warning(text)
    survey = look_at_masks(found)
    settings = choose_for_masks(survey, architecture)
    if holds_experiments(experiment):
        tried = f"{settings.architecture}-{settings.backbone}"
        experiment = experiment / next_name(experiment, name_of_data(data), tried, settings.lr)
    folder = _folder_of(experiment)
    _check_free(folder.config_path)
    for key in ("images", "masks"):
        if key in found.paths:
            _check_folder_apart(folder, found.paths[key], listed=found.kind == "folders")
    write_text(folder.config_path, render_masks(survey, settings, folder.root))
    lines = [*filter(None, describe_masks(survey)), f"{settings.folds} folds"]
    mirrored = "the augmentation mirrors images left-right: remove Fliplr from the config if left "
    return Written(experiment, folder.config_path, (*lines, f"{mirrored}and right matter"))


def _folder_of(experiment: Path) -> RunFolder:
    """Read an EXPERIMENT that need not exist yet: a YAML file by its ending, else a folder."""
    if experiment.suffix.lower() in (".yaml", ".yml") and not experiment.is_dir():
        return RunFolder(experiment.parent, experiment)
    return RunFolder(experiment, experiment / "config.yaml")


def _check_apart(folder: RunFolder, survey: Survey) -> None:
    """Refuse what `fit` would refuse: images among the run's files, or the run among images."""
    if survey.kind == "shards":  # a run writes no tar files
        return
    named = survey.images
    _check_folder_apart(folder, named or survey.data, listed=named is None)


def _check_folder_apart(folder: RunFolder, images_dir: Path, *, listed: bool) -> None:
    if not folder.mixes_with(images_dir, listed=listed):
        return
    message = f"expected an experiment apart from its images, got images in {str(images_dir)!r}"
    hint = f"the run keeps its own files in {folder.root}/data and beside it: choose another folder"
    raise ConfigError([Problem("config/own-folder", str(folder.root), message, hint)])


def _check_free(config_path: Path) -> None:
    if not config_path.exists():
        return
    message = "expected no config here yet, got an existing one"
    hint = "it is left as it is; choose another folder, or edit that file"
    raise ConfigError([Problem("config/exists", str(config_path), message, hint)])
