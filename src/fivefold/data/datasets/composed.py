"""Data sets made of others, under Musket's names."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from fivefold.core.arguments import as_whole, is_number, refuse_argument
from fivefold.core.errors import DataError
from fivefold.data.dataset_checks import check_dataset, check_datasets
from fivefold.data.python_class import PredictionItem
from fivefold.data.python_masks import is_mask

_BY_NUMBER = (
    "get_id",
    "get_target",
    "get_label",
    "get_stratify_class",
    "isPositive",
    "sample_weight",
)
"""What a data set may tell of a sample by its number, without reading the image."""
_OF_ALL = ("class_names", "classes", "species")
"""Where a data set may say the names of its classes."""


class DataSet:
    """What Musket's data sets derive from; any object with these two methods does as well.

    Attributes:
        name: What files with its predictions are called.
    """

    name = ""

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, i: int) -> PredictionItem:
        raise NotImplementedError

    def __iter__(self) -> Iterator[PredictionItem]:
        return (self[i] for i in range(len(self)))

    def get_name(self) -> str:
        """Its name; that of its class where it has none."""
        return self.name or type(self).__name__

    def root(self) -> Any:
        """What it was made of: itself."""
        return self


class LazyItem(PredictionItem):
    """An item whose image is read when it is asked for.

    Args:
        id: Unique in the data set.
        load: Reads the image.
        y: As of a `PredictionItem`.
        prediction: What a model said.
    """

    def __init__(  # the image is no attribute yet
        self,
        id: Any,
        load: Callable[[], Any],
        y: Any = None,
        prediction: Any = None,
    ) -> None:
        self.id, self.y, self.prediction, self._load = id, y, prediction, load

    def __getattr__(self, name: str) -> Any:
        if name == "x":
            return self._load()
        raise AttributeError(name)

    @classmethod
    def beside(cls, item: PredictionItem, prediction: Any) -> "LazyItem":
        """Make an item that says something else of the same image, which is not read yet."""
        return cls(item.id, lambda: item.x, item.y, prediction)


class SubDataSet(DataSet):
    """Some items of a data set, in the order given.

    What the other tells by number without reading an image (`get_id`, `get_target`, `isPositive`
    and so on) this one tells too, and the names of its classes.

    Args:
        ds: The data set.
        indexes: Which items.
        name: What it is called.

    Raises:
        DataError: If it is no data set, or has no such item.
    """

    def __init__(self, ds: Any, indexes: Sequence[int], name: str = "") -> None:
        check_dataset(ds, "SubDataSet: ds")
        self.ds = ds
        self.indexes = _whole_numbers(indexes, "SubDataSet: indexes")
        self.name = name or getattr(ds, "name", "")
        wrong = [i for i in self.indexes if not 0 <= i < len(ds)]
        if wrong:
            msg = f"SubDataSet: indexes: expected numbers from 0 to {len(ds) - 1}, got {wrong[:5]}"
            raise DataError(msg, slug="data/no-item")

    def __len__(self) -> int:
        return len(self.indexes)

    def __getitem__(self, i: int) -> PredictionItem:
        item: PredictionItem = self.ds[self.indexes[i]]
        return item

    def __getattr__(self, name: str) -> Any:
        if name in _BY_NUMBER:
            tell = getattr(self.ds, name)
            return lambda i: tell(self.indexes[i])
        if name in _OF_ALL:
            return getattr(self.ds, name)
        raise AttributeError(name)

    def root(self) -> Any:
        """The data set that its items come from."""
        return self.ds.root() if hasattr(self.ds, "root") else self.ds


class CompositeDataSet(DataSet):
    """Data sets one after the other.

    What all of them tell by number without reading an image (`get_id`, `get_target`, `isPositive`
    and so on) this one tells too, and the names of the first one's classes.

    Args:
        components: The data sets.

    Raises:
        DataError: If one of them is none.
    """

    def __init__(self, components: Sequence[Any]) -> None:
        self.components = check_datasets(components, "CompositeDataSet: components")
        self._ends = list(accumulate(len(part) for part in self.components))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, i: int) -> PredictionItem:
        part, number = self._place(i)
        item: PredictionItem = self.components[part][number]
        return item

    def __getattr__(self, name: str) -> Any:
        if name in _BY_NUMBER:
            tells = [getattr(part, name) for part in vars(self).get("components", ())]

            def tell(i: int) -> Any:
                part, number = self._place(i)
                return tells[part](number)

            return tell
        if name in _OF_ALL and vars(self).get("components"):
            return getattr(self.components[0], name)
        raise AttributeError(name)

    def _place(self, i: int) -> tuple[int, int]:
        """Find a sample's data set and its number there."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        part = bisect_right(self._ends, i)
        return part, i - (self._ends[part - 1] if part else 0)


class AspectRatioDataSet(DataSet):
    """A data set whose images are cut to one ratio of height and width.

    The largest part of that ratio is taken; a mask is cut as its image is.

    Args:
        child: The data set.
        target_ratio: Height and width, such as (3, 4).
        strategy: "center"; random parts are a matter of augmentation: `CropToFixedSize`.

    Raises:
        DataError: If it is no data set, or if the ratio or the strategy is none of these.
    """

    def __init__(
        self, child: Any, target_ratio: tuple[float, float] = (1, 1), strategy: str = "center"
    ) -> None:
        check_dataset(child, "AspectRatioDataSet: child")
        if strategy != "center" or not _is_ratio(target_ratio):
            msg = (
                "AspectRatioDataSet: expected a ratio of two numbers above 0 and the strategy "
                f"'center', got {target_ratio} and {strategy!r}"
            )
            hint = "for random parts use `augmentation: {CropToFixedSize: …}` in the config"
            raise DataError(msg, hint=hint, slug="data/dataset-option")
        self.child = child
        self.target_ratio = target_ratio

    def __len__(self) -> int:
        return len(self.child)

    def __getitem__(self, i: int) -> PredictionItem:
        item = self.child[i]
        prediction = getattr(item, "prediction", None)
        return PredictionItem(item.id, *map(self._cut, (item.x, item.y, prediction)))

    def _cut(self, values: Any) -> Any:
        """Cut an image or a mask; what is neither stays as it is."""
        if not is_mask(values):
            return values
        pixels = np.asarray(values)
        height, width = pixels.shape[:2]
        unit = min(height / self.target_ratio[0], width / self.target_ratio[1])
        rows, columns = (max(1, round(unit * part)) for part in self.target_ratio)
        top, left = (height - rows) // 2, (width - columns) // 2
        return pixels[top : top + rows, left : left + columns]

    def __getattr__(self, name: str) -> Any:
        if name == "get_target":
            tell = getattr(self.child, name)
            return lambda i: self._cut(tell(i))
        if name in (*_BY_NUMBER, *_OF_ALL):
            return getattr(self.child, name)
        raise AttributeError(name)


def _is_ratio(value: Any) -> bool:
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    return is_pair and all(is_number(side) and side > 0 for side in value)


def _whole_numbers(values: Any, name: str) -> list[int]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        refuse_argument(name, "whole numbers", values)
    return [as_whole(name, value) for value in values]
