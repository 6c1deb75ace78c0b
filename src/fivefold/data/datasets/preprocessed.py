"""What turns one data set into another, under Musket's names; `preprocessing:` names it."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from fivefold.data.datasets.composed import DataSet
from fivefold.data.python_class import PredictionItem

Transformer: TypeAlias = Callable[..., Any]
"""From a data set, and options, to a data set."""

_BY_NUMBER = ("get_id", "get_target", "get_stratify_class", "isPositive", "sample_weight")
_OF_ALL = ("class_names", "classes", "species", "folds", "holdoutArr")


class PreprocessedDataSet(DataSet):
    """A data set whose items go through a function, each time that they are read.

    Args:
        parent: The data set.
        transform: What `dataset_preprocessor` has made of the function.
        args: Further positional arguments of the function.
        options: Named ones.
    """

    def __init__(
        self, parent: Any, transform: Transformer, args: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self.parent = parent
        self.name = getattr(parent, "name", "")
        # Other processes find this one by its name; what it wraps has none there.
        self._transform, self._args, self._options = transform, args, options
        self._takes_items = _takes_items(inspect.unwrap(transform))

    def __len__(self) -> int:
        return len(self.parent)

    def __getitem__(self, i: int) -> PredictionItem:
        item = self.parent[i]
        given = item if self._takes_items else item.x
        made = inspect.unwrap(self._transform)(given, *self._args, **self._options)
        if not self._takes_items:
            return PredictionItem(item.id, made, item.y, getattr(item, "prediction", None))
        if not hasattr(made, "x"):
            name = self._transform.__name__
            msg = f"{name}: expected a PredictionItem, got {type(made).__name__}"
            raise TypeError(msg)
        found: PredictionItem = made
        return found

    def __getattr__(self, name: str) -> Any:
        # a function of items may change labels and ids
        if name in _OF_ALL or (name in _BY_NUMBER and not vars(self).get("_takes_items", True)):
            return getattr(vars(self)["parent"], name)
        raise AttributeError(name)

    def root(self) -> Any:
        """The data set that its items come from."""
        return self.parent.root() if hasattr(self.parent, "root") else self.parent


def _takes_items(change: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(change).parameters.values()), None)
    return first is not None and (first.name == "item" or first.annotation is PredictionItem)


def dataset_preprocessor(change: Callable[..., Any]) -> Transformer:
    """Make a function of one sample one of a data set.

    Args:
        change: Takes pixels and returns pixels; or, where its first parameter is called `item` or
            is annotated as a `PredictionItem`, takes and returns a whole item.

    Returns:
        From a data set and the further arguments of `change` to a `PreprocessedDataSet`.
    """

    @wraps(change)
    def transform(dataset: Any, *args: Any, **options: Any) -> PreprocessedDataSet:
        return PreprocessedDataSet(dataset, transform, args, options)

    return transform


def dataset_transformer(change: Transformer) -> Transformer:
    """Mark a function from a data set to a data set, as Musket asks for; it is left as it is."""
    return change
