"""Predictions that are written one by one and read again, under Musket's names."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.durable import write_bytes
from fivefold.core.errors import DataError, StateError
from fivefold.core.types import AnyArray
from fivefold.data.datasets.blending import PredictedDataSet
from fivefold.data.datasets.composed import LazyItem
from fivefold.data.python_class import PredictionItem

_ONE_BYTE, _TWO_BYTES = 255, 65_535


class WriteableDataSet(PredictedDataSet):
    """What the writeable data sets share: items come from a data set, predictions from here.

    Args:
        orig: What is predicted.
        name: What it is called.
        dsPath: Where predictions are written.
    """

    def __init__(self, orig: Any, name: str, dsPath: Path | str) -> None:
        self.orig, self.name, self.dsPath = orig, name, Path(dsPath)

    def __len__(self) -> int:
        return len(self.orig)

    def __getitem__(self, i: int) -> PredictionItem:
        get_id, get_target = (getattr(self.orig, n, None) for n in ("get_id", "get_target"))
        prediction = self.prediction(i)
        if get_id is None or get_target is None:
            return LazyItem.beside(self.orig[i], prediction)
        return LazyItem(get_id(i), lambda: self.orig[i].x, get_target(i), prediction)

    def root(self) -> Any:
        """What was predicted."""
        return self.orig

    def append(self, item: Any) -> None:
        """Take the next item's prediction: the item itself, or a vector, or a list of vectors."""
        raise NotImplementedError

    def commit(self) -> None:
        """Say that all are there."""
        raise NotImplementedError

    def prediction(self, i: int) -> Any:
        """Give what was written of an item."""
        raise NotImplementedError


class BufferedWriteableDS(WriteableDataSet):
    """Predictions in one file, which `commit` writes and which is read when it is there.

    Args:
        orig: What is predicted.
        name: What it is called.
        dsPath: The file.
        predictions: All of them, where they are known already.
    """

    def __init__(
        self,
        orig: Any,
        name: str,
        dsPath: Path | str,
        predictions: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(orig, name, dsPath)
        self._rows: list[Any] = [] if predictions is None else list(predictions)
        if predictions is None and self.dsPath.exists():
            self._rows = read_arrays(self.dsPath, len(orig))

    def append(self, item: Any) -> None:
        """Take the next item's prediction."""
        self._rows.append(_prediction_of(item))

    def commit(self) -> None:
        """Write the file.

        Raises:
            DataError: If there are more or fewer predictions than items.
        """
        if len(self._rows) != len(self.orig):
            msg = f"{self.name}: expected {len(self.orig)} predictions, got {len(self._rows)}"
            raise DataError(msg, hint="append one for each item", slug="data/other-predictions")
        write_arrays(self.dsPath, self._rows)

    def prediction(self, i: int) -> Any:
        """Give what was written of an item."""
        return self._rows[i]


class DirectWriteableDS(WriteableDataSet):
    """Predictions in a folder, one file an item, written at once: memory stays flat."""

    def __init__(self, orig: Any, name: str, dsPath: Path | str) -> None:
        super().__init__(orig, name, dsPath)
        self._next = 0

    def append(self, item: Any) -> None:
        """Write the next item's prediction."""
        write_arrays(self._path(self._next), [_prediction_of(item)])
        self._next += 1

    def commit(self) -> None:
        """Do nothing: all is written."""

    def prediction(self, i: int) -> Any:
        """Read what was written of an item."""
        return read_arrays(self._path(i), 1)[0]

    def _path(self, i: int) -> Path:
        return self.dsPath / f"{i}.npz"


class CompressibleWriteableDS(DirectWriteableDS):
    """Predictions in a folder, one file an item, each value as a whole number: for masks.

    Args:
        orig: What is predicted.
        name: What it is called.
        dsPath: The folder.
        count: How many are written already.
        asUints: Whether values become whole numbers; else they are written as they are.
        scale: What 1 becomes: up to 255 in one byte, up to 65,535 in two.

    Raises:
        DataError: If the scale does not fit into two bytes.
    """

    def __init__(
        self,
        orig: Any,
        name: str,
        dsPath: Path | str,
        count: int = 0,
        asUints: bool = True,
        scale: int = 255,
    ) -> None:
        super().__init__(orig, name, dsPath)
        if not 1 <= scale <= _TWO_BYTES:
            msg = f"CompressibleWriteableDS: scale: expected from 1 to {_TWO_BYTES}, got {scale}"
            raise DataError(msg, hint="255 needs one byte", slug="data/dataset-option")
        self._next, self.asUints, self.scale = count, asUints, scale

    def append(self, item: Any) -> None:
        """Write the next item's prediction, whose values are from 0 to 1."""
        values = _prediction_of(item)
        if self.asUints:
            several = isinstance(values, list | tuple)
            parts = [self._whole(part) for part in (values if several else [values])]
            values = parts if several else parts[0]
        super().append(values)

    def prediction(self, i: int) -> Any:
        """Read what was written of an item, as fractions."""
        found = super().prediction(i)
        if not self.asUints:
            return found
        if isinstance(found, list):
            return [self._fractions(part) for part in found]
        return self._fractions(found)

    def _whole(self, values: Any) -> AnyArray:
        kind = np.uint8 if self.scale <= _ONE_BYTE else np.uint16
        found: AnyArray = np.rint(np.clip(values, 0, 1) * self.scale).astype(kind)
        return found

    def _fractions(self, values: AnyArray) -> AnyArray:
        return values.astype(np.float32) / self.scale


def write_arrays(path: Path, rows: Sequence[Any]) -> None:
    """Write vectors, or lists of vectors of the same lengths, durably and without pickle."""
    several = bool(rows) and isinstance(rows[0], list | tuple)
    outputs = list(zip(*rows, strict=True)) if several else [tuple(rows)]
    arrays: dict[str, AnyArray] = {f"{k}": np.stack(part) for k, part in enumerate(outputs) if part}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, several=np.array(several), **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, buffer.getbuffer())


def read_arrays(path: Path, count: int) -> list[Any]:
    """Read what `write_arrays` wrote.

    Raises:
        StateError: If it is missing or damaged, or has another number of rows.
    """
    hint = "delete it and predict again"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            several = bool(file["several"])
            outputs = [file[name] for name in sorted(set(file.files) - {"several"}, key=int)]
    except Exception as error:  # damage makes zipfile and NumPy raise nearly anything
        msg = f"{path}: expected saved predictions, got {error}"
        raise StateError(msg, hint=hint, slug="state/damaged") from error
    rows: list[Any] = [list(parts) for parts in zip(*outputs, strict=True)]
    if len(rows) != count:
        msg = f"{path}: expected predictions of {count} items, got {len(rows)}"
        raise StateError(msg, hint=hint, slug="state/damaged")
    return rows if several else [parts[0] for parts in rows]


def _prediction_of(item: Any) -> Any:
    return item.prediction if hasattr(item, "prediction") else item
