"""`BackgroundReplacer` in training: what is marked before other pictures, and in training alone."""

import numpy as np
import pytest
import torch
from PIL import Image
from shapes import draw_masks

from fivefold.build.pixels import build_images, build_kept
from fivefold.config import load
from fivefold.core.mask_scores import MaskScores
from fivefold.core.progress import Silent
from fivefold.data import audit, table_of
from fivefold.engine.fold_data import FoldData
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.sources import open_source

CONFIG = """\
dataset: {images: train, masks: train_mask}
architecture: Unet
backbone: test_resnet
weights: none
decoder_filters: [8, 8, 8, 8, 8]
classes: 1
activation: sigmoid
shape: [32, 32, 3]
batch: 4
folds_count: 2
metrics: [iou]
augmentation:
  BackgroundReplacer:
    path: beaches
    rate: 0.25
    erosion: EROSION
    augmenters: AUGMENTERS
"""
STAGES = "stages: [{epochs: 1, lr: 1e-3}]\n"
RED = (250, 0, 0)


def write(folder, *, erosion="0", augmenters="{}", more=STAGES):
    draw_masks(folder, 12, size=32, empty_every=4)
    (folder / "beaches").mkdir()
    Image.new("RGB", (9, 7), RED).save(folder / "beaches" / "red.png")
    text = CONFIG.replace("EROSION", erosion).replace("AUGMENTERS", augmenters)
    (folder / "config.yaml").write_text(text + more)
    return folder


def fold_of(folder):
    """Six samples to train on and six to validate."""
    config = load(folder / "config.yaml")
    source = open_source(config, allow_imports=False, progress=Silent())
    kept = build_kept(config, source)
    table = table_of(source, audit(source, folds=2, progress=Silent(), kept=kept))
    images = build_images(config.shape, source, table, kept)
    return config.resolve()[0], FoldData(table, images, range(6), range(6, 12), threads=0)


def test_some_images_of_each_epoch_get_another_background_and_masks_stay(tmp_path):
    stage, data = fold_of(write(tmp_path))
    batches, replaced = data.train_batches(stage, seed=0, fold=0), 0
    for epoch in range(20):
        for batch in batches(epoch):
            for place, row in enumerate(batch.indices):
                image, mask = data.images.both(int(row))
                np.testing.assert_array_equal(batch.masks[place], mask)
                seen, shown = batch.images[place], mask[..., 0] > 0
                np.testing.assert_array_equal(seen[shown], image[shown])
                is_red = (seen[~shown] == RED).all()
                replaced += is_red
                assert is_red or (seen == image).all()
    assert replaced / 120 == pytest.approx(0.75, abs=0.12)


def test_what_is_validated_keeps_its_background(tmp_path):
    stage, data = fold_of(write(tmp_path))
    for batch in data.val_batches(stage):
        for place, row in enumerate(batch.indices):
            image, mask = data.images.both(int(row))
            np.testing.assert_array_equal(batch.images[place], image)
            np.testing.assert_array_equal(batch.masks[place], mask)


def test_a_range_of_erosion_is_drawn_for_each_image_and_leaves_the_mask(tmp_path):
    stage, data = fold_of(write(tmp_path, erosion="[1, 7]"))
    areas = {int(row): set() for row in range(6)}
    for epoch in range(20):
        for batch in data.train_batches(stage, seed=0, fold=0)(epoch):
            for place, row in enumerate(batch.indices):
                seen, mask = batch.images[place], data.images.mask(int(row))
                np.testing.assert_array_equal(batch.masks[place], mask)
                areas[int(row)].add(int((seen == RED).all(axis=2).sum()))
    assert max(len(found) for found in areas.values()) >= 4


def test_its_augmenters_move_what_is_shown_and_the_mask_together(tmp_path):
    stage, data = fold_of(write(tmp_path, augmenters="{Fliplr: 1}"))
    for batch in data.train_batches(stage, seed=0, fold=0)(0):
        for place, row in enumerate(batch.indices):
            image, mask = data.images.both(int(row))
            if (batch.images[place] == image).all():
                continue  # it keeps its background, and is not changed at all
            np.testing.assert_array_equal(batch.masks[place], mask[:, ::-1])
            shown = mask[:, ::-1, 0] > 0
            np.testing.assert_array_equal(batch.images[place][shown], image[:, ::-1][shown])


@pytest.mark.slow
def test_it_goes_with_negatives_and_with_further_samples_that_only_training_sees(tmp_path):
    torch.set_num_threads(1)
    more = "extra_train_data: {images: more, masks: more_mask}\nstages:\n"
    more += "  - {epochs: 1, lr: 1e-3, negatives: none, validation_negatives: real}\n"
    more += "  - {epochs: 1, lr: 1e-3, negatives: real}\n"
    write(tmp_path, more=more)
    draw_masks(tmp_path, 4, size=32, seed=5, names=("more", "more_mask"))
    run = Experiment.load(tmp_path)
    run.fit()
    for stage in range(2):
        ids = [
            sample_id
            for fold in range(2)
            for sample_id in MaskScores.load(run.folder.predictions("validation", fold, stage)).ids
        ]
        assert sorted(ids) == [f"{k:03d}.jpg" for k in range(12)]
