"""Predictions: ids, probabilities and truth; the waist that all analysis starts from."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fivefold.core.damage import checked, way_out
from fivefold.core.durable import write_bytes
from fivefold.core.errors import DataError, StateError
from fivefold.core.types import AnyArray, Floats, Head, Indices, head_slices

_ROOM = 1e-5


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one model, or an ensemble, says about samples.

    Attributes:
        ids: Sample ids, unique [N].
        probs: Probabilities, the heads' columns side by side [N, C], 0-1.
        heads: What the columns mean.
        targets: Truth in the same columns [N, C], 0 or 1; None when it is not known.
        fold: The fold whose model predicted; -1 for several.
        stage: The stage whose weights predicted.
    """

    ids: tuple[str, ...]
    probs: Floats
    heads: tuple[Head, ...]
    targets: Floats | None = None
    fold: int = -1
    stage: int = -1

    def __post_init__(self) -> None:
        expected = (len(self.ids), sum(head.num_classes for head in self.heads))
        for name, array in (("probs", self.probs), ("targets", self.targets)):
            if array is not None and array.shape != expected:
                msg = f"predictions: {name}: expected shape {expected}, got {array.shape}"
                raise DataError(msg)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(name for head in self.heads for name in head.class_names)

    @property
    def truth(self) -> Floats:
        """The targets, which must be known.

        Raises:
            DataError: If they are not.
        """
        if self.targets is None:
            msg = "predictions: expected targets, got none: these samples have no labels"
            raise DataError(msg, slug="data/no-labels")
        return self.targets

    def by_head(self) -> list["Predictions"]:
        """Split into one `Predictions` for each head."""
        return [
            replace(
                self,
                probs=self.probs[:, columns],
                heads=(head,),
                targets=None if self.targets is None else self.targets[:, columns],
            )
            for head, columns in zip(self.heads, head_slices(self.heads), strict=True)
        ]

    def take(self, indices: Indices | Sequence[int]) -> "Predictions":
        """Keep some samples, in the order given."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            probs=self.probs[chosen],
            targets=None if self.targets is None else self.targets[chosen],
        )

    def sorted(self) -> "Predictions":
        """Order by sample id; gives itself where that is so."""
        # In an array of NumPy's each id would take as much room as the longest.
        order = sorted(range(len(self)), key=self.ids.__getitem__)
        return self if order == list(range(len(self))) else self.take(order)

    def save(self, path: Path) -> str:
        """Write durably as `.npz` without pickle; the same predictions give the same bytes.

        Returns:
            The SHA-256 of the file.
        """
        about = _About(self.heads, self.targets is not None, self.fold, self.stage)
        meta = json.dumps(asdict(about))
        # Ids as UTF-8 bytes, since NumPy's text drops trailing NULs and refuses lone surrogates.
        ids = "\n".join(json.dumps(sample_id) for sample_id in self.ids)
        arrays: dict[str, AnyArray] = {
            "probs": self.probs,
            "ids": np.frombuffer(ids.encode(), dtype=np.uint8),
            "meta": np.frombuffer(meta.encode(), dtype=np.uint8),
        }
        if self.targets is not None:
            arrays["targets"] = self.targets
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return write_bytes(path, buffer.getbuffer())

    @classmethod
    def load(cls, path: Path) -> "Predictions":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        with _opened(path) as (file, about):
            return _read(file, about)


@dataclass(frozen=True)
class _About:
    """What a file says about its arrays."""

    heads: Annotated[tuple[Head, ...], Field(min_length=1)]
    labelled: bool
    fold: Annotated[int, Field(ge=-1)]
    stage: Annotated[int, Field(ge=-1)]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, _About]]:
    """Open saved predictions; whatever damage does to their readers is one error."""
    hint = way_out(path)
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            _refuse_masks(path, file.files)
            yield file, checked(path, _About, json.loads(file["meta"].tobytes()), hint)
    except (_MasksError, StateError, MemoryError):
        raise
    except Exception as error:  # damage makes zipfile and NumPy raise nearly anything
        msg = f"{path}: expected saved predictions, got {error}"
        raise StateError(msg, hint=hint, slug="state/damaged") from error


class _MasksError(DataError):
    """No damage, but another kind of predictions."""


def _refuse_masks(path: Path, names: Sequence[str]) -> None:
    """Tell whoever can do with classes alone that an experiment predicts masks."""
    if "masks" in names:
        msg = f"{path}: expected predictions of classes, got those of masks"
        hint = "this is for classification; masks are measured by `fivefold evaluate`"
        raise _MasksError(msg, hint=hint, slug="data/masks-predicted")


def _read(file: Any, about: _About) -> Predictions:
    ids = tuple(json.loads(line) for line in file["ids"].tobytes().decode().splitlines())
    if not all(isinstance(sample_id, str) for sample_id in ids) or len(set(ids)) != len(ids):
        msg = "ids that are no text, or not unique"
        raise ValueError(msg)
    return Predictions(
        ids=ids,
        probs=_unit(file, "probs"),
        heads=about.heads,
        targets=_unit(file, "targets") if about.labelled else None,
        fold=about.fold,
        stage=about.stage,
    )


def _unit(file: Any, name: str) -> Floats:
    array: Floats = file[name]
    # A little room, since the mean of several views is rounded.
    if array.dtype != np.float32 or not np.all((array >= -_ROOM) & (array <= 1 + _ROOM)):
        msg = f"{name} that are not all float32 numbers in 0-1"
        raise ValueError(msg)
    return array


def join(parts: Sequence[Predictions]) -> Predictions:
    """Put predictions of different samples together, such as all validation folds.

    Raises:
        DataError: If a sample occurs twice or the heads differ.
    """
    first = parts[0]
    if any(part.heads != first.heads for part in parts):
        msg = "predictions: expected the same classes in all parts, got different ones"
        raise DataError(msg)
    ids = tuple(sample_id for part in parts for sample_id in part.ids)
    if len(set(ids)) != len(ids):
        msg = "predictions: expected each sample once, got some in several parts"
        raise DataError(msg)
    known = [part.targets for part in parts if part.targets is not None]
    return Predictions(
        ids=ids,
        probs=np.concatenate([part.probs for part in parts]),
        heads=first.heads,
        targets=np.concatenate(known) if len(known) == len(parts) else None,
        fold=first.fold if len({part.fold for part in parts}) == 1 else -1,
        stage=first.stage,
    )


def average(parts: Sequence[Predictions]) -> Predictions:
    """Average several models' probabilities for the same samples.

    Raises:
        DataError: If ids or heads differ.
    """
    first = parts[0]
    if any(part.ids != first.ids or part.heads != first.heads for part in parts):
        msg = "predictions: expected the same samples and classes from every model"
        raise DataError(msg)
    return replace(first, probs=mean_of([part.probs for part in parts]), fold=-1)


def mean_of(probs: Sequence[Floats]) -> Floats:
    """Average several models' probabilities [N, C] for the same samples, rounded once."""
    mean: Floats = np.stack(probs).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
