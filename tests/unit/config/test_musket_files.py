import re
from pathlib import Path

import pytest

from fivefold.config import parse
from fivefold.config.load import load
from fivefold.core.errors import ConfigError

ROOT = Path(__file__).parents[3]
FIXTURES = sorted((ROOT / "tests" / "fixtures" / "musket").glob("*.yaml"))
PAGES = sorted((ROOT.parent / "shared" / "seeds").glob("000*.txt"))
BLOCK = re.compile(r"```yaml\r?\n(.*?)```", re.DOTALL)


def musket(name):
    return load(ROOT / "tests" / "fixtures" / "musket" / f"{name}.yaml")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_musket_file_loads_unchanged(path):
    assert load(path).text == path.read_text("utf-8")


@pytest.mark.skipif(not PAGES, reason="the pages with the examples are not beside this repository")
def test_examples_of_the_original_pages_load_verbatim():
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text("utf-8"))]

    configs = [parse(block) for block in blocks]

    assert len(configs) == 9
    assert configs[0].architecture == "DenseNet201"
    assert configs[0].not_yet() == []
    assert dict(configs[1].augmentation)["Affine"]["translate_percent"]["x"] == [-0.2, 0.2]
    assert [stage.frozen for stage in configs[2].resolve()] == [True, False]
    assert configs[4].loss == ("binary_crossentropy", "binary_crossentropy")
    assert configs[5].resolve()[2].lr == 0.00001
    assert configs[6].loss == "binary_crossentropy+0.1*dice_loss"
    assert dict(configs[7].callbacks)["CyclicLR"]["step_size"] == 300
    assert configs[8].crops == 3


def test_first_example_keeps_every_value():
    config = musket("classification")
    stage = config.resolve()[0]

    assert (config.architecture, config.classes, config.shape) == ("DenseNet121", 12, (160, 192, 3))
    assert config.copy_weights is True
    assert stage.augmentation == (("Fliplr", 0.5), ("Flipud", 0.25))
    assert (stage.batch, stage.lr, stage.epochs, stage.optimizer) == (8, 0.004, 7, "Adam")
    assert [name for name, _ in stage.callbacks] == ["EarlyStopping", "ReduceLROnPlateau"]
    assert stage.metrics == ("binary_accuracy", "macro_f1")
    assert (stage.primary_metric, stage.primary_metric_mode) == ("val_binary_accuracy", "max")
    assert config.not_yet() == []


def test_what_a_later_version_brings_is_told_with_its_line():
    (found,) = parse("shape: [64, 64, 3]\ngpus: 2").not_yet()

    assert (found.slug, found.message) == ("config/not-yet", "gpus: not yet supported")
    assert found.where.endswith(":2:7")
    assert "remove the key" in found.hint
    assert (musket("crops").not_yet(), musket("crops").crops) == ([], 2)


def test_keys_without_a_place_here_are_refused_with_what_does_their_work():
    problems = musket("refused_keys").not_yet()
    keys = ["manualResize", "noTrain", "datasets", "fit_with", "import_tasks", "run_tasks"]
    keys += ["groupFunc", "tasks", "bgr", "rate"]
    assert [p.message for p in problems] == [f"{key}: not supported" for key in keys]
    assert {p.slug for p in problems} == {"config/refused-key"}
    assert all(p.hint for p in problems)
    assert problems[0].where.endswith("refused_keys.yaml:5:15")


def test_negatives_of_each_stage_are_honoured():
    config = musket("three_stages")

    assert config.not_yet() == []
    assert config.resolve()[0].negatives != config.resolve()[1].negatives


def test_piece_of_a_stage_loads_but_cannot_run():
    (problem,) = musket("piece_of_a_stage").not_yet()

    assert problem.slug == "config/unknown-key"
    assert problem.hint == "this key belongs in an entry of `stages`"


def test_the_dialect_of_segmentation_and_its_keys_are_spoken():
    config = musket("segmentation")

    assert config.not_yet() == []
    assert config.makes_masks
    assert (config.backbone, config.weights) == ("resnet34", "imagenet")


