"""A folder of masks as an experiment reads it: negatives, folds, further samples."""

import numpy as np
import pytest
from shapes import draw_masks

from fivefold.config import load
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.data.extended import ExtendedSource
from fivefold.experiment.datasets import prepare
from fivefold.experiment.negatives import rows_of_fold
from fivefold.experiment.sources import open_section, open_source

CONFIG = """\
architecture: Unet
backbone: resnet18
encoder_weights: none
shape: [16, 16, 3]
folds_count: 2
dataset: {images: train, masks: train_mask}
"""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    draw_masks(tmp_path, 40, size=20, empty_every=2)

    def open_with(stage="{epochs: 1}", more=""):
        path = tmp_path / "config.yaml"
        path.write_text(f"{CONFIG}{more}stages: [{stage}]\n")
        config = load(path)
        source = open_source(config, allow_imports=False, progress=Silent())
        return config, source

    return open_with


def prepared(config, source, **options):
    return prepare(source, config, RunFolder.of(config.directory), Silent(), **options)


@pytest.mark.parametrize(
    ("stage", "train", "val"),
    [
        ("{epochs: 1}", (10, 10), (10, 10)),
        ("{epochs: 1, negatives: none}", (10, 0), (10, 0)),
        ("{epochs: 1, negatives: real, validation_negatives: none}", (10, 10), (10, 0)),
        ("{epochs: 1, validation_negatives: real}", (10, 10), (10, 10)),
        ("{epochs: 1, negatives: 1}", (10, 10), (10, 10)),
        ("{epochs: 1, negatives: 0, validation_negatives: 0}", (10, 0), (10, 0)),
    ],
)
def test_negatives_are_images_whose_masks_are_empty(opened, stage, train, val):
    config, source = opened(stage)
    found = prepared(config, source)
    positive = np.array([int(name[:3]) % 2 == 0 for name in found.table.ids])
    if found.positives.size:
        assert np.array_equal(found.positives, positive)
    for fold in range(2):
        rows = rows_of_fold(
            found.splits, found.table, found.positives, config.resolve()[0], seed=1, fold=fold
        )
        for part, expected in ((rows.train, train), (rows.val, val)):
            assert (positive[part].sum(), (~positive[part]).sum()) == expected


def test_nothing_is_read_twice(opened, monkeypatch):
    config, source = opened("{epochs: 1, negatives: none}")
    prepared(config, source, save=True)
    config, again = opened("{epochs: 1, negatives: none}")
    monkeypatch.setattr(type(again), "fetch", None)
    monkeypatch.setattr(type(again), "mask", None)
    found = prepared(config, again)
    assert found.table.targets[np.arange(40)].sum() == 20
    assert found.images.stored.all()
    assert found.images.mask(0).shape == (16, 16, 1)


def test_a_fresh_run_takes_masks_and_counts_from_the_cache(opened, monkeypatch):
    config, source = opened()
    first = prepared(config, source)
    config, again = opened()
    decoded = []
    monkeypatch.setattr(type(again), "_fitting", lambda *_: decoded.append(1))
    found = prepared(config, again)
    assert decoded == []
    assert np.array_equal(found.table.areas, first.table.areas)
    assert found.splits.fingerprint == first.splits.fingerprint


def test_other_classes_are_another_cache_and_other_masks(opened):
    config, source = opened()
    one = prepared(config, source)
    more = "activation: softmax\nclasses: 2\n"
    config, other = opened(more=more)
    two = prepared(config, other)
    assert (one.table.masks.num_classes, two.table.masks.num_classes) == (1, 2)
    assert one.table.digests[0] != two.table.digests[0]
    assert np.array_equal(one.images.mask(0), two.images.mask(0))
    assert two.table.targets[1].tolist() == [1, 0]


def test_copies_with_the_same_mask_stay_in_one_fold(opened, tmp_path, caplog):
    for name, ending in (("train", "jpg"), ("train_mask", "png")):
        copy = tmp_path / name / f"copy.{ending}"
        copy.write_bytes((tmp_path / name / f"000.{ending}").read_bytes())
    found = prepared(*opened())
    assert found.splits.fold_of["copy.jpg"] == found.splits.fold_of["000.jpg"]
    assert "exact copies of another image with the same label: 1" in caplog.text


def test_further_samples_have_masks_of_the_same_classes(opened, tmp_path):
    draw_masks(tmp_path, 6, size=20, classes=3, names=("more", "more_mask"), seed=1)
    config, source = opened(more="extra_train_data: {images: more, masks: more_mask}\n")
    section = config.extra_train_data
    more = open_section(config, "extra_train_data", section, allow_imports=False, progress=Silent())
    assert more.masks.num_classes == 4
    with pytest.raises(DataError, match="extra_train_data: expected classes that the data set has"):
        ExtendedSource(source, more, "extra_train_data")


def test_a_folder_of_masks_that_the_run_writes_into_is_refused(opened, tmp_path):
    (tmp_path / "data").mkdir()
    opened()
    text = (tmp_path / "config.yaml").read_text().replace("train_mask", "data")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"dataset\.masks: expected a folder that no run writes"):
        open_source(load(tmp_path / "config.yaml"), allow_imports=False, progress=Silent())


def test_what_the_config_says_of_classes_decides_how_masks_are_read(opened):
    for more, names in (
        ("classes: 1\nactivation: sigmoid\n", ("foreground",)),
        ("classes: [2]\nactivation: [softmax]\n", ("background", "foreground")),
        ("activation: softmax\n", ("background", "foreground")),
        ("", ("foreground",)),
    ):
        assert opened(more=more)[1].labels[0].class_names == names
