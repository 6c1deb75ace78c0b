"""The data that an experiment is trained on: its data set, and what the config makes of it."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, DataError, Problem, did_you_mean
from fivefold.core.progress import Progress
from fivefold.core.types import Indices
from fivefold.data import Labels, PythonSource, Source
from fivefold.data.datasets import source_of
from fivefold.data.extended import ExtendedSource
from fivefold.experiment.augmented_folds import with_augmented_folds
from fivefold.experiment.chains import preprocessed, transformed
from fivefold.experiment.datasets import draft_folds, wrap
from fivefold.experiment.imports import import_modules
from fivefold.experiment.sources import open_section, open_source

logger = logging.getLogger(__name__)

EXTRA = "extra_train_data"

extra_train: dict[str, Any] = {}
"""Data sets that `extra_train_data` may name, as in Musket."""


def assembled(
    config: ExperimentConfig,
    dataset: Any = None,
    *,
    allow_imports: bool,
    progress: Progress,
    held_out: Sequence[int] | None = None,
) -> Source:
    """Open a data set with its labels, or else the config's own, and make of it what is asked for.

    Args:
        config: What describes the data.
        dataset: A Source, or any object with `__len__` and `__getitem__`.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches.
        held_out: Positions that are kept out of all folds; None: whatever else decides.

    Raises:
        FivefoldError: If the data cannot be used.
    """
    if config.preprocessing or config.pretrain_transform or config.dataset_augmenter:
        # again, since another experiment's files may have come by the same names
        import_modules(config, allowed=allow_imports)
    source = _own(config, dataset, allow_imports=allow_imports, progress=progress)
    if held_out is not None:
        source.held_out = held_out
    if config.pretrain_transform is not None:
        source = transformed(config, source, _held_out(config, source, progress), progress)
    if config.dataset_augmenter is not None:
        folds = draft_folds(source, config, progress)
        source = with_augmented_folds(config, source, folds)
    asked = config.extra_train_data
    if asked is None:
        return source
    if isinstance(asked, str):
        further = _named(config, asked, source.labels, progress)
    else:
        described = open_section(
            config, EXTRA, asked, allow_imports=allow_imports, progress=progress
        )
        further = preprocessed(config, described, progress)
    return ExtendedSource(source, further, EXTRA)


def _own(
    config: ExperimentConfig, dataset: Any, *, allow_imports: bool, progress: Progress
) -> Source:
    """Open a data set; one that the config describes goes through `preprocessing`."""
    if dataset is None:
        described = open_source(config, allow_imports=allow_imports, progress=progress)
        return preprocessed(config, described, progress)
    if config.preprocessing:
        where = config.where("preprocessing")
        text = "%s: preprocessing: has no effect on a data set that comes from Python"
        logger.warning(text, where)
    return wrap(dataset, progress)


def _held_out(config: ExperimentConfig, source: Source, progress: Progress) -> Indices:
    """Find the positions of the holdout, before anything is changed."""
    if source.fold_lists is not None or source.fold_numbers is not None:
        where = config.where("pretrain_transform")
        msg = f"{where}: pretrain_transform: expected a data set without folds of its own"
        hint = "what the function returns may have `folds`"
        raise DataError(msg, hint=hint, slug="data/given-folds")
    if not (config.test_split or config.folds_from or source.held_out is not None):
        return np.zeros(0, dtype=np.int64)
    ids = set(draft_folds(source, config, progress).holdout_ids)
    return np.array([i for i, name in enumerate(source.sample_ids) if name in ids], dtype=np.int64)


def _named(
    config: ExperimentConfig, asked: str, labels: tuple[Labels, ...], progress: Progress
) -> Source:
    """Find a data set that Python has registered."""
    if asked not in extra_train:
        message = f"{EXTRA}: expected a name in `classification.extra_train`, got {asked!r}"
        hint = did_you_mean(asked, list(extra_train), "or describe the samples like `dataset`")
        raise ConfigError([Problem("config/no-dataset", config.where(EXTRA), message, hint)])
    named = extra_train[asked]
    known = named if isinstance(named, Source) else source_of(named)
    return known or PythonSource(named, labels, progress=progress)
