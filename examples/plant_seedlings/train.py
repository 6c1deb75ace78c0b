"""Train, then label the images of test/ by all folds' models together."""

import csv

import numpy as np

import fivefold.musket  # lets the next line work where Musket is not installed
from classification_pipeline import classification
from seedlings import Classification, Unlabelled

dataset = Classification("train")
cfg = classification.parse("config.yaml", allow_imports=True)
cfg.fit(dataset)

dataset_test = Unlabelled("test")
predictions = []
images = []
preds = cfg.predict_all_to_array(dataset_test, [0, 1, 2], -1, ttflips=True)
for i, item in enumerate(dataset_test):
    images.append(dataset_test.get_id(i))
    p = np.argmax(preds[i])
    predictions.append(dataset.get_label(p))

# Let's store results in csv
with open("submission.csv", "w", newline="") as file:
    csv.writer(file).writerows([("file", "species"), *zip(images, predictions, strict=True)])
