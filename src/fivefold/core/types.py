"""Words for shapes and samples that every layer shares.

Shape letters: N samples, H height, W width, C image channels (or classes where probabilities are
meant), D features, K folds.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""Pixels [H, W, C], 0-255; RGB where C is 3."""

Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.int64]
AnyArray: TypeAlias = NDArray[Any]

Activation: TypeAlias = Literal["softmax", "sigmoid", "linear"]


@dataclass(frozen=True)
class Head:
    """One question that a classifier answers.

    Attributes:
        name: Empty for the only head; else a prefix of metric names.
        activation: `softmax` when exactly one class is true, `sigmoid` when any number may be.
        class_names: Its classes in the order of the columns.
    """

    name: str
    activation: Activation
    class_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        """How many columns it has."""
        return len(self.class_names)


def head_slices(heads: tuple[Head, ...]) -> list[slice]:
    """Say which columns of a [N, all classes] array belong to which head."""
    stops = np.cumsum([head.num_classes for head in heads]).tolist()
    return [slice(stop - h.num_classes, stop) for stop, h in zip(stops, heads, strict=True)]
