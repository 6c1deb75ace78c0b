"""The catalog of augmenters, which the modules beside this one fill."""

from fivefold.augment.changes import Change
from fivefold.core.catalog import Catalog

augmenters: Catalog[Change] = Catalog("augmenter")
"""Each is `def name(rng, height, width, *, options) -> Change`."""
