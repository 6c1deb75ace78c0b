"""Which threshold finds most ships? Evaluation of one's own, on what fold 2 was not trained on."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.morphology import binary_opening, disk

import fivefold.musket  # lets the next lines work where Musket is not installed
from segmentation_pipeline import segmentation
from segmentation_pipeline.impl import rle
from segmentation_pipeline.impl.datasets import SimplePNGMaskDataSet


class Ships(SimplePNGMaskDataSet):
    """The data set with one mask for each ship."""

    def get_masks(self, name):
        mask = np.asarray(Image.open(Path("train_mask", name).with_suffix(".png")))
        return rle.masks_as_images(rle.multi_rle_encode(mask[..., None] > 0), mask.shape)


def f2(masks, found):
    """Count a ship as found if masks agree by more than half; missing one weighs four times."""
    hits = sum(any(iou(mask, other) > 0.5 for other in found) for mask in masks)
    missed, wrong = len(masks) - hits, max(len(found) - hits, 0)
    return 5 * hits / (5 * hits + 4 * missed + wrong) if masks or found else 1.0


def iou(one, other):
    return ((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum()


ds = Ships("train", "train_mask")
cfg = segmentation.parse("config.yaml")
total, count = np.zeros(20), 0
for batch in cfg.evaluateAll(ds, 2):
    for i in range(len(batch.predicted_maps_aug)):
        masks = ds.get_masks(batch.data[i])
        count += 1
        for d in range(1, 20):
            cur_seg = binary_opening(
                batch.predicted_maps_aug[i].arr > d / 20, np.expand_dims(disk(2), -1)
            )
            cm = rle.masks_as_images(rle.multi_rle_encode(cur_seg), cur_seg.shape[:2])
            pr = f2(masks, cm)
            total[d] = total[d] + pr

best = int(total.argmax())
print(f"the best threshold is {best / 20:g}: f2 {total[best] / count:.3f}")
