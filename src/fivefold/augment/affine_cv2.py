"""`Affine` in OpenCV's words, as imgaug 0.3 has it."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.draws import (
    AxisFactor,
    AxisNumber,
    AxisWhole,
    Brightness,
    Number,
    ShearAngle,
    draw_one,
)
from fivefold.augment.geometric import affine
from fivefold.augment.warp import Warp

# OpenCV's numbers and imgaug's words for them
_CV2_ORDERS: Mapping[Any, Any] = {"nearest": 0, "linear": 1, "cubic": 3, 0: 0, 1: 1, 2: 3}
_CV2_MODES: Mapping[Any, Any] = {
    "constant": "constant",
    "replicate": "edge",
    "reflect": "symmetric",
    "wrap": "wrap",
    "reflect_101": "reflect",
    0: "constant",
    1: "edge",
    2: "symmetric",
    3: "wrap",
    4: "reflect",
}


def _cv2_option(words: Mapping[Any, Any], noun: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        names = value if isinstance(value, list | tuple) else [value]
        if not names or any(type(n) not in (int, str) or n not in words for n in names):
            msg = f"{noun}, or a list of these to choose from"
            raise ValueError(msg)
        found = [words[name] for name in names]
        return found if isinstance(value, list | tuple) else found[0]

    return BeforeValidator(check)


_Cv2Order = Annotated[
    int | list[int],
    _cv2_option(_CV2_ORDERS, "nearest (0), linear (1), cubic (2)"),
]
_Cv2Mode = Annotated[
    str | list[str],
    _cv2_option(_CV2_MODES, "constant (0), replicate (1), reflect (2), wrap (3), reflect_101 (4)"),
]


@augmenters.add(name="AffineCv2")
def affine_cv2(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: AxisFactor = 1.0,
    translate_percent: AxisNumber = 0.0,
    translate_px: AxisWhole = 0,
    rotate: Number = 0.0,
    shear: ShearAngle = 0.0,
    order: _Cv2Order = 1,
    cval: Brightness = 0.0,
    mode: _Cv2Mode = "constant",
) -> Warp:
    """The same as `Affine`, with OpenCV's words for `order` and `mode`.

    Raises:
        ValueError: If both kinds of translation are set.
    """
    return affine(
        rng,
        height,
        width,
        scale=scale,
        translate_percent=translate_percent,
        translate_px=translate_px,
        rotate=rotate,
        shear=shear,
        order=draw_one(rng, order),
        cval=cval,
        mode=draw_one(rng, mode),
    )
