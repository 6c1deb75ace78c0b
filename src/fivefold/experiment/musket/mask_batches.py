"""A batch of predicted masks, with the attributes that Musket's batches have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Image
from fivefold.data import Source
from fivefold.engine.whole_maps import WholeMap
from fivefold.experiment.mask_inference import MappedImage

_Item = TypeVar("_Item")


class MapOfImage:
    """A map at the size of its image, as `map.arr` or where an array is wanted.

    Args:
        make: Gives it [H, W, K]; called once.
    """

    def __init__(self, make: Callable[[], AnyArray]) -> None:
        self._make = make

    @cached_property
    def arr(self) -> AnyArray:
        """The map [H, W, K]: probabilities, float32 0-1; of the truth 0 and 1."""
        return self._make()

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and classes."""
        return tuple(self.arr.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.array(self.arr, dtype=dtype, copy=copy)


class OneByOne(Sequence[_Item], Generic[_Item]):
    """A list whose items are made when they are asked for; only the last one stays.

    So a loop over a batch of large images holds the map of one of them.

    Args:
        count: How many there are.
        make: Gives an item by its number, from 0.
    """

    def __init__(self, count: int, make: Callable[[int], _Item]) -> None:
        self._count, self._make = count, make
        self._last: tuple[int, _Item] | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(self._count))]
        number = range(self._count)[i]
        if self._last is None or self._last[0] != number:
            self._last = number, self._make(number)
        return self._last[1]


@dataclass(eq=False)
class MaskBatch:
    """Some samples, and what the models say of their pixels.

    Attributes:
        data: Their ids.
        images_aug: What the network saw: pixels [B, H, W, C], 0-255.
        source: Where the samples come from.
        positions: Of the samples there.
        found: What the models say.
        kind: In `evaluateAll` how the truth is written; else None.
    """

    data: list[str]
    images_aug: Image
    source: Source
    positions: Sequence[int]
    found: Sequence[MappedImage] = field(repr=False)
    kind: MaskKind | None = None

    @cached_property
    def predicted_maps_aug(self) -> Sequence[MapOfImage]:
        """The probabilities of each image at its own size: `.arr` is float32 [H, W, K], 0-1."""

        def make(i: int) -> MapOfImage:
            one = self.found[i].probs
            return MapOfImage(lambda: WholeMap(one.size, one.num_classes, one.strips).arr)

        return OneByOne(len(self), make)

    @property
    def segmentation_maps_aug(self) -> Sequence[MapOfImage]:
        """The same, as batches of `predict_on_dataset` name it."""
        return self.predicted_maps_aug

    @property
    def heatmaps_aug(self) -> Sequence[MapOfImage]:
        """The same, as `evaluate` names it."""
        return self.predicted_maps_aug

    @cached_property
    def results(self) -> Sequence[AnyArray]:
        """The same as arrays [H, W, K]."""
        return OneByOne(len(self), lambda i: self.predicted_maps_aug[i].arr)

    @cached_property
    def segmentation_maps(self) -> Sequence[MapOfImage]:
        """The truth at the images' own sizes: `.arr` is 0 and 1 for each class [H, W, K].

        Pixels that do not count are 0.
        """
        kind = self.kind
        if kind is None:
            msg = "segmentation_maps: only batches of `evaluateAll` and `evaluate` know the truth"
            raise AttributeError(msg)
        return OneByOne(
            len(self), lambda i: MapOfImage(lambda: truth_at(self.source, self.positions[i], kind))
        )

    @property
    def images(self) -> Sequence[Image]:
        """The images as they were before they got the network's size; read again for this."""
        return OneByOne(len(self), lambda i: self.source.image(self.positions[i]))

    def __len__(self) -> int:
        return len(self.positions)


def truth_at(source: Source, position: int, kind: MaskKind) -> Image:
    """Read a true mask as 0 and 1 for each class, uint8 [H, W, K]; what does not count is 0.

    Raises:
        ImageProblem: If it cannot be read.
    """
    return planes_of(source.mask(position), kind)


def planes_of(mask: Image, kind: MaskKind) -> Image:
    """Turn a mask [H, W, P] into 0 and 1 for each class [H, W, K]; what does not count is 0."""
    true = mask == (np.arange(kind.num_classes, dtype=np.uint8) if kind.exclusive else 1)
    planes: Image = true.astype(np.uint8)
    return planes
