"""Heads, poolings, frozen layers and learned stems: from a config to predictions, and resumed."""

import logging

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.apps.report import write_report
from fivefold.core.errors import ConfigError
from fivefold.core.predictions import Predictions
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment.experiment import Experiment

RESNET = CONFIG.replace("architecture: tiny", "architecture: test_resnet")
LARGE = CONFIG.replace("shape: [32, 32, 3]", "shape: [64, 64, 3]")
KINDS = {
    "layers": CONFIG + "classifier_layer_sizes: [0.2, 12, 0.4, 8]\nhead_activation: gelu\n",
    "batchnorm": CONFIG + "head_layers: [12]\nhead_batchnorm: true\nema: 0.9\n",
    "concat": RESNET + "pooling: concat\n",
    "attention": RESNET + "final_layer_pooling: attention\ndropout: 0.2\n",
    "cut": RESNET + "pop_conv_layers: 2\npooling: max\n",
    "last layers": CONFIG.replace("{epochs: 2, unfreeze_encoder: true}", "{epochs: 2}").replace(
        "freeze_encoder: true", "conv_layers_to_train: 0"
    )
    + "conv_layers_to_train: 1\n",
    "stem": LARGE + "cnn_downscaling_factor: 1\ncnn_downscaling_filters: 6\n",
    "stem of cells": LARGE + "downscaling: 1\ndownscaling_filters: 4\ncrops: 2\npooling: avg\n",
}


def start(folder, config, **options):
    folder.mkdir()
    torch.set_num_threads(1)
    return Experiment.load(write_experiment(folder, per_class=6, config=config), **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_run_ends_with_the_same_bytes_and_its_models_predict_what_was_validated(
    tmp_path, kind
):
    whole = start(tmp_path / "whole", KINDS[kind])
    whole.fit()
    with pytest.raises(StopError, match="loss"):
        start(tmp_path / "broken", KINDS[kind], progress=StopAfter(3)).fit()
    broken = Experiment.load(tmp_path / "broken")
    broken.fit()
    for fold in (0, 1):
        for stage in (0, 1):
            for what in ("weights", "bundle", "metrics"):
                one, other = (getattr(run.folder, what)(fold, stage) for run in (whole, broken))
                assert one.read_bytes() == other.read_bytes()
    folder = tmp_path / "whole" / "shapes"
    for fold in (0, 1):
        validated = Predictions.load(whole.folder.predictions("validation", fold, 1))
        found = Experiment.load(tmp_path / "whole").predict(folder, folds=[fold])
        rows = [found.ids.index(name) for name in validated.ids]
        np.testing.assert_allclose(found.probs[rows], validated.probs, atol=1e-5)
    assert write_report(whole.folder).read_text().startswith("<!doctype html>")


def tensors_that_differ(run, fold=0):
    """Compare what the two stages of a fold have ended with, by name."""
    first, second = (run.load_model(fold, stage).state_dict() for stage in (0, 1))
    return {name for name in first if not torch.equal(first[name], second[name])}


def test_the_last_layers_learn_and_those_before_keep_every_byte(tmp_path):
    run = start(tmp_path / "run", KINDS["last layers"])
    assert [(stage.frozen, stage.layers_to_train) for stage in run.stages] == [
        (True, -1),
        (False, 1),
    ]
    run.fit(folds=[0])
    assert {n.rsplit(".", 1)[0] for n in tensors_that_differ(run)} == {
        "backbone.net.layers.3",
        "backbone.net.layers.4",
        "head.linear",
    }


def test_more_layers_than_there_are_are_told_before_anything_is_trained(tmp_path):
    config = CONFIG.replace("{epochs: 2, unfreeze_encoder", "{epochs: 2, layers_to_train: 3, seed")
    config = config.replace(", seed: true", "")
    run = start(tmp_path / "run", config)
    message = "layers_to_train: expected at most 2, the layers of 'tiny', got 3"
    with pytest.raises(ConfigError, match=message) as error:
        run.fit()
    assert error.value.slug == "config/layers-to-train"
    assert not run.folder.weights(0, 0).exists()


def test_a_learned_pooling_and_a_stem_learn_before_a_frozen_backbone(tmp_path, caplog):
    for kind, learned in (("attention", "head.pool.score"), ("stem", "backbone.stem.layers.0")):
        frozen = KINDS[kind].replace("unfreeze_encoder: true", "freeze_encoder: true")
        run = start(tmp_path / kind, frozen)
        with caplog.at_level(logging.WARNING):
            run.fit(folds=[0])
        assert f"{learned}.weight" in tensors_that_differ(run)
        assert not [name for name in tensors_that_differ(run) if "backbone.net" in name]
    said = [line for line in caplog.messages if "computes features in every epoch" in line]
    reasons = {
        line.split(", so")[0].removeprefix("stage 0: ") for line in said if "stage 0" in line
    }
    assert reasons == {"the pooling is learned", "a learned stem stands before the backbone"}


def test_a_frozen_backbone_is_shared_by_folds_whatever_the_head_is(tmp_path):
    run = start(tmp_path / "run", RESNET + "pooling: concat\nhead_layers: [8]\n")
    source = run.fit(folds=[0, 1]) and run.folder
    encoders = {load_bundle(source.bundle(fold, 0)).encoder_sha256 for fold in (0, 1)}
    assert all(encoders)


@pytest.mark.parametrize("kind", ["layers", "attention", "cut", "stem"])
def test_weights_of_such_a_net_are_a_start_for_another(tmp_path, kind):
    first = start(tmp_path / "first", KINDS[kind])
    first.fit(folds=[0])
    config = KINDS[kind].replace(
        "epochs: 1, freeze", "epochs: 1, initial_weights: ../first/weights/best-0.1.weights, freeze"
    )
    second = start(tmp_path / "second", config.replace("lr: 0.01", "lr: 1.0e-12"))
    second.fit(folds=[0])
    before, after = first.load_model(0, 1).state_dict(), second.load_model(0, 0).state_dict()
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-6, rtol=0)
