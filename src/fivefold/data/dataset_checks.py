"""Is it a data set? Told before any of its items is asked for."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, NoReturn

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.validation import shown

_ITEMS = "__getitem__(i) must return a PredictionItem(id, x, y)"
_NO_ITEMS = (str, bytes, bool, int, float, Mapping, PathLike, np.ndarray, np.generic)
_FILES = "a folder or a table of files is what `dataset:` in the config describes"


def check_dataset(dataset: Any, name: str = "data set") -> None:
    """Refuse what is no data set: text, single arrays, lists of something else than items.

    Args:
        dataset: What was given; of a class of the user's own only the two methods are looked at.
        name: Of the argument, for the message.

    Raises:
        DataError: Names what came.
    """
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        got = type(dataset).__name__
        _refuse(f"{name}: expected __len__ and __getitem__, got {got}", _ITEMS)
    if isinstance(dataset, str | bytes):
        _refuse(f"{name}: expected an object with items, got {shown(dataset)}", _FILES)
    if isinstance(dataset, Mapping | np.ndarray):
        got = type(dataset).__name__
        _refuse(f"{name}: expected an object with items, got one {got}", _ITEMS)
    if isinstance(dataset, list | tuple):
        _check_items(dataset, name)


def check_datasets(datasets: Any, name: str) -> list[Any]:
    """Take several data sets; see `check_dataset`.

    Raises:
        DataError: If they are no list of data sets.
    """
    if not isinstance(datasets, Iterable) or isinstance(datasets, str | bytes | Mapping):
        _refuse(f"{name}: expected a list of data sets, got {shown(datasets)}", _ITEMS)
    found = list(datasets)
    for number, dataset in enumerate(found):
        check_dataset(dataset, f"{name}[{number}]")
    return found


def _check_items(items: list[Any] | tuple[Any, ...], name: str) -> None:
    for number, item in enumerate(items):
        # An item of one's own class is not asked for its image: that may be read only then.
        is_short = isinstance(item, list | tuple) and len(item) < 2
        if item is None or is_short or isinstance(item, _NO_ITEMS):
            got = f"{type(item).__name__} as item {number}"
            _refuse(f"{name}: expected items, or pairs (x, y), got {got}", _ITEMS)


def _refuse(message: str, hint: str) -> NoReturn:
    raise DataError(message, hint=hint, slug="data/not-a-dataset")
