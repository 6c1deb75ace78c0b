"""Views of a source: chosen, changed, joined or repeated samples that nobody copies.

Each takes sources and gives one, so that views can be views of views; `Experiment.fit` and
`classification.fit` take the last one.
"""

from fivefold.data.views.classes import (
    enforce_one_vs_all,
    multihot,
    remap_classes,
    skip_background,
)
from fivefold.data.views.joined import concatenate, repeat
from fivefold.data.views.parts import LazySample, filter_samples, take
from fivefold.data.views.pixels import cache_in_memory, map_images

__all__ = [
    "LazySample",
    "cache_in_memory",
    "concatenate",
    "enforce_one_vs_all",
    "filter_samples",
    "map_images",
    "multihot",
    "remap_classes",
    "repeat",
    "skip_background",
    "take",
]
