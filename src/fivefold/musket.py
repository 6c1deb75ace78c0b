"""Importing this module lets Musket's own import lines work where Musket is not installed.

Such as `from classification_pipeline import classification`,
`from segmentation_pipeline import segmentation`,
`from musket_core.datasets import PredictionItem` and
`from segmentation_pipeline.impl.rle import rle_encode`.
"""

from fivefold.core.musket_imports import install

install()
