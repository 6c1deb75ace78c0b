"""Augmenters of imgaug that no YAML can express, each with the reason."""

from collections.abc import Mapping

_CODE = "it is made of Python functions: write an augmenter of your own and name it in `imports`"
_SHAPE = "it only checks shapes: every image has the config's `shape` here"
_CORRUPTIONS = "it needs the package imagecorruptions: there are `ImpulseNoise`, `Fog` and others"

REFUSED: Mapping[str, str] = {
    "AssertLambda": _CODE,
    "AssertShape": _SHAPE,
    "Lambda": _CODE,
    "Voronoi": "its points come from a Python object: use `UniformVoronoi` or `RegularGridVoronoi`",
}
"""Name -> what to do instead."""

_BY_KEY = {name.casefold(): reason for name, reason in REFUSED.items()}


def refusal(name: str) -> str:
    """Say why a name of imgaug, in any case, is no augmenter here; "" if it is not refused."""
    key = name.strip().casefold()
    return _CORRUPTIONS if key.startswith("imgcorruptlike.") else _BY_KEY.get(key, "")
