import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from fivefold.config import HARMLESS, parse
from fivefold.config.load import load
from fivefold.core.errors import ConfigError, UnsafeInputError


def stages(text):
    return parse(text).resolve()


def test_stage_overrides_the_experiment():
    first, second = stages("""
lr: 0.1
batch: 8
loss: a
optimizer: {SGD: {momentum: 0.9}}
schedule: cosine
augmentation: {Fliplr: 0.5}
callbacks: {EarlyStopping: {patience: 2}}
stages:
- epochs: 1
- epochs: 2
  lr: 0.2
  batch: 4
  loss: [b]
  optimizer: Adam
  schedule: {OneCycle: {pct_start: 0.2}}
  augmentation:
  callbacks: [TensorBoard]
  extra_callbacks: {ReduceLROnPlateau: {factor: 0.5}}
  initial_weights: x.safetensors
""")

    assert (first.lr, first.batch, first.losses) == (0.1, 8, ("a",))
    assert (first.optimizer, first.optimizer_options) == ("SGD", {"momentum": 0.9})
    assert (first.schedule, first.schedule_options) == ("cosine", {})
    assert first.augmentation == (("Fliplr", 0.5),)
    assert first.callbacks == (("EarlyStopping", {"patience": 2}),)
    assert first.initial_weights == ""
    assert (second.index, second.lr, second.batch, second.losses) == (1, 0.2, 4, ("b",))
    assert (second.optimizer, second.optimizer_options) == ("Adam", {})
    assert (second.schedule, second.schedule_options) == ("OneCycle", {"pct_start": 0.2})
    assert second.augmentation == ()
    assert second.callbacks == (("TensorBoard", None), ("ReduceLROnPlateau", {"factor": 0.5}))
    assert second.initial_weights == "x.safetensors"


def test_resolved_stage_has_no_none():
    (stage,) = stages("stages: [epochs: 1]")

    assert None not in vars(stage).values()
    assert (stage.lr, stage.batch, stage.optimizer, stage.schedule) == (
        1e-3,
        16,
        "Adam",
        "constant",
    )
    assert (stage.clipnorm, stage.clipvalue, stage.dropout, stage.losses) == (0, 0, 0, ())


@pytest.mark.parametrize(
    ("text", "frozen"),
    [
        ("stages: [epochs: 1, epochs: 1]", [False, False]),
        ("freeze_encoder: true\nstages: [epochs: 1, epochs: 1]", [True, True]),
        ("encoder_freeze: true\nstages: [epochs: 1]", [True]),
        (
            "freeze_encoder: true\n"
            "stages: [epochs: 1, {epochs: 1, unfreeze_encoder: true}, epochs: 1]",
            [True, False, False],
        ),
        ("stages: [{epochs: 1, freeze_encoder: true}, epochs: 1]", [True, True]),
        ("stages: [{epochs: 1, unfreeze_encoder: false}, epochs: 1]", [True, True]),
    ],
)
def test_backbone_stays_frozen_until_a_stage_says_otherwise(text, frozen):
    assert [stage.frozen for stage in stages(text)] == frozen


def test_batchnorm_may_be_held_in_one_stage():
    text = "freeze_batchnorm: true\nstages: [epochs: 1, {epochs: 1, freeze_batchnorm: false}]"

    assert [stage.freeze_batchnorm for stage in stages(text)] == [True, False]


def test_augmenter_may_appear_twice_in_a_list():
    config = parse("augmentation: [Fliplr: 0.5, Affine, Fliplr: 0.1]")

    assert config.augmentation == (("Fliplr", 0.5), ("Affine", None), ("Fliplr", 0.1))


