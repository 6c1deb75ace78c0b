"""What an image file is and what its pixels look like, in a word and three numbers.

A look is written as "JPEG+grey+rotated 118 52 310": the format and what is unusual about the file,
then mean and spread of the brightness, 0-255, and the sharpness. Where pixels were not looked at,
the numbers are missing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fivefold.core.types import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""The formats that are read."""
PIXELS = "pixels"
"""Stands for a format where the data set gives pixels instead of a file."""
TRAITS = ("grey", "cmyk", "alpha", "16-bit", "rotated", "animated", "misnamed")
"""What may be unusual about a file; `misnamed` is one whose name ends as another format's does."""

LONGEST = 256
"""Pixels of the longer side that sharpness is judged at, whatever the camera has."""
LOOK = (
    rf"({PIXELS}|{'|'.join(FORMATS)})((?:\+(?:{'|'.join(TRAITS)}))*)"
    "(?: ([0-9]{1,3}) ([0-9]{1,3}) (-1|[0-9]{1,4}))?"
)
"""What a look is written like, a regular expression."""

_LOOK = re.compile(LOOK)
_CODES = {name: 1 + number for number, name in enumerate((PIXELS, *FORMATS))}
_BITS = {name: 16 << k for k, name in enumerate(TRAITS)}  # the format takes four bits
_UNMEASURED = -1
_SHARPEST = 9999
_SHORTEST = 96


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is, and its pixels are.

    Attributes:
        kind: Its format, then what is unusual about it: "JPEG+grey"; empty where nobody looked.
        brightness: Mean of the grey values, 0-255; -1 where nobody looked.
        spread: Their standard deviation, 0-255; -1 likewise.
        sharpness: Variance of their Laplacian, 0-9999, where the longer side has 256 pixels at
            most; -1 where it has fewer than 96, of which nobody can tell.
    """

    kind: str = ""
    brightness: int = _UNMEASURED
    spread: int = _UNMEASURED
    sharpness: int = _UNMEASURED

    def __str__(self) -> str:
        if self.brightness < 0:
            return self.kind
        return f"{self.kind} {self.brightness} {self.spread} {self.sharpness}"

    @property
    def traits(self) -> tuple[str, ...]:
        """What is unusual about the file."""
        return tuple(self.kind.split("+")[1:])

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """The same as numbers of 16 bits, all 0 where nobody looked."""
        name, *traits = self.kind.split("+")
        if not name:
            return 0, 0, 0, 0
        code = _CODES[name] + sum(_BITS[trait] for trait in traits)
        return code, self.brightness, self.spread, self.sharpness


def look_of_numbers(code: int, brightness: int, spread: int, sharpness: int) -> Look:
    """Make a look of its `numbers`."""
    if not code:
        return Look()
    traits = [trait for trait, bit in _BITS.items() if code & bit]
    kind = "+".join([(PIXELS, *FORMATS)[(code & 15) - 1], *traits])
    return Look(kind, brightness, spread, sharpness)


@lru_cache(4096)  # a million rows have few kinds
def look_of_text(text: str) -> Look:
    """Read what `str(look)` wrote.

    Raises:
        ValueError: If it is something else.
    """
    if not text:
        return Look()
    match = _LOOK.fullmatch(text)
    if match is None:
        msg = f"expected a look such as 'JPEG+grey 118 52 310', got {text!r}"
        raise ValueError(msg)
    numbers = (int(part) for part in match.groups()[2:] if part is not None)
    return Look(match[1] + match[2], *numbers)


def bit_of(trait: str) -> int:
    """Tell the bit of a trait in the first of a look's `numbers`."""
    return _BITS[trait]


def measured(kind: str, image: Image) -> Look:
    """Look at pixels.

    The variance of the Laplacian as a measure of sharpness is that of Pech-Pacheco et al., Diatom
    autofocusing in brightfield microscopy, 2000. A photograph that is blurred by a few pixels of
    thousands is sharp for any network, so images are made smaller first; of them the middle, which
    is half of their pixels, shows whether what they are of is sharp.

    Args:
        kind: Of their file.
        image: Pixels [H, W, C].
    """
    import cv2  # noqa: PLC0415  who lists data or reads headers needs none of it

    grey = _grey(image)
    mean, spread = (round(float(value[0, 0])) for value in cv2.meanStdDev(grey))
    longest = max(grey.shape)
    if longest < _SHORTEST:
        return Look(kind, mean, spread)
    if longest > LONGEST:
        middle = grey[tuple(slice(side * 3 // 20, side - side * 3 // 20) for side in grey.shape)]
        height, width = (max(1, round(side * LONGEST / longest)) for side in middle.shape)
        grey = np.asarray(cv2.resize(middle, (width, height), interpolation=cv2.INTER_AREA))
    edges = cv2.Laplacian(grey, cv2.CV_16S)
    # As `meanStdDev` has it, in a tenth of its time; sums of whole numbers are exact.
    squares, total = cv2.norm(edges, cv2.NORM_L2SQR), cv2.sumElems(edges)[0]
    rough = squares / edges.size - (total / edges.size) ** 2
    return Look(kind, mean, spread, min(round(rough), _SHARPEST))


def _grey(image: Image) -> Image:
    """Make grey values [H, W]: of other channels than red, green and blue, the first."""
    import cv2  # noqa: PLC0415  as above

    if image.shape[2] < 3:
        return np.ascontiguousarray(image[:, :, 0])
    colours = np.ascontiguousarray(image[:, :, :3])
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), np.uint8)
