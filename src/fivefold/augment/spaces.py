"""Colour spaces of bytes [H, W, 3], by OpenCV."""

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fivefold.core.optional import late
from fivefold.core.types import Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Space: TypeAlias = Literal["RGB", "BGR", "GRAY", "CIE", "YCrCb", "HSV", "HLS", "Lab", "Luv"]

# OpenCV's names; of bytes, hues of HSV and HLS are 0-179.
_TO = {
    "BGR": "COLOR_RGB2BGR",
    "GRAY": "COLOR_RGB2GRAY",
    "CIE": "COLOR_RGB2XYZ",
    "YCrCb": "COLOR_RGB2YCrCb",
    "HSV": "COLOR_RGB2HSV",
    "HLS": "COLOR_RGB2HLS",
    "Lab": "COLOR_RGB2LAB",
    "Luv": "COLOR_RGB2LUV",
}
_FROM = {
    "BGR": "COLOR_BGR2RGB",
    "CIE": "COLOR_XYZ2RGB",
    "YCrCb": "COLOR_YCrCb2RGB",
    "HSV": "COLOR_HSV2RGB",
    "HLS": "COLOR_HLS2RGB",
    "Lab": "COLOR_LAB2RGB",
    "Luv": "COLOR_LUV2RGB",
}


def convert(image: Image, origin: Space, to: Space) -> Image:
    """Write colours in another space; `GRAY` has the brightness in all three channels."""
    if origin == to:
        return image
    if origin not in ("RGB", "GRAY"):
        image = np.asarray(cv2.cvtColor(image, getattr(cv2, _FROM[origin])), np.uint8)
    if to == "RGB":
        return image
    converted = np.asarray(cv2.cvtColor(image, getattr(cv2, _TO[to])), np.uint8)
    return np.repeat(converted[..., None], 3, axis=2) if to == "GRAY" else converted


def to_hue_saturation(image: Image) -> Floats:
    """Write RGB as hue (0-256, a circle), saturation and value (0-255), unrounded."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    return np.asarray(hsv, np.float32) * np.array([256 / 360, 255, 255], np.float32)


def from_hue_saturation(hsv: Floats) -> Floats:
    """Write hue, saturation and value as RGB again, 0-255, unrounded."""
    scaled = hsv * np.array([360 / 256, 1 / 255, 1 / 255], np.float32)
    rgb = cv2.cvtColor(scaled, cv2.COLOR_HSV2RGB)
    return np.asarray(rgb, np.float32) * np.float32(255)
