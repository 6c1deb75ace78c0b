"""`extra_train_data`: samples that are trained on and never measured."""

import logging
import shutil
from pathlib import Path

import pytest
import torch
from runs import CONFIG, write_experiment
from shapes import draw_folders

from fivefold import classification
from fivefold.config import load
from fivefold.core.errors import ConfigError, StateError
from fivefold.core.predictions import Predictions
from fivefold.data.datasets import FolderClassificationDataSet
from fivefold.data.splits import Splits
from fivefold.experiment.experiment import Experiment

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/extra_train_data.yaml"
EXTRA = CONFIG + "extra_train_data: {folder: more}\n"


def test_a_musket_file_names_what_python_has_registered(caplog):
    config = load(FIXTURE)
    assert config.not_yet() == []
    assert config.extra_train_data == "pseudo_labelled"
    assert "add_to_train: has no effect: no version of Musket read it" in caplog.text


def with_more(folder, config=EXTRA, per_class=4):
    write_experiment(folder, config=config)
    draw_folders(folder / "more", per_class, seed=7)
    return folder


def test_every_fold_is_trained_on_them_and_none_is_validated(tmp_path):
    torch.set_num_threads(1)
    (tmp_path / "plain").mkdir()
    plain = Experiment.load(write_experiment(tmp_path / "plain"))
    plain.fit(folds=[0])
    (tmp_path / "more").mkdir()
    run = Experiment.load(with_more(tmp_path / "more"))
    run.fit(folds=[0])

    before, now = (Splits.load(r.folder.folds_path) for r in (plain, run))
    assert before.val_ids(0) == now.val_ids(0)
    further = set(now.train_ids(0)) - set(before.train_ids(0))
    assert len(further) == 12 == sum(name.startswith("extra_train_data/") for name in further)
    assert further <= set(now.train_ids(1))
    assert plain.folder.weights(0, 1).read_bytes() != run.folder.weights(0, 1).read_bytes()
    measured = Predictions.load(run.folder.predictions("validation", 0, 1))
    assert sorted(measured.ids) == sorted(before.val_ids(0))


def test_copies_of_the_data_set_are_left_out(tmp_path, caplog):
    write_experiment(tmp_path, config=EXTRA)
    shutil.copytree(tmp_path / "shapes", tmp_path / "more")
    run = Experiment.load(tmp_path)
    with caplog.at_level(logging.WARNING):
        report = run.check()
    assert "24 further training samples are exact copies of others: left out" in caplog.text
    assert dict(report.lines)["folds"] == "12, 12 images"


def test_they_are_named_as_in_musket(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    draw_folders(tmp_path / "elsewhere", 2, seed=9)
    write_experiment(tmp_path, config=CONFIG + "extra_train_data: pseudo\n")
    cfg = classification.parse(tmp_path)
    expected = r"expected a name in `classification.extra_train`"
    with pytest.raises(ConfigError, match=expected) as error:
        cfg.fit(foldsToExecute=[0])
    assert error.value.problems[0].slug == "config/no-dataset"
    more = FolderClassificationDataSet(None, tmp_path / "elsewhere")
    monkeypatch.setitem(classification.extra_train, "pseudo", more)
    cfg.fit(foldsToExecute=[0])
    assert len(cfg.train(foldNum=0)) == 12 + 6
    assert cfg.train(foldNum=0)[17].id.startswith("extra_train_data/")
    assert len(cfg.validation(foldNum=0)) == 12


def test_a_changed_one_stops_a_run_that_goes_on(tmp_path):
    torch.set_num_threads(1)
    with_more(tmp_path)
    Experiment.load(tmp_path).fit(folds=[0])
    next((tmp_path / "more").rglob("*.png")).unlink()
    with pytest.raises(StateError, match="removed: extra_train_data/"):
        Experiment.load(tmp_path).fit()
