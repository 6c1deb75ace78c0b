"""`dataset_augmenter`: the user's own code changes folds, and adds samples to train on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fivefold.config import ExperimentConfig
from fivefold.core.errors import DataError, FivefoldError
from fivefold.core.types import Indices
from fivefold.data import Source, Splits
from fivefold.experiment.chains import as_dataset
from fivefold.experiment.folds import Folds
from fivefold.experiment.functions import find_function

dataset_augmenters: dict[str, Any] = {}
"""What `dataset_augmenter` may name, as in Musket: called with its options, each gives a function
from folds to folds."""


def with_augmented_folds(config: ExperimentConfig, source: Source, splits: Splits) -> Source:
    """Let the user's own code change the folds.

    Args:
        config: It names the code.
        source: The data set.
        splits: Its folds, as they would be without that.

    Returns:
        The data set with the samples that were added behind it, and with folds of its own where
        they were changed.

    Raises:
        ConfigError: If the code is not there.
        DataError: If it raises, or its folds cannot be trained.
    """
    options = dict(config.dataset_augmenter or {})
    name = str(options.pop("name"))
    where = f"dataset_augmenter: {name}"
    make = dataset_augmenters.get(name) or find_function(config, name, "dataset_augmenter")
    place = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    pairs = [
        (_places(place, splits.train_ids(fold)), _places(place, splits.val_ids(fold)))
        for fold in range(splits.num_folds)
    ]
    before = Folds(as_dataset(source), list(pairs), source, config.seed)
    try:
        after = make(**options)(before)
    except (FivefoldError, MemoryError):
        raise
    except Exception as error:
        msg = f"{where}: expected folds, got {type(error).__name__}: {error}"
        raise DataError(msg, hint="the error is in its code", slug="data/python-code") from error
    if not isinstance(after, Folds):
        msg = f"{where}: expected the folds that it was given, changed, got {type(after).__name__}"
        raise DataError(msg, hint="return them", slug="data/python-code")
    return _obeyed(after, pairs, _places(place, splits.holdout_ids), where)


def _places(place: dict[str, int], ids: Sequence[str]) -> Indices:
    return np.sort(np.array([place[sample_id] for sample_id in ids], dtype=np.int64))


def _obeyed(after: Folds, pairs: list[tuple[Indices, Indices]], out: Indices, where: str) -> Source:
    """Give the source of folds, which says itself where they are not the drawn ones."""
    source = after.source
    first = len(source) - len(source.train_only)
    added = np.arange(first, len(source))
    used = np.union1d(*pairs[0])
    found = []
    for fold, (train, val) in enumerate(after.folds):
        expected = np.union1d(np.setdiff1d(used, val), added)
        wrong = np.setxor1d(train, expected)
        if len(wrong):
            msg = (
                f"{where}: fold {fold}: expected to train on all samples that it does not validate "
                f"on, got others at {wrong[:5].tolist()}"
            )
            hint = "`addToTrain` adds samples; those that take no part belong into the holdout"
            raise DataError(msg, hint=hint, slug="data/given-folds")
        rest = np.setdiff1d(np.arange(first), np.union1d(val, out))
        found.append((rest.tolist(), np.sort(val).tolist()))
    same = len(found) == len(pairs) and all(
        np.array_equal(new, old) for (_, new), (_, old) in zip(found, pairs, strict=True)
    )
    if not same:
        source.fold_lists, source.held_out = found, out.tolist()
    return source
