"""A batch of predictions, with the attributes that Musket's batches have."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fivefold.core.types import AnyArray, Floats, Head, Image, head_slices
from fivefold.data import Source


@dataclass(eq=False)
class PredictedBatch:
    """Some samples, and what the models say of them.

    Attributes:
        data: Their ids; in `evaluateAll` a list of two: the ids, and `ground_truth`.
        images_aug: What the network saw: pixels [B, H, W, C], 0-255.
        results: For each sample its probabilities [C]; of several outputs a list of vectors.
        ground_truth: In `evaluateAll` the truth in the same form; else empty.
        source: Where the samples come from.
        positions: Of the samples there.
    """

    data: list[Any]
    images_aug: Image
    results: list[Any]
    source: Source
    positions: Sequence[int]
    ground_truth: list[Any] = field(default_factory=list)

    @property
    def images(self) -> list[Image]:
        """The images as they were before they got the network's size; read again for this."""
        return [self.source.sample(i).image for i in self.positions]

    def __len__(self) -> int:
        return len(self.positions)

    def __getattr__(self, name: str) -> Any:
        if name in ("predicted_maps_aug", "segmentation_maps_aug", "segmentation_maps"):
            msg = f"{name}: a classifier predicts no maps; use `results` and `ground_truth`"
            raise AttributeError(msg)
        raise AttributeError(name)


def by_sample(values: AnyArray, heads: Sequence[Head]) -> list[Any]:
    """Split values [N, all classes] into one vector a sample, or a list of one for each output."""
    if len(heads) == 1:
        return list(values)
    parts = head_slices(tuple(heads))
    return [[row[part] for part in parts] for row in values]


def as_array(values: Floats, heads: Sequence[Head]) -> Any:
    """Give values as Musket's arrays: [N, C]; of several outputs [N, outputs] of vectors."""
    if len(heads) == 1:
        return values
    found = np.empty((len(values), len(heads)), dtype=object)
    for i, row in enumerate(by_sample(values, heads)):
        for k, part in enumerate(row):
            found[i, k] = part
    return found
