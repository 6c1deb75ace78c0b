"""What predicted masks have in common with the true ones, image by image, in pixels.

Sums over images of such counts give the same numbers however images were put into batches, so every
metric of masks is made from them (`evaluation`).
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fivefold.core.damage import checked, way_out
from fivefold.core.durable import write_bytes
from fivefold.core.errors import DataError, StateError
from fivefold.core.types import AnyArray, Head, Indices


@dataclass(frozen=True, eq=False)
class MaskScores:
    """What one model's masks of N images have in common with the truth, for each of K classes.

    A pixel is said to show a class where its probability is above one half, or, where classes are
    exclusive, where it is the highest. Pixels that do not count are left out of everything.

    Attributes:
        ids: Sample ids, unique [N].
        heads: What the classes are: exactly one head.
        hits: Pixels that are said to show a class, and do [N, K].
        said: Pixels that are said to show it [N, K].
        true: Pixels that show it [N, K].
        pixels: Pixels that count [N].
        soft_hits: Sum of the probabilities of a class over the pixels that show it [N, K].
        soft_said: Sum of its probabilities over all pixels [N, K].
        log_losses: Mean of -log of what was given to the truth, over pixels (and over classes where
            they are not exclusive) [N]; 0 where no pixel counts.
        fold: The fold whose model predicted; -1 for several.
        stage: The stage whose weights predicted.
    """

    ids: tuple[str, ...]
    heads: tuple[Head, ...]
    hits: Indices
    said: Indices
    true: Indices
    pixels: Indices
    soft_hits: AnyArray
    soft_said: AnyArray
    log_losses: AnyArray
    fold: int = -1
    stage: int = -1

    def __post_init__(self) -> None:
        if len(self.heads) != 1:
            msg = f"mask scores: expected one head, got {len(self.heads)}"
            raise DataError(msg, slug="data/mask-scores")
        expected = (len(self.ids), self.heads[0].num_classes)
        for name in (*_BY_CLASS, *_BY_IMAGE):
            shape = expected if name in _BY_CLASS else expected[:1]
            found = getattr(self, name).shape
            if found != shape:
                msg = f"mask scores: {name}: expected shape {shape}, got {found}"
                raise DataError(msg, slug="data/mask-scores")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.heads[0].class_names

    def take(self, indices: Indices | Sequence[int]) -> "MaskScores":
        """Keep some images, in the order given."""
        chosen = np.asarray(indices, dtype=np.int64)
        arrays: dict[str, Any] = {n: getattr(self, n)[chosen] for n in (*_BY_CLASS, *_BY_IMAGE)}
        return replace(self, ids=tuple(self.ids[i] for i in chosen), **arrays)

    def sorted(self) -> "MaskScores":
        """Order by sample id; gives itself where that is so."""
        order = sorted(range(len(self)), key=self.ids.__getitem__)
        return self if order == list(range(len(self))) else self.take(order)

    def save(self, path: Path) -> str:
        """Write durably as `.npz` without pickle; the same scores give the same bytes.

        Returns:
            The SHA-256 of the file.
        """
        about = json.dumps(asdict(_About(self.heads, self.ids, self.fold, self.stage)))
        arrays = {name: getattr(self, name) for name in (*_BY_CLASS, *_BY_IMAGE)}
        arrays["masks"] = np.frombuffer(about.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return write_bytes(path, buffer.getbuffer())

    @classmethod
    def load(cls, path: Path) -> "MaskScores":
        """Read what `save` wrote.

        Raises:
            StateError: If the file is missing or damaged.
        """
        hint = way_out(path)
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                text = file["masks"].tobytes().decode("utf-8", "surrogatepass")
                about = checked(path, _About, json.loads(text), hint)
                return cls(
                    ids=tuple(about.ids),
                    heads=about.heads,
                    fold=about.fold,
                    stage=about.stage,
                    **{name: _numbers(file, name) for name in (*_BY_CLASS, *_BY_IMAGE)},
                )
        except (StateError, MemoryError):
            raise
        except Exception as error:  # damage makes zipfile and NumPy raise nearly anything
            msg = f"{path}: expected saved scores of masks, got {error}"
            raise StateError(msg, hint=hint, slug="state/damaged") from error


@dataclass(frozen=True)
class _About:
    """What a file says about its arrays."""

    heads: Annotated[tuple[Head, ...], Field(min_length=1, max_length=1)]
    ids: tuple[str, ...]
    fold: Annotated[int, Field(ge=-1)]
    stage: Annotated[int, Field(ge=-1)]


_BY_IMAGE = ("pixels", "log_losses")
_BY_CLASS = tuple(
    field.name
    for field in fields(MaskScores)
    if field.name not in ("ids", "heads", "fold", "stage", *_BY_IMAGE)
)
_WHOLE = ("hits", "said", "true", "pixels")


def join_scores(parts: Sequence[MaskScores]) -> MaskScores:
    """Put scores of different images together, such as all validation folds.

    Raises:
        DataError: If an image occurs twice or the classes differ.
    """
    first = parts[0]
    ids = tuple(sample_id for part in parts for sample_id in part.ids)
    if any(part.heads != first.heads for part in parts) or len(set(ids)) != len(ids):
        msg = "mask scores: expected different images of the same classes in all parts"
        raise DataError(msg, slug="data/mask-scores")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*_BY_CLASS, *_BY_IMAGE)
    }
    fold = first.fold if len({part.fold for part in parts}) == 1 else -1
    return replace(first, ids=ids, fold=fold, **arrays)


def _numbers(file: Any, name: str) -> AnyArray:
    array: AnyArray = file[name]
    kind = np.int64 if name in _WHOLE else np.float64
    if array.dtype != kind or not np.isfinite(array).all() or (array < 0).any():
        msg = f"{name} that are not all {np.dtype(kind)} numbers of at least 0"
        raise ValueError(msg)
    return array
