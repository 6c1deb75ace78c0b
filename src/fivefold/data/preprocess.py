"""From a decoded image to the pixels that a network gets: one definition for all that read."""

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import PIL
from PIL import features

from fivefold.core.errors import DataError
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
        resize: Turns an image into one of that height and width.
    """

    shape: tuple[int, int, int]
    resize: Callable[[Image], Image]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, which are enough when a file is decoded."""
        return self.shape[:2]

    @property
    def num_bytes(self) -> int:
        """How much one image takes."""
        height, width, channels = self.shape
        return height * width * channels

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
        }

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
