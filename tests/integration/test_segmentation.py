"""The page of Musket's segmentation pipeline: its YAML and its programs, on drawn shapes."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
import timm
from PIL import Image
from safetensors.torch import save_file
from shapes import draw_masks

from fivefold.data.rle import rle_decode

YAML = """\
backbone: mobilenetv2 #lets select classifier backbone for our network 
architecture: DeepLabV3 #lets select segmentation architecture that we would like to use
augmentation:
 Fliplr: 0.5 #let's define some minimal augmentations on images
 Flipud: 0.5 
classes: 1 #we have just one class (mask or no mask)
activation: sigmoid #one class means that our last layer should use sigmoid activation
encoder_weights: pascal_voc #we would like to start from network pretrained on pascal_voc dataset
shape: [320, 320, 3] #This is our desired input image and mask size, everything will be resized to fit.
optimizer: Adam #Adam optimizer is a good default choice
batch: 16 #Our batch size will be 16
metrics: #We would like to track some metrics
  - binary_accuracy 
  - iou
primary_metric: val_binary_accuracy #and most interesting metric is val_binary_accuracy
callbacks: #Let's configure some minimal callbacks
  EarlyStopping:
    patience: 15
    monitor: val_binary_accuracy
    verbose: 1
  ReduceLROnPlateau:
    patience: 4
    factor: 0.5
    monitor: val_binary_accuracy
    mode: auto
    cooldown: 5
    verbose: 1
loss: binary_crossentropy #We use simple binary_crossentropy loss
stages:
  - epochs: 100 #Let's go for 100 epochs
"""  # noqa: W291, E501  word for word

STAGES = """\
stages:
  - epochs: 6 #Train for 6 epochs
    negatives: none #do not include negative examples in your training set 
    validation_negatives: real #validation should contain all negative examples    

  - lr: 0.0001 #let's use different starting learning rate
    epochs: 6
    negatives: real
    validation_negatives: real

  - loss: lovasz_loss #lets override loss function
    lr: 0.00001
    epochs: 6
    initial_weights: ./fpn-resnext2/weights/best-0.1.weights #lets load weights from this file    
"""  # noqa: W291  word for word

IMPORTS = """\
import fivefold.musket
from segmentation_pipeline.impl.datasets import SimplePNGMaskDataSet
from segmentation_pipeline import  segmentation
"""

TRAIN = """\
ds=SimplePNGMaskDataSet("train","train_mask")
cfg = segmentation.parse("config.yaml")
cfg.fit(ds)
"""

PREDICT = """\
from segmentation_pipeline.impl.rle import rle_encode
from skimage.morphology import remove_small_objects, remove_small_holes
import pandas as pd

#this is our callback that is called for every image
def onPredict(file_name, img, data):
    threshold = 0.25
    predictions = data["pred"]
    imgs = data["images"]
    post_img = remove_small_holes(remove_small_objects(img.arr > threshold))
    rle = rle_encode(post_img)
    predictions.append(rle)
    imgs.append(file_name[:file_name.index(".")])
    pass

cfg= segmentation.parse("config.yaml")

predictions, images = [], []
#Now lets use best model from fold 0 to do image segmentation on images from images_to_segment
cfg.predict_in_directory("images_to_segment", FOLDS, onPredict, {"pred": predictions, "images": images}MORE)

#Let, store results in csv
df = pd.DataFrame.from_dict({'image': images, 'rle_mask': predictions})
df.to_csv('baseline_submission.csv', index=False)
"""  # noqa: E501

EVALUATE = """\
import numpy as np
from PIL import Image
from segmentation_pipeline.impl import rle
from skimage.morphology import binary_opening, disk

class Ships(SimplePNGMaskDataSet):
    def get_masks(self, name):
        mask = np.asarray(Image.open(f"train_mask/{name}.png"))
        return rle.masks_as_images(rle.multi_rle_encode(mask[..., None] > 0))

