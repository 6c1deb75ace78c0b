"""The catalog of augmenters, which the modules beside this one fill."""

from fivefold.augment.changes import Change
from fivefold.augment.own import guarded
from fivefold.core.catalog import Catalog

NEEDS_MASK = "needs_mask"
"""The fact of a component that only changes images with masks."""
HIDES_MASK = "hides_mask"
"""The fact of a component whose augmenters see an image without its mask."""
FOLDER = "folder"
"""The fact of a component that names its option for a folder, which it reads."""
COLOUR = "colour"
"""The fact of a component that changes red, green and blue, and needs these three channels."""
SHOWS = "shows"
"""The fact of a component that shows its augmenters another number of channels: how many."""

augmenters: Catalog[Change] = Catalog("augmenter", ("rng", "height", "width"), guarded)
"""Each is `def name(rng, height, width, *, options) -> Change`."""