def test_values_know_their_place():
    config = parse("lr: 1\naugmentation:\n  Affine:\n    rotate: 3\n", "x/config.yaml", ["seed=3"])

    assert config.where("lr") == "x/config.yaml:1:5"
    assert config.where("augmentation", "Affine", "rotate") == "x/config.yaml:4:13"
    assert config.where("augmentation", "Affine", "shear") == "x/config.yaml:3:3"
    assert config.where("augmentation", 0, "Affine", "rotate") == "x/config.yaml:4:13"
    assert config.where("batch") == "x/config.yaml"
    assert config.where("seed") == "--set seed"
    assert config.directory == Path("x")


def test_mapping_has_the_set_keys_in_yaml_spelling_and_keeps_orders():
    config = parse(
        "copyWeights: true\nbatch_size: 3\naugmentation: {b: 1, a: 2}\nsaveLast: 1\n"
        "stages: [{epochs: 1, callbacks: {z: , y: }}]",
        overrides=["stages.0.lr=1e-3"],
    )

    mapping = json.loads(json.dumps(config.as_mapping(), sort_keys=True))

    assert mapping == {
        "copyWeights": True,
        "batch": 3,
        "augmentation": [{"b": 1}, {"a": 2}],
        "saveLast": 1,
        "stages": [{"epochs": 1, "callbacks": [{"z": None}, {"y": None}], "lr": 1e-3}],
    }


def test_config_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        parse("lr: 1").lr = 2


def test_config_travels_to_other_processes():
    sent = pickle.dumps(parse("lr: 1\nstages: [epochs: 1]", overrides=["seed=1"]))
    config = pickle.loads(sent)  # noqa: S301  our own bytes, as a process pool sends them

    assert config.where("lr") == "config.yaml:1:5"
    assert config.resolve()[0].lr == 1


def test_folder_of_an_experiment_is_enough(tmp_path):
    (tmp_path / "config.yaml").write_bytes("\ufefflr: 1e-4\narchitecture: é\n".encode())

    config = load(tmp_path, ["batch=3"])

    assert (config.lr, config.batch, config.directory) == (1e-4, 3, tmp_path)
    assert config.text == "lr: 1e-4\narchitecture: é\n"
    assert config.where("lr") == f"{tmp_path / 'config.yaml'}:1:5"


def test_missing_files_say_how_to_begin(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a config\.yaml in this folder") as error:
        load(tmp_path)
    assert error.value.slug == "config/no-file"
    assert "fivefold new" in str(error.value)
    with pytest.raises(ConfigError, match=r"nothing\.yaml: expected a config file, got nothing"):
        load(tmp_path / "nothing.yaml")


def test_file_that_is_not_text_is_told(tmp_path):
    (tmp_path / "config.yaml").write_bytes(b"lr: 1\nbatch: \xff\n")
    with pytest.raises(
        ConfigError, match=r"config\.yaml:2:1: expected UTF-8 text, got the byte 0xff"
    ):
        load(tmp_path)


def test_huge_file_is_not_read(tmp_path):
    (tmp_path / "config.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UnsafeInputError, match="expected at most 1,000,000 bytes"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "key"),
    [("validationSplit: 0.3", "validationSplit"), ("testSplitSeed: 3", "testSplitSeed")],
)
def test_key_that_another_makes_idle_is_told(text, key, caplog):
    parse(text)

    assert f"{key}: has no effect" in caplog.text


def test_key_that_works_is_not_called_idle(caplog):
    parse("validationSplit: 0.3\nfolds_count: 1\ntestSplit: 0.1\ntestSplitSeed: 3")

    assert not caplog.records


def test_harmless_keys_are_known_keys(caplog):
    values = {
        "calibration": "temperature",
        "thresholds": "f1",
        "coverage": 0.5,
        "keep_maps": "true",
    }
    for key in HARMLESS:
        parse(f"{key}: {values.get(key, 1)}")

    assert {"inference_batch", "num_workers", "verbose", *values} <= HARMLESS
    assert not {"lr", "seed", "batch", "shape"} & HARMLESS


def test_reading_a_config_loads_no_torch():
    code = "import sys, fivefold.config; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
