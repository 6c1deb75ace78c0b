"""Data sets whose items carry predictions: blended, transformed, written as a table."""

import csv
import io
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.arguments import as_number, as_path, is_number, refuse_argument
from fivefold.core.durable import write_text
from fivefold.core.errors import DataError
from fivefold.core.validation import shown
from fivefold.data.dataset_checks import check_dataset, check_datasets
from fivefold.data.datasets.composed import DataSet, LazyItem
from fivefold.data.python_class import PredictionItem


class PredictedDataSet(DataSet):
    """A data set whose items have a `prediction`: a vector [C], or a list of them."""

    @abstractmethod
    def __len__(self) -> int:
        """Count the items."""

    @abstractmethod
    def __getitem__(self, i: int) -> PredictionItem:
        """Give an item."""

    def blend(self, ds: Any, w: float = 0.5) -> "WeightedBlend":
        """Blend with other predictions of the same items; these ones weigh `w`, 0-1."""
        weight = as_number("w", w)
        return WeightedBlend([self, ds], [weight, 1 - weight])

    def dump(
        self,
        csv_path: Path | str,
        treshold: float = 0.5,
        encode_y: bool = False,
    ) -> None:
        """Write the predictions as a CSV table.

        The data set that was predicted says the columns, if it can `encode` items; else they are
        the id and one number for each class.

        Args:
            csv_path: The file; replaced.
            treshold: A class is true where its probability is above this, 0-1.
            encode_y: Write what is true instead of what was predicted.
        """
        path, root = as_path("csv_path", csv_path), self.root()
        encode = getattr(root, "encode", None)
        if encode is None:
            names = getattr(root, "class_names", ())
            rows = [_numbers(item, names, encode_y=encode_y) for item in self]
        else:
            rows = [encode(item, encode_y, treshold) for item in self]
        write_rows(path, rows)


class _Together(PredictedDataSet):
    """Predictions of the same items, made into one.

    Args:
        predictions: Data sets whose items have predictions.

    Raises:
        DataError: If there is none, one is no data set, or they have different lengths.
    """

    def __init__(self, predictions: Sequence[Any]) -> None:
        self.components = check_datasets(predictions, "predictions")
        lengths = [len(part) for part in self.components]
        if not lengths or len(set(lengths)) > 1:
            msg = f"predictions: expected some of the same items, got lengths {lengths}"
            raise DataError(msg, slug="data/other-predictions")

    def __len__(self) -> int:
        return len(self.components[0])

    def __getitem__(self, i: int) -> PredictionItem:
        items = [part[i] for part in self.components]
        if len({item.id for item in items}) > 1:
            msg = f"item {i}: expected one id in all predictions, got {[item.id for item in items]}"
            hint = "blend predictions of the same data set only"
            raise DataError(msg, hint=hint, slug="data/other-predictions")
        return LazyItem.beside(items[0], self._blended([item.prediction for item in items]))

    @abstractmethod
    def _blended(self, predictions: list[Any]) -> Any:
        """Make one prediction of several."""

    def root(self) -> Any:
        """What was predicted."""
        first = self.components[0]
        return first.root() if hasattr(first, "root") else first


class WeightedBlend(_Together):
    """The weighted mean of predictions.

    Args:
        predictions: Data sets whose items have predictions.
        weights: One for each, at least 0; they are divided by their sum. All count the same if
            not given.

    Raises:
        DataError: If weights and predictions do not fit together.
    """

    def __init__(self, predictions: Sequence[Any], weights: Sequence[float] | None = None) -> None:
        super().__init__(predictions)
        count = len(self.components)
        given = [1.0] * count if weights is None else weights
        self.weights = list(given) if isinstance(given, Iterable) else []
        fits = len(self.weights) == count and all(is_number(w) and w >= 0 for w in self.weights)
        if not fits or sum(self.weights) <= 0:
            msg = f"weights: expected {count} numbers from 0, got {shown(weights)}"
            raise DataError(msg, slug="data/blend-weights")

    def _blended(self, predictions: list[Any]) -> Any:
        return _each_output(predictions, lambda p: np.average(p, axis=0, weights=self.weights))


class PredictionBlend(_Together):
    """The mean of predictions."""

    def _blended(self, predictions: list[Any]) -> Any:
        return _each_output(predictions, lambda p: np.mean(p, axis=0))


class MeanDataSet(PredictionBlend):
    """The same under another of Musket's names."""


class TransformPrediction(PredictedDataSet):
    """Predictions changed by a function.

    Args:
        ds: A data set whose items have predictions.
        f: From a prediction to another one.
    """

    def __init__(self, ds: Any, f: Callable[[Any], Any]) -> None:
        check_dataset(ds, "TransformPrediction: ds")
        if not callable(f):
            refuse_argument("TransformPrediction: f", "a function", f)
        self.ds, self.f = ds, f

    def __len__(self) -> int:
        return len(self.ds)

    def __getitem__(self, i: int) -> PredictionItem:
        item = self.ds[i]
        return LazyItem.beside(item, self.f(item.prediction))

    def root(self) -> Any:
        """What was predicted."""
        return self.ds.root() if hasattr(self.ds, "root") else self.ds


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the same columns as a CSV file, durably."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _each_output(predictions: list[Any], mean: Callable[[Any], Any]) -> Any:
    """Average vectors; of several outputs each by itself."""
    if not isinstance(predictions[0], list | tuple):
        return mean(np.stack(predictions)).astype(np.float32)
    outputs = zip(*predictions, strict=True)
    return [mean(np.stack(parts)).astype(np.float32) for parts in outputs]


def _numbers(item: PredictionItem, names: Sequence[str], *, encode_y: bool) -> dict[str, object]:
    found = item.y if encode_y else item.prediction
    values = np.concatenate(found) if isinstance(found, list | tuple) else np.ravel(found)
    columns = names if len(names) == len(values) else [str(k) for k in range(len(values))]
    cells = {name: f"{value:.6f}" for name, value in zip(columns, values.tolist(), strict=True)}
    return {"id": str(item.id), **cells}
