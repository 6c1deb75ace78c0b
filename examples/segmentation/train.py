"""Train one model per fold on images and their masks."""

import fivefold.musket  # lets the next lines work where Musket is not installed
from segmentation_pipeline.impl.datasets import SimplePNGMaskDataSet
from segmentation_pipeline import segmentation

ds = SimplePNGMaskDataSet("train", "train_mask")
cfg = segmentation.parse("config.yaml")
cfg.fit(ds)
