"""Configs of Musket that ask for networks of segmentation, trained on drawn shapes."""

import shutil
from pathlib import Path

import pytest
import torch
from shapes import draw_masks

from fivefold.core.durable import read_json
from fivefold.core.mask_scores import MaskScores
from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
FILE = TESTS / "fixtures/musket/segmentation_decoder.yaml"
DECIDING = TESTS / "fixtures/musket/mask_decisions.yaml"


def test_a_config_with_options_of_a_decoder_trains_it_alone_then_all(tmp_path):
    torch.set_num_threads(1)
    shutil.copy(FILE, tmp_path / "config.yaml")
    draw_masks(tmp_path, 8, size=64)
    dataset = "dataset={images: train, masks: train_mask}"
    overrides = [dataset, "folds_count=2", "batch=4", "loss=binary_crossentropy"]
    experiment = Experiment.load(tmp_path, overrides)
    experiment.fit(folds=[0])

    model = experiment.load_model(0)
    assert model.head.decoder.dropout.p == 0.1
    assert model.head.decoder.p5.out_channels == 32
    assert model.head.last[0].in_channels == 4 * 32
    scores = MaskScores.load(experiment.folder.predictions("validation", 0, 1))
    assert len(scores) == 4
    frozen, trained = (experiment.load_model(0, stage) for stage in (0, 1))
    assert frozen.encoder_digest() != trained.encoder_digest()


def test_a_config_that_decides_on_masks_trains_and_decides(tmp_path):
    torch.set_num_threads(1)
    shutil.copy(DECIDING, tmp_path / "config.yaml")
    draw_masks(tmp_path, 8, size=32)
    overrides = ["dataset={images: train, masks: train_mask}", "folds_count=2", "weights=none"]
    experiment = Experiment.load(tmp_path, overrides)
    experiment.fit()

    (decided,) = read_json(experiment.folder.decisions_path)["heads"]
    assert len(decided["thresholds"]) == 1
    assert len(decided["areas"]) == 1
