from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from fivefold.config import ExperimentConfig, ResolvedStage, StageConfig, parse
from fivefold.core.types import Head
from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels
from fivefold.experiment import stage_key as module
from fivefold.experiment.stage_key import (
    IRRELEVANT,
    StageFacts,
    code_digest,
    data_digest,
    stage_key,
)
from fivefold.models import Downscaling, Hidden, ModelSpec

HEADS = (Head("", "softmax", ("cat", "dog")),)
FACTS = StageFacts(
    stage=parse("stages: [{epochs: 1}]").resolve()[0],
    spec=ModelSpec("tiny", HEADS),
    fold=0,
    seed=0,
    data="d",
    incoming="i",
    directory=Path("nowhere"),
    surroundings={"threads": 1},
)

OTHER_STAGE = {
    "index": 1,
    "epochs": 2,
    "lr": 0.5,
    "losses": ("dice",),
    "optimizer": "SGD",
    "optimizer_options": {"momentum": 0.9},
    "schedule": "cosine",
    "schedule_options": {"warmup": 1},
    "batch": 8,
    "augmentation": (("Fliplr", 0.5),),
    "transforms": (("Grayscale", 1.0),),
    "callbacks": (("EarlyStopping", {"patience": 3}),),
    "metrics": ("accuracy",),
    "primary_metric": "val_accuracy",
    "primary_metric_mode": "max",
    "frozen": True,
    "freeze_batchnorm": True,
    "frozen_views": 0,
    "detail": 3.0,
    "example_epochs": 7,
    "sampling": "upsampling",
    "prior_correction": True,
    "makes_masks": True,
    "initial_weights": "other.safetensors",
    "directory": "elsewhere",
    "accumulate": 2,
    "ema": 0.9,
    "layer_decay": 0.5,
    "no_bias_weight_decay": False,
    "clipnorm": 1.0,
    "clipvalue": 1.0,
    "dropout": 0.5,
    "class_weights": {"cat": 2.0},
    "positive_weights_multiply": 0.15,
    "pos_weight": (1.0, 2.0),
    "l1": 0.1,
    "l2": 0.1,
    "negatives": 0,
    "validation_negatives": 3,
    "subsample": 0.5,
    "max_epoch_size": 7,
    "crops": 2,
    "layers_to_train": 3,
    "pooling": "concat",
    "downscaling": 1,
}
OTHER_SPEC = {
    "architecture": "resnet18",
    "heads": (Head("", "sigmoid", ("cat", "dog")),),
    "shape": (32, 32, 3),
    "pooling": "max",
    "dropout": 0.5,
    "copy_weights": True,
    "crops": 2,
    "transforms": (("Grayscale", 1.0),),
    "hidden": Hidden((8.0,)),
    "cut_levels": 1,
    "downscaling": Downscaling(1),
    "backbone": "resnet18",
    "decoder": (("encoder_depth", 3),),
}
OTHER_FACTS = {
    "fold": 1,
    "seed": 1,
    "data": "e",
    "incoming": "j",
    "surroundings": {"threads": 2},
}
# Every key of a config, and how what it decides comes into the key of a stage.
STAGE, SPEC, DATA = "a field of ResolvedStage", "a field of ModelSpec", "data_digest"
AFTERWARDS = "decides nothing before a stage is finished"
ROADS = {
    "architecture": SPEC,
    "backbone": SPEC,
    "decoder": SPEC,
    "pooling": SPEC,
    "classes": SPEC,
    "activation": SPEC,
    "weights": "incoming",
    "shape": SPEC,
    "copy_weights": SPEC,
    "cut_levels": SPEC,
    "downscaling": SPEC,
    "downscaling_filters": SPEC,
    "head_layers": SPEC,
    "head_activation": SPEC,
    "head_batchnorm": SPEC,
    "dropout": STAGE,
    "optimizer": STAGE,
    "lr": STAGE,
    "schedule": STAGE,
    "batch": STAGE,
    "accumulate": STAGE,
    "ema": STAGE,
    "layer_decay": STAGE,
    "no_bias_weight_decay": STAGE,
    "early_stopping": STAGE,
    "log_all": STAGE,
    "clipnorm": STAGE,
    "clipvalue": STAGE,
    "loss": STAGE,
    "balance": STAGE,
    "prior_correction": STAGE,
    "class_weights": STAGE,
    "positive_weights_multiply": STAGE,
    "pos_weight": STAGE,
    "l1": STAGE,
    "l2": STAGE,
    "final_metrics": AFTERWARDS,
    "experiment_result": AFTERWARDS,
    "metrics": STAGE,
    "primary_metric": STAGE,
    "primary_metric_mode": STAGE,
    "callbacks": STAGE,
    "extra_callbacks": STAGE,
    "augmentation": STAGE,
    "transforms": STAGE,
    "detail": STAGE,
    "freeze_encoder": STAGE,
    "unfreeze_encoder": STAGE,
    "layers_to_train": STAGE,
    "freeze_batchnorm": STAGE,
    "frozen_views": STAGE,
    "epochs": STAGE,
    "initial_weights": "the content of the file",
    "subsample": STAGE,
    "max_epoch_size": STAGE,
    "folds_from": DATA,
    "near_duplicates": DATA,
    "negatives": STAGE,
    "validation_negatives": STAGE,
    "profile": "surroundings",
    "cache": "decides where pixels are kept, not which",
    "stages": STAGE,
    "dataset": DATA,
    "datasets_path": DATA,
    "preprocessing": DATA,
    "declarations": DATA,
    "pretrain_transform": DATA,
    "extra_train_data": DATA,
    "dataset_augmenter": DATA,
    "calibration": AFTERWARDS,
    "thresholds": AFTERWARDS,
    "coverage": AFTERWARDS,
    "keep_maps": AFTERWARDS,
    "smallest_area": AFTERWARDS,
    "num_seeds": "each repeat is an experiment of its own",
    "show_data_examples": STAGE,
    "example_epochs": STAGE,
    "folds_count": DATA,
    "validation_split": DATA,
    "stratified": DATA,
    "random_state": DATA,
    "test_split": DATA,
    "test_split_seed": DATA,
    "seed": "seed",
    "inference_batch": AFTERWARDS,
    "num_workers": "any number of threads gives the same batches",
    "test_time_augmentation": AFTERWARDS,
    "crops": STAGE,
    "imports": "such a config is never reused",
}


