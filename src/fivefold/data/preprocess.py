"""From a decoded image to the pixels that a network gets: one definition for all that read."""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import PIL
from PIL import features

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind, as_nearest
from fivefold.core.types import Image
from fivefold.data.pixels import to_channels

_DEFINITION = 1
"""Raised by one whenever decoding, channels or resizing give other pixels than before."""
_LIBRARIES = ("libjpeg_turbo", "jpg", "webp", "libtiff")


@dataclass(frozen=True)
class Preprocess:
    """Brings any image to one shape, always in the same way.

    A JPEG that is at least twice as large as needed is decoded at a fraction of its size, whoever
    reads it and wherever the pixels go.

    Attributes:
        shape: Height, width and channels.
        resize: Turns an image into one of that height and width; masks take the nearest pixel.
        masks: How masks are written that are kept beside the images; None for none.
    """

    shape: tuple[int, int, int]
    resize: Callable[[Image], Image]
    masks: MaskKind | None = None

    @property
    def planes(self) -> int:
        """How many planes a mask has; 0 without masks."""
        return self.masks.planes if self.masks else 0

    @property
    def mask_shape(self) -> tuple[int, int, int]:
        """Height, width and planes of a mask."""
        return (*self.size, self.planes)

    @property
    def row_shape(self) -> tuple[int, int, int]:
        """The shape of what is kept of a sample: its image's, or all bytes of image and mask."""
        return (1, 1, self.num_bytes) if self.masks else self.shape

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, which are enough when a file is decoded."""
        return self.shape[:2]

    @property
    def num_bytes(self) -> int:
        """How much one image takes, with its mask."""
        height, width, channels = self.shape
        return height * width * (channels + self.planes)

    def __call__(self, image: Image, where: str) -> Image:
        """Make the pixels [H, W, C] of a decoded image.

        Args:
            image: Pixels [any, any, any].
            where: What a message begins with.

        Raises:
            DataError: If the channels do not fit.
        """
        if image.shape[2] != self.shape[2]:
            image = to_channels(image, self.shape[2], where)
        resized = self.resize(image)
        if resized.shape != self.shape:
            msg = f"{where}: expected pixels {self.shape}, got {resized.shape}"
            raise DataError(msg, slug="data/shape")
        return resized

    def row(self, image: Image, mask: Image | None, where: str) -> Image:
        """Make what is kept of a decoded sample [row_shape].

        Args:
            image: Pixels [any, any, any].
            mask: Its mask [any, any, P], where there are masks.
            where: What a message begins with.

        Raises:
            DataError: If channels or planes do not fit.
        """
        pixels = self(image, where)
        if self.masks is None:
            return pixels
        small = None if mask is None else as_nearest(mask, *self.size)
        if small is None or small.shape != self.mask_shape:
            found = "no mask" if small is None else f"{small.shape}"
            msg = f"{where}: expected a mask {self.mask_shape}, got {found}"
            raise DataError(msg, slug="data/shape")
        return np.concatenate([pixels.ravel(), small.ravel()]).reshape(self.row_shape)

    def image_in(self, row: Image) -> Image:
        """Give the image [H, W, C] of what is kept of a sample; nothing is copied."""
        if self.masks is None:
            return row
        return row.reshape(-1)[: math.prod(self.shape)].reshape(self.shape)

    def mask_in(self, row: Image) -> Image:
        """Give the mask [H, W, P] of what is kept of a sample; nothing is copied."""
        return row.reshape(-1)[math.prod(self.shape) :].reshape(self.mask_shape)

    @cached_property
    def record(self) -> Mapping[str, str | int]:
        """All that decides the pixels beside the image, as JSON values."""
        import cv2  # noqa: PLC0415  who lists or audits data without pixels needs none of it

        height, width, channels = self.shape
        return {
            "definition": _DEFINITION,
            "height": height,
            "width": width,
            "channels": channels,
            "decode": "jpeg at a fraction where at least twice as large",
            "machine": platform.machine(),
            "pillow": PIL.__version__,
            "opencv": cv2.__version__,
            **decoders(),
            **self._of_masks(),
        }

    def _of_masks(self) -> dict[str, int]:
        # Without masks nothing is said, as before there were any: what is kept stays good.
        masks = self.masks
        return {"classes": masks.num_classes, "planes": masks.planes} if masks else {}

    @cached_property
    def key(self) -> str:
        """A name for this way of making pixels, 32 hexadecimal digits."""
        text = json.dumps(self.record, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def decoders() -> dict[str, str]:
    """Collect what else decides pixels beside the versions of Pillow and OpenCV.

    The versions of the libraries that Pillow decodes with, "" where it has none: a system's own
    Pillow of the same version may have others. And the processor's instructions that OpenCV
    chooses its kernels by, which may round differently: machines may share one cache.
    """
    import cv2  # noqa: PLC0415  who lists or audits data without pixels needs none of it

    versions = {name: str(features.version(name) or "") for name in _LIBRARIES}
    return {**versions, "instructions": cv2.getCPUFeaturesLine()}
