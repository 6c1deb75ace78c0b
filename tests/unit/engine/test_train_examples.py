import io

import numpy as np
import pytest
from mask_runs import CONFIG as MASKS
from mask_runs import write_masks
from PIL import Image
from runs import CONFIG, write_experiment

from fivefold.core.types import Head
from fivefold.engine.examples import draw_samples
from fivefold.engine.mask_examples import ShownMask, draw_masks
from fivefold.engine.train_examples import draw_train_examples, first_batch
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.work import fold_data

AUGMENTED = CONFIG + "augmentation: {Fliplr: 0.5, Multiply: [0.5, 1.5]}\n"


def data_of(folder, config, stage):
    run = Experiment.load(write_experiment(folder, config=config))
    prepared = prepare(run.source(), run.config, run.folder, run.progress)
    chosen = run.stages[stage]
    return fold_data(run._work(prepared, [0]), 0, chosen), chosen


@pytest.mark.parametrize("keys", ["", "crops: 2\n", "augmentation: [{Fliplr: 1}, {MixUp: 1.0}]\n"])
def test_it_is_the_first_batch_that_training_has(tmp_path, keys):
    config = CONFIG + keys if keys.startswith("aug") else AUGMENTED + keys
    data, stage = data_of(tmp_path, config, 1)
    for epoch in (0, 3):
        expected = next(iter(data.train_batches(stage, seed=5, fold=0)(epoch)))
        found = first_batch(data, stage, epoch, seed=5, fold=0)
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_array_equal(found.targets, expected.targets)


def test_a_frozen_backbone_sees_views_in_turn(tmp_path):
    data, stage = data_of(tmp_path, AUGMENTED.replace("epochs: 1,", "epochs: 8,"), 0)
    pictures = [draw_train_examples(data, stage, epoch, seed=5, fold=0) for epoch in (0, 1, 4)]
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


def test_labels_are_told_also_of_mixed_samples(tmp_path):
    data, stage = data_of(tmp_path, CONFIG + "augmentation: [{MixUp: 1.0}]\n", 1)
    picture = draw_train_examples(data, stage, 0, seed=5, fold=0)
    plain, other = data_of(tmp_path / "other", CONFIG, 1)
    assert picture != draw_train_examples(plain, other, 0, seed=5, fold=0)
    assert Image.open(io.BytesIO(picture)).width > 800


def test_a_sheet_has_a_cell_for_each_sample():
    images = [np.full((4, 4, 3), value, np.uint8) for value in (0, 255)]
    one, two = (
        Image.open(io.BytesIO(draw_samples(images[:n], ["cat"] * n, ["id"] * n))) for n in (1, 2)
    )
    assert one.height == two.height
    assert one.width < two.width


def test_masks_are_drawn_beside_the_images_that_are_trained_on(tmp_path):
    config = MASKS + "augmentation: {Fliplr: 0.5, Multiply: [0.5, 1.5]}\n"
    run = Experiment.load(write_masks(tmp_path, config=config))
    prepared = prepare(run.source(), run.config, run.folder, run.progress)
    stage = run.stages[1]
    data = fold_data(run._work(prepared, [0]), 0, stage)
    batch = first_batch(data, stage, 1, seed=5, fold=0)
    expected = next(iter(data.train_batches(stage, seed=5, fold=0)(1)))
    np.testing.assert_array_equal(batch.masks, expected.masks)
    ids = [data.table.ids[row] for row in batch.indices]
    shown = [
        ShownMask(name, image, (mask,))
        for name, image, mask in zip(ids, batch.images, batch.masks, strict=True)
    ]
    head = Head("", "sigmoid", ("foreground",))
    picture = draw_masks(shown, head, columns=3, titles=("as trained on", "its mask"))
    assert draw_train_examples(data, stage, 1, seed=5, fold=0) == picture