def test_every_field_of_a_stage_is_in_the_key_or_named_with_a_reason():
    assert {field.name for field in fields(ResolvedStage)} == OTHER_STAGE.keys()
    assert IRRELEVANT.keys() <= OTHER_STAGE.keys()
    assert all(IRRELEVANT.values())


def test_every_field_of_a_model_is_in_the_key():
    assert {field.name for field in fields(ModelSpec)} == OTHER_SPEC.keys()


def test_of_every_key_of_a_config_it_is_known_how_it_comes_into_the_key():
    keys = ExperimentConfig.model_fields.keys() | StageConfig.model_fields.keys()
    assert keys == ROADS.keys()


@pytest.mark.parametrize("name", [name for name in OTHER_STAGE if name != "directory"])
def test_another_stage_has_another_key(name):
    other = replace(FACTS, stage=replace(FACTS.stage, **{name: OTHER_STAGE[name]}))
    assert getattr(other.stage, name) != getattr(FACTS.stage, name)
    assert stage_key(other) != stage_key(FACTS)


def test_another_order_of_augmenters_in_another_has_another_key():
    def key(children):
        stage = replace(FACTS.stage, augmentation=(("Sequential", children),))
        return stage_key(replace(FACTS, stage=stage))

    assert key({"Fliplr": 1, "Add": 3}) != key({"Add": 3, "Fliplr": 1})


@pytest.mark.parametrize("name", OTHER_SPEC)
def test_another_model_has_another_key(name):
    other = replace(FACTS, spec=replace(FACTS.spec, **{name: OTHER_SPEC[name]}))
    assert stage_key(other) != stage_key(FACTS)


@pytest.mark.parametrize("name", OTHER_FACTS)
def test_another_fact_makes_another_key(name):
    assert stage_key(replace(FACTS, **{name: OTHER_FACTS[name]})) != stage_key(FACTS)


def test_the_same_facts_have_the_same_key():
    config = "stages: [{epochs: 1, lr: 0.001}]\ndataset: {folder: elsewhere}\nnum_workers: 7"
    stage = parse(config).resolve()[0]
    same = replace(FACTS, stage=stage, surroundings={"threads": 1}, directory=Path("there"))
    assert stage_key(same) == stage_key(FACTS)


