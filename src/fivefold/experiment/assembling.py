"""The data that an experiment is trained on: its data set, and what the config adds to it."""

from collections.abc import Sequence
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.progress import Progress
from fivefold.data import Labels, PythonSource, Source
from fivefold.data.datasets import source_of
from fivefold.data.extended import ExtendedSource
from fivefold.experiment.datasets import wrap
from fivefold.experiment.sources import open_section, open_source

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
    """Open a data set with its labels, or else the config's own, and add what the config asks for.

    Args:
        config: What describes the data.
        dataset: A Source, or any object with `__len__` and `__getitem__`.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches.
        held_out: Positions that are kept out of all folds; None: whatever else decides.

    Raises:
        FivefoldError: If the data cannot be used.
    """
    source = (
        open_source(config, allow_imports=allow_imports, progress=progress)
        if dataset is None
        else wrap(dataset, progress)
    )
    if held_out is not None:
        source.held_out = held_out
    asked = config.extra_train_data
    if asked is None:
        return source
    further = (
        _named(config, asked, source.labels, progress)
        if isinstance(asked, str)
        else open_section(config, EXTRA, asked, allow_imports=allow_imports, progress=progress)
    )
    return ExtendedSource(source, further, EXTRA)


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