def test_odd_spellings_mean_what_they_meant(caplog):
    config = musket("odd")

    assert config.weights == "none"
    assert config.shape == (137, 236, 1)
    assert config.classes == (168,)
    assert config.batch == 32
    assert config.resolve()[0].losses == ("5*f1_loss+0.3*focal_loss",)
    assert [r.getMessage().partition("odd.yaml:")[2] for r in caplog.records] == [
        "10:11: saveLast: has no effect: no version of Musket read it"
    ]


def test_weights_of_a_larger_imagenet_are_not_yet_supported():
    (problem,) = parse("weights: imagenet11k").not_yet()

    assert str(problem).startswith("config.yaml:1:10: weights: imagenet11k: not yet supported")


@pytest.mark.parametrize("text", ["crops: 1", "gpus: 1", "transforms:", "manualResize: false"])
def test_value_that_changes_nothing_needs_no_word(text, caplog):
    assert parse(text).not_yet() == []
    assert not caplog.records


def test_layers_of_a_head_are_units_and_fractions_to_drop():
    config = musket("head_layers")

    assert config.head_layers == (10, 0.4, 5)
    assert parse("head_layers:").head_layers == ()
    with pytest.raises(ConfigError, match=r"head_layers: .*whole numbers of units and fractions"):
        parse("head_layers: [10, 1.5]")


def test_keys_of_the_head_without_a_layer_are_told(caplog):
    parse("head_layers: [0.5]\nhead_batchnorm: true")
    assert "head_batchnorm: has no effect: it only counts together with" in caplog.text


def test_a_header_without_a_dialect_says_nothing():
    assert parse("#%Musket\narchitecture: ResNet18").not_yet() == []
    assert parse("#%Musket Classification\narchitecture: ResNet18").not_yet() == []
    (problem,) = parse("#%Musket GradientBoosting !\narchitecture: ResNet18").not_yet()
    assert problem.message == "#%Musket GradientBoosting: not yet supported"


def test_what_of_a_network_is_taken_and_trained_has_keys_of_its_own():
    config = musket("network")

    assert (config.pooling, config.cut_levels, config.head_layers) == ("max", 1, (0.4,))
    assert (config.downscaling, config.downscaling_filters) == (1, 32)
    stages = config.resolve()
    assert [(s.frozen, s.layers_to_train) for s in stages] == [(True, -1), (False, 4), (False, -1)]
    assert not any(stage.trains_head_alone for stage in stages)


def test_layers_to_train_agree_with_what_else_a_stage_says_of_the_backbone():
    frozen = parse("freeze_encoder: true\nstages: [{epochs: 1}, {epochs: 1, layers_to_train: 2}]")
    assert [stage.frozen for stage in frozen.resolve()] == [True, False]
    with pytest.raises(ConfigError, match=r"stages.0.layers_to_train: expected 0, since the back"):
        parse("stages: [{epochs: 1, freeze_encoder: true, layers_to_train: 2}]")
    with pytest.raises(ConfigError, match=r"stages.0.layers_to_train: expected -1 or at least 1"):
        parse("stages: [{epochs: 1, unfreeze_encoder: true, layers_to_train: 0}]")
    with pytest.raises(ConfigError, match=r"layers_to_train: expected greater than or equal to -1"):
        parse("layers_to_train: -2")


def test_steps_that_halve_an_image_need_sides_that_they_can_halve():
    assert parse("shape: [96, 64, 3]\ndownscaling: 5").downscaling == 5
    message = r"shape: expected height and width that can be halved 3 times, such as \[96, 64, 3\]"
    with pytest.raises(ConfigError, match=message):
        parse("shape: [100, 64, 3]\ndownscaling: 3")
    with pytest.raises(ConfigError, match=r"such as \[96, 96, 3\]"):
        parse("shape: [96, 100, 3]\ndownscaling: 3\ncrops: 4")


def test_keys_of_a_stem_that_is_not_there_are_told(caplog):
    parse("downscaling_filters: 8")
    assert "downscaling_filters: has no effect: it only counts together with" in caplog.text
    parse("downscaling: 1\ncopyWeights: true")
    assert "copyWeights: has no effect: the steps of `downscaling` give" in caplog.text
