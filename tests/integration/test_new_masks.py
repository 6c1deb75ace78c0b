"""What `fivefold new` writes for masks trains as it is, but for size and time."""

import csv

import numpy as np
import pytest
from PIL import Image
from shapes import draw_masks

from fivefold.apps.new import write_experiment
from fivefold.data.rle import rle_encode
from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

SMALL = (
    "shape=[32, 32, 3]",
    "encoder_weights=none",
    "folds_count=2",
    "stages=[{epochs: 1, freeze_encoder: true}, {epochs: 1, unfreeze_encoder: true}]",
)


def as_folders(root):
    return root


def as_table(root):
    masks = sorted((root / "train_mask").iterdir())
    rows = [(path.stem, rle_encode(np.array(Image.open(path)))) for path in masks]
    with (root / "rle.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "rle_mask"), *rows])
    return root / "rle.csv"


@pytest.mark.parametrize(("make", "classes"), [(as_folders, 1), (as_folders, 3), (as_table, 1)])
def test_a_new_config_for_masks_trains(make, classes, tmp_path):
    data = make(draw_masks(tmp_path / "data", 12, classes=classes, empty_every=4))
    made = write_experiment(tmp_path / "run", data)
    run = Experiment.load(made.experiment, overrides=SMALL)
    run.fit()
    assert (tmp_path / "run" / "summary.yaml").is_file()
    assert (tmp_path / "run" / "predictions" / "validation-1.1.npz").is_file()
