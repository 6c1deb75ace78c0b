"""Any Python object with `__len__` and `__getitem__` as a source."""

import contextlib
import logging
import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fivefold.core.errors import DataError
from fivefold.core.progress import Progress, Silent
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.dataset_checks import check_dataset
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.packed import packed
from fivefold.data.packed_numbers import packed_targets
from fivefold.data.pixels import pixels_of, to_uint8
from fivefold.data.python_masks import MaskFacts, MaskReading, facts_of, is_mask, reading_of
from fivefold.data.python_targets import Column, columns_of
from fivefold.data.source import Labels, Sample, Source

logger = logging.getLogger(__name__)

_MOST_SAMPLES = 100_000_000
"""A data set without an end would be read for ever."""


class PredictionItem:
    """One sample of a Python data set, under Musket's names.

    Attributes:
        id: Unique in the data set.
        x: The image: [H, W] or [H, W, C], 0-255 or 0-1.
        y: A class number, a class name, a 0/1 vector with one place a class, or a list of vectors
            for several outputs; or a mask [H, W] or [H, W, K].
        prediction: What a model said, where there is one.
    """

    def __init__(self, id: Any, x: Any, y: Any = None, prediction: Any = None) -> None:  # noqa: A002  Musket's name
        self.id = id
        self.x = x
        self.y = y
        self.prediction = prediction

    def original(self) -> "PredictionItem":
        """The item before it was changed: itself."""
        return self

    def rootItem(self) -> "PredictionItem":  # noqa: N802  Musket's name
        """The item that it was cut from: itself."""
        return self

    def item_id(self) -> Any:
        """Its id."""
        return self.id


@dataclass(frozen=True)
class _Facts:
    """What is known of one item without its pixels."""

    sample_id: str
    y: Any = None
    problem: ImageProblem | None = None