def test_of_backgrounds_the_names_and_contents_count_and_not_the_path(tmp_path):
    def key(folder, name, content):
        (tmp_path / folder / "beaches").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "beaches" / name).write_bytes(content)
        steps = (("Sequential", {"BackgroundReplacer": {"path": "beaches"}}),)
        stage = replace(FACTS.stage, augmentation=steps, directory=str(tmp_path / folder))
        return stage_key(replace(FACTS, stage=stage, directory=tmp_path / folder))

    assert key("a", "1.png", b"1") == key("b", "1.png", b"1")
    others = [key("c", "1.png", b"2"), key("d", "2.png", b"1"), key("b", "2.png", b"1")]
    assert len({key("a", "1.png", b"1"), *others}) == 4


@pytest.mark.parametrize("name", ["first.safetensors", "first.weights"])
def test_of_first_weights_the_content_counts_and_not_the_path(tmp_path, name):
    def key(folder, content, described=b""):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "first.safetensors").write_bytes(content)
        (tmp_path / folder / "first.json").write_bytes(described)
        stage = replace(FACTS.stage, initial_weights=name)
        return stage_key(replace(FACTS, stage=stage, directory=tmp_path / folder))

    assert key("a", b"1") == key("b", b"1")
    assert len({key("a", b"1"), key("a", b"2"), key("a", b"1", b"its classes")}) == 3


@pytest.mark.parametrize("package", ["torch", "timm", "numpy", "fivefold", "scikit-learn"])
def test_another_version_makes_another_key(monkeypatch, package):
    before, versions = stage_key(FACTS), dict(module._packages())
    monkeypatch.setattr(module, "_packages", lambda: versions | {package: "99"})
    assert stage_key(FACTS) != before


def test_another_library_inside_pillow_makes_another_key(monkeypatch):
    before = stage_key(FACTS)
    monkeypatch.setattr(module, "decoders", lambda: {"libjpeg_turbo": "another"})
    assert stage_key(FACTS) != before


def test_another_python_or_other_code_of_fivefold_makes_another_key(monkeypatch):
    before = stage_key(FACTS)
    with monkeypatch.context() as patch:
        patch.setattr(module.platform, "python_version", lambda: "3.99")
        assert stage_key(FACTS) != before
    monkeypatch.setattr(module, "code_digest", lambda folder: "other")
    assert stage_key(FACTS) != before


def test_every_python_file_and_its_name_are_in_the_digest_of_code(tmp_path):
    def digest(**files):
        folder = tmp_path / "-".join(f"{name}{text}" for name, text in files.items())
        (folder / "inner").mkdir(parents=True)
        for name, text in files.items():
            (folder / "inner" / f"{name}.py").write_text(text)
        (folder / "notes.txt").write_text(str(folder))
        return code_digest(folder)

    assert len({digest(a="1"), digest(a="2"), digest(b="1"), digest(a="1", b="2")}) == 4


def table(ids="abc", digests="xyz", targets=((1, 0), (0, 1), (1, 0))):
    return SampleTable(
        ids=tuple(ids),
        indices=np.arange(3),
        targets=None if targets is None else np.asarray(targets, np.float32),
        labels=(Labels("", ("cat", "dog"), exclusive=True),),
        groups=tuple(ids),
        digests=tuple(digests),
    )


def test_another_sample_label_content_order_or_fold_makes_other_data():
    found = [
        data_digest(table(), [0, 1], [2]),
        data_digest(table(ids="abd"), [0, 1], [2]),
        data_digest(table(ids=("a", "bc", "")), [0, 1], [2]),
        data_digest(table(digests="xyy"), [0, 1], [2]),
        data_digest(table(targets=((1, 0), (0, 1), (0, 1))), [0, 1], [2]),
        data_digest(table(targets=None), [0, 1], [2]),
        data_digest(table(), [1, 0], [2]),
        data_digest(table(), [0], [1, 2]),
        data_digest(table(), [0, 1], []),
    ]
    assert len(set(found)) == len(found)


def test_the_same_data_elsewhere_are_the_same_data():
    rows = np.asarray([0, 1])
    assert data_digest(table(), rows, np.asarray([2])) == data_digest(table(), [0, 1], [2])


def test_an_id_may_hold_bytes_that_are_no_text():
    assert data_digest(table(ids=("a", "b\udc80", "c")), [0, 1], [2])
