"""Find ships in images_to_segment/ by all folds together, and write submission.csv."""

import pandas as pd
from skimage.morphology import remove_small_holes, remove_small_objects

import fivefold.musket  # lets the next lines work where Musket is not installed
from segmentation_pipeline import segmentation
from segmentation_pipeline.impl.rle import rle_encode


# this is our callback that is called for every image
def onPredict(file_name, img, data):
    threshold = 0.25
    predictions = data["pred"]
    imgs = data["images"]
    post_img = remove_small_holes(remove_small_objects(img.arr > threshold))
    rle = rle_encode(post_img)
    predictions.append(rle)
    imgs.append(file_name[: file_name.index(".")])


cfg = segmentation.parse("config.yaml")
predictions, images = [], []
# a list of folds is an ensemble; ttflips averages over flipped images as well
cfg.predict_in_directory(
    "images_to_segment", [0, 1, 2], onPredict, {"pred": predictions, "images": images}, ttflips=True
)

# Let, store results in csv
df = pd.DataFrame.from_dict({"image": images, "rle_mask": predictions})
df.to_csv("baseline_submission.csv", index=False)