class PythonSource(Source):
    """A Python data set: items with `id`, `x` and `y`, or pairs `(x, y)`.

    The class's own `get_target(i)` and `get_id(i)` are used where it has them; else every item is
    read once to collect its label. Class names come from its attribute `class_names`, `classes` or
    `species`; whether planes of masks exclude each other, from `exclusive` if it has that. Calls
    are made one at a time, since a user's class need not be safe in threads; a slow one is read in
    several processes (see `read_in_order`). What it raises puts that sample into quarantine; only
    what would end the process is raised on.

    Args:
        dataset: The object.
        labels: What the targets mean; None finds it out.
        progress: Who watches the labels being collected.

    Raises:
        DataError: If the object is no data set, or its labels do not fit together.
    """

    one_at_a_time = True

    def __init__(
        self,
        dataset: Any,
        labels: tuple[Labels, ...] | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        check_dataset(dataset)
        self.dataset = dataset
        self._counted: dict[int, Indices] = {}
        self._take_turns()
        _renew_in_forks(self)
        facts = self._collect(_length(dataset), progress or Silent())
        ids, self.warnings = _unique([fact.sample_id for fact in facts])
        self.sample_ids = packed(ids)
        self._problems = {i: fact.problem for i, fact in enumerate(facts) if fact.problem}
        items = list(zip(ids, (fact.y for fact in facts), strict=True))
        good = [item for i, item in enumerate(items) if i not in self._problems]
        self._reading = self._settled(good, labels)
        if self._reading is None:
            columns = columns_of(good, _class_names(dataset), labels)
        else:
            facts_of_masks = [y for _, y in good]
            columns = [Column(self._reading.labels, self._reading.targets(facts_of_masks))]
        self.labels = tuple(column.labels for column in columns)
        targets = self._spread(columns, len(items))
        self._targets = None if targets is None else packed_targets(targets)
        self.fold_lists = getattr(dataset, "folds", None)
        self.held_out = getattr(dataset, "holdoutArr", None)

    def _settled(
        self, items: Sequence[tuple[str, Any]], labels: tuple[Labels, ...] | None
    ) -> MaskReading | None:
        """Settle how masks are read; None where `y` is something else or is not wanted."""
        if labels == () or not any(isinstance(y, MaskFacts) for _, y in items):
            return None
        names = labels[0].class_names if labels else _class_names(self.dataset)
        exclusive = getattr(self.dataset, "exclusive", None)
        reading = reading_of(items, names, exclusive=None if exclusive is None else bool(exclusive))
        self.masks = reading.kind
        self.notes = (reading.note,) if reading.note else ()
        return reading

    def _spread(self, columns: Sequence[Column], total: int) -> Floats | None:
        """Lay the outputs' columns side by side; broken items have no truth."""
        if not columns:
            return None
        targets = np.zeros((total, sum(c.targets.shape[1] for c in columns)), dtype=np.float32)
        good = [i for i in range(total) if i not in self._problems]
        targets[good] = np.concatenate([column.targets for column in columns], axis=1)
        return targets

    def _collect(self, total: int, progress: Progress) -> list[_Facts]:
        with progress.bar("labels", total) as advance:
            facts = []
            for i in range(total):
                facts.append(self._facts(i))
                advance(1)
        return facts

    def _facts(self, i: int) -> _Facts:
        own = self.dataset
        try:
            with as_problem(f"item {i}"):
                if hasattr(own, "get_target") and hasattr(own, "get_id"):
                    return _Facts(_text(own.get_id(i)), _kept(own.get_target(i)))
                item = self._item(i)
                return _Facts(_id_of(item, i), _kept(_y_of(item)))
        except ImageProblem as problem:
            return _Facts(f"item-{i}", problem=problem)

    def _take_turns(self) -> None:
        self._turn = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the lock behind: in another process there is nobody to take turns with."""
        return {name: value for name, value in vars(self).items() if name != "_turn"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take turns anew."""
        vars(self).update(state)
        self._take_turns()

    def _item(self, i: int) -> Any:
        with self._turn:
            return self.dataset[i]

    def name_of(self, i: int) -> str:
        """Name a sample for a message: the number that the data set is asked for, and its id."""
        return f"item {i}, {self.sample_ids[i]!r}"

    def sample(self, i: int) -> Sample:
        """Call the data set for an item, and check its pixels.

        Raises:
            ImageProblem: If the data set raises, or the pixels are none.
            DataError: If its code would end the process.
        """
        if i in self._problems:
            raise self._problems[i]
        with as_problem(self.name_of(i)):
            item = self._item(i)
            image = as_image(item.x if hasattr(item, "x") else item[0])
            size, reading = (image.shape[0], image.shape[1]), self._reading
            mask = reading.read(_y_of(item), size) if reading else None
        return Sample(self.sample_ids[i], image, self.target(i), mask)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C]."""
        return None if self._targets is None else self._targets[i]

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask [C]; reads it unless they are known."""
        return self._counted[i] if i in self._counted else super().counts(i)

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:
        """Remember how many pixels of each class a sample's mask has [C]."""
        self._counted[i] = np.asarray(counts, dtype=np.int64)

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for, by the data set's own `isPositive`.

        Raises:
            DataError: If that raises.
        """
        if not hasattr(self.dataset, "isPositive"):
            target = self.target(i)
            first = 1 if self.masks and self.masks.exclusive else 0  # behind the background
            return target is not None and bool(target[first:].any())
        try:
            with self._turn:
                return bool(self.dataset.isPositive(i))
        except Exception as error:
            msg = f"{self.name_of(i)}: isPositive: expected true or false, got {error!r}"
            raise DataError(msg, hint="correct the data set", slug="data/is-positive") from error


def _renew_in_forks(source: PythonSource) -> None:
    """Give a source another lock in each fork: who holds the old one does not exist there."""
    itself = weakref.ref(source)

    def renew() -> None:
        found = itself()
        if found:
            found._take_turns()

    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=renew)


def _length(dataset: Any) -> int:
    """Ask a data set for its number of samples.

    Raises:
        DataError: If it is none.
    """
    try:
        # len() itself refuses some numbers, without showing them
        found = type(dataset).__len__(dataset)
    except (Exception, SystemExit) as error:
        found = f"{type(error).__name__}: {error}"
    if isinstance(found, int | np.integer) and 0 <= found <= _MOST_SAMPLES:
        return int(found)
    where = f"{type(dataset).__name__}.__len__"
    msg = f"{where}: expected a number of samples from 0 to {_MOST_SAMPLES:,}, got {found}"
    raise DataError(msg, hint="return how many items there are", slug="data/dataset-length")


def as_image(x: Any) -> Image:
    """Check and convert what a Python data set gives as an image.

    Args:
        x: [H, W] or [H, W, C] of numbers (see `to_uint8` for their ranges), or a Pillow image.

    Returns:
        Pixels [H, W, C], 0-255; C is 1 for [H, W].

    Raises:
        ImageProblem: If it is not an image.
    """
    if isinstance(x, Pillow.Image):
        return pixels_of(x)
    try:
        values: AnyArray = np.asarray(x)
    except Exception as error:
        raise ImageProblem(Reason.DECODE_ERROR, f"{type(error).__name__}: {error}") from error
    if values.dtype == object or values.ndim not in (2, 3) or 0 in values.shape:
        found = f"{type(x).__name__} of shape {values.shape} and type {values.dtype}"
        raise ImageProblem(Reason.DECODE_ERROR, f"expected an image [H, W, C], got {found}")
    pixels = to_uint8(values)
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


@contextlib.contextmanager
def as_problem(name: str) -> Iterator[None]:
    """Make a sample's problem of what the data set's code raises; an interrupt stays one.

    Args:
        name: Of the sample, for a message.

    Raises:
        DataError: If the code would end the process: it was not about this sample.
    """
    try:
        yield
    except ImageProblem:
        raise
    except SystemExit as error:
        msg = f"{name}: expected the data set to return it, got SystemExit: {error}"
        hint = "the data set's own code ends the program; any other error sets one sample aside"
        raise DataError(msg, hint=hint, slug="data/python-exit") from error
    except Exception as error:
        raise ImageProblem(Reason.DATASET_ERROR, f"{type(error).__name__}: {error}") from error


def _kept(y: Any) -> Any:
    """Keep of a mask what is in it: all of them together may not fit the memory."""
    return facts_of(y) if is_mask(y) else y


def _y_of(item: Any) -> Any:
    return item.y if hasattr(item, "y") else item[1]


def _id_of(item: Any, i: int) -> str:
    return _text(item.id) if hasattr(item, "id") else str(i)


def _text(sample_id: Any) -> str:
    """Refuse what no file can hold: halves of characters that are not bytes of a name."""
    text = str(sample_id)
    text.encode("utf-8", "surrogateescape")
    return text


def _unique(ids: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell equal ids apart by their positions, and say so."""
    counts = Counter(ids)
    repeated = [sample_id for sample_id, count in counts.items() if count > 1]
    if not repeated:
        return tuple(ids), ()
    told = tuple(
        f"{sample_id}#{i}" if counts[sample_id] > 1 else sample_id
        for i, sample_id in enumerate(ids)
    )
    names = ", ".join(map(repr, repeated[:3]))
    text = (
        f"{len(repeated)} ids of the data set stand for several samples ({names}); "
        "their positions were added to tell them apart"
    )
    return told, (text,)


def _class_names(dataset: Any) -> tuple[str, ...]:
    for attribute in ("class_names", "classes", "species"):
        names = getattr(dataset, attribute, None)
        if isinstance(names, (list, tuple)) and names and all(isinstance(n, str) for n in names):
            return tuple(names)
    return ()