def f2(masks, found):
    def iou(one, other):
        return ((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum()
    hits = sum(any(iou(mask, other) > 0.5 for other in found) for mask in masks)
    missed, wrong = len(masks) - hits, max(len(found) - hits, 0)
    return 5 * hits / (5 * hits + 4 * missed + wrong) if masks or found else 1.0

ds = Ships("train", "train_mask")
cfg = segmentation.parse("config.yaml")
total = np.zeros(20)

for batch in cfg.evaluateAll(ds,2):
    for i in range(len(batch.predicted_maps_aug)):
        masks = ds.get_masks(batch.data[i])
        for d in range(1,20):
            cur_seg = binary_opening(batch.predicted_maps_aug[i].arr > d/20, np.expand_dims(disk(2), -1))
            cm = rle.masks_as_images(rle.multi_rle_encode(cur_seg))
            pr = f2(masks, cm);
            total[d]=total[d]+pr

print("total", *total.round(3))
"""  # noqa: E501


SMALL = """\
backbone: test_resnet
architecture: Unet
encoder_weights: none
decoder_filters: [32, 24, 16, 12, 8]
augmentation: {Fliplr: 0.5, Flipud: 0.5}
classes: 1
activation: sigmoid
shape: [96, 96, 3]
batch: 8
folds_count: 3
metrics: [iou]
primary_metric: val_iou
loss: binary_crossentropy+dice_loss
stages: [{epochs: 12, lr: 0.01}]
"""
"""Learns large shapes in seconds."""


def run(folder, text):
    """Run a program in a folder, on all cores, and give what it says."""
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env=os.environ | {"FIVEFOLD_CACHE": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def epochs_of(folder, fold, stage):
    """Read a stage's table of metrics."""
    with (folder / "metrics" / f"metrics-{fold}.{stage}.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def smaller(text, **replaced):
    """Replace values of keys of a config, each of which stands in it once."""
    lines = text.splitlines()
    for key, value in replaced.items():
        (at,) = [i for i, line in enumerate(lines) if line.strip(" -").startswith(f"{key}:")]
        lines[at] = lines[at][: lines[at].index(key)] + f"{key}: {value}"
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Images and masks, a tenth of which show nothing."""
    return draw_masks(
        tmp_path_factory.mktemp("shapes"), 140, size=96, sides=(0.5, 0.75), empty_every=10
    )


def program(shapes, text):
    return IMPORTS + text.replace('"train', f'"{shapes}/train')


FIRST_FOLD = TRAIN.replace("cfg.fit(ds)", "cfg.fit(ds, foldsToExecute=[0])")


@pytest.fixture(scope="module")
def trained(shapes, tmp_path_factory):
    """Fold 0 of the first YAML."""
    folder = tmp_path_factory.mktemp("first")
    text = smaller(YAML, shape="[96, 96, 3]", encoder_weights="none", epochs=50)
    (folder / "config.yaml").write_text(text)
    run(folder, program(shapes, FIRST_FOLD))
    return folder


@pytest.mark.slow
def test_the_first_yaml_and_the_five_lines_find_shapes(trained):
    best = max(epochs_of(trained, 0, 0), key=lambda row: row["val_binary_accuracy"])
    assert best["val_iou"] > 0.9
    assert list((trained / "examples" / "0" / "0").iterdir())


@pytest.mark.slow
def test_weights_that_nobody_has_published_are_taken_from_a_file_beside_the_config(
    shapes, tmp_path
):
    (tmp_path / "config.yaml").write_text(smaller(YAML, shape="[32, 32, 3]", epochs=1))
    net = timm.create_model("mobilenetv2_100")
    save_file(net.state_dict(), tmp_path / "mobilenetv2_100.safetensors")
    said = run(tmp_path, program(shapes, FIRST_FOLD))
    assert "nobody has published pascal_voc weights of mobilenetv2" in said
    assert len(epochs_of(tmp_path, 0, 0)) == 1


@pytest.mark.slow
def test_the_second_yaml_leaves_negatives_out_and_goes_on_from_weights_with_lovasz(
    trained, shapes, tmp_path
):
    head = smaller(YAML[: YAML.index("stages:")], shape="[96, 96, 3]", encoder_weights="none")
    other = tmp_path / "fpn-resnext2"
    other.mkdir()
    begin = f"{trained}/weights/best-0.0.weights"
    stages = f"stages:\n  - {{epochs: 1, lr: 1e-5, initial_weights: {begin}}}\n"
    (other / "config.yaml").write_text(head + stages + "  - {epochs: 1, lr: 1e-5}\n")
    run(other, program(shapes, FIRST_FOLD))
    (tmp_path / "config.yaml").write_text(head + STAGES)
    run(tmp_path, program(shapes, FIRST_FOLD))
    epochs = [epochs_of(tmp_path, 0, stage) for stage in range(3)]
    assert [len(rows) for rows in epochs] == [6, 6, 6]
    assert [rows[0]["lr"] for rows in epochs] == [1e-3, 1e-4, 1e-5]
    before, after = epochs[1][-1], epochs[2][0]
    assert before["val_iou"] < 0.9 < after["val_iou"], "weights of the other experiment"
    assert max(row["val_iou"] for row in epochs[2]) > 0.9


@pytest.fixture(scope="module")
def ships(tmp_path_factory):
    """An experiment on pictures of 768 pixels, as those were that the page was written for."""
    folder = tmp_path_factory.mktemp("ships")
    draw_masks(folder, 36, size=768)
    draw_masks(folder, 4, size=768, seed=1, names=("images_to_segment", "truth"))
    (folder / "config.yaml").write_text(SMALL)
    run(folder, IMPORTS + TRAIN)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folds", "more"), [("0", ""), ("[0, 1, 2]", ""), ("[0, 1, 2]", ", ttflips=True")]
)
def test_the_second_program_writes_run_lengths_of_masks(ships, folds, more):
    run(ships, IMPORTS + PREDICT.replace("FOLDS", folds).replace("MORE", more))
    with (ships / "baseline_submission.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["000", "001", "002", "003"]
    for row in rows:
        found = rle_decode(row["rle_mask"]) > 0
        true = np.asarray(Image.open(ships / "truth" / f"{row['image']}.png")) > 0
        assert (found & true).sum() / (found | true).sum() > 0.75


@pytest.mark.slow
def test_the_evaluation_of_ones_own_runs_as_written(ships):
    said = run(ships, IMPORTS + EVALUATE)
    (line,) = [line for line in said.splitlines() if line.startswith("total ")]
    total = [float(word) for word in line.split()[1:]]
    assert total[0] == 0
    assert max(total) > 0.7 * 12  # images of fold 2
