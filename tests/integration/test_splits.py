"""Folds of one's own and parts of epochs, from the config and from Python."""

from pathlib import Path

import numpy as np
import pytest
import torch
from runs import CONFIG, write_experiment

from fivefold import classification
from fivefold.config import load
from fivefold.core.errors import ConfigError, StateError
from fivefold.core.predictions import Predictions
from fivefold.data import PredictionItem
from fivefold.data.splits import Splits
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.work import fold_data

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/splits.yaml"


def test_a_musket_file_says_how_much_an_epoch_takes():
    config = load(FIXTURE)
    assert config.not_yet() == []
    assert [(s.subsample, s.max_epoch_size) for s in config.resolve()] == [(0.5, 3)]


def test_each_epoch_takes_another_part_of_the_training_samples(tmp_path):
    config = CONFIG.replace("batch: 16", "batch: 4") + "subsample: 0.5\n"
    run = Experiment.load(write_experiment(tmp_path, config=config))
    prepared = prepare(run.source(), run.config, run.folder, run.progress)
    data = fold_data(run._work(prepared, [0]), 0, run.stages[0])
    batches = data.train_batches(run.stages[0], seed=0, fold=0)
    first, again, other = (
        {int(row) for part in batches(epoch).parts for row in part} for epoch in (0, 0, 1)
    )
    half = round(len(data.train_rows) / 2)
    assert len(first) == len(other) == half == data.epoch_size(run.stages[0])
    assert first == again != other
    capped = Experiment.load(tmp_path, ["maxEpochSize=1"]).stages[0]
    assert [len(part) for part in data.train_batches(capped, seed=0, fold=0)(0).parts] == [4]


def test_frozen_and_trained_stages_both_see_a_part(tmp_path):
    torch.set_num_threads(1)
    texts = {"whole": CONFIG, "part": CONFIG + "maxEpochSize: 1\n"}
    weights = {}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        run = Experiment.load(write_experiment(tmp_path / name, config=text, per_class=12))
        run.fit(folds=[0], reuse=False)
        weights[name] = [run.folder.weights(0, stage).read_bytes() for stage in (0, 1)]
        assert len(Predictions.load(run.folder.predictions("validation", 0, 1)))
    assert weights["whole"][0] != weights["part"][0]
    assert weights["whole"][1] != weights["part"][1]


def test_musket_s_fit_takes_a_part_and_refuses_more_than_all(tmp_path):
    torch.set_num_threads(1)
    cfg = classification.parse(write_experiment(tmp_path))
    with pytest.raises(ConfigError, match="subsample: expected less than or equal to 1"):
        cfg.fit(subsample=3.0)
    cfg.fit(subsample=0.5, foldsToExecute=[1])
    assert cfg.experiment.config.subsample == 0.5
    assert cfg.experiment.folder.bundle(1, 1).exists()
    assert not cfg.experiment.folder.bundle(0, 0).exists()


def test_a_holdout_of_ones_own_is_kept_out_and_asked_for_again(tmp_path):
    torch.set_num_threads(1)
    cfg = classification.parse(write_experiment(tmp_path))
    cfg.setHoldout([0, 1, 5])
    ids = [cfg.experiment.source().sample_ids[i] for i in (0, 1, 5)]
    cfg.fit(foldsToExecute=[0])
    assert list(Splits.load(cfg.experiment.folder.folds_path).holdout_ids) == sorted(ids)
    assert len(cfg.holdout()) == 3
    with pytest.raises(StateError, match="folds: expected the settings that they were made with"):
        classification.parse(tmp_path).fit(foldsToExecute=[0, 1])


class Own:
    """Twelve images with folds and a holdout of their own."""

    class_names = ("a", "b")
    folds = (([2, 3, 4, 5, 6, 7, 8, 9], [0, 1]), ([0, 1], [2, 3, 4, 5, 6, 7, 8, 9]))
    holdoutArr = (10, 11)  # noqa: N815  Musket's name

    def __len__(self):
        return 12

    def __getitem__(self, i):
        image = np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        return PredictionItem(f"n{i:02}", image, np.eye(2, dtype=np.float32)[i % 2])


def test_a_data_set_s_own_folds_and_holdout_are_obeyed(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG.replace("dataset: {folder: shapes}", ""))
    run = Experiment.load(tmp_path)
    splits = prepare(run.source(Own()), run.config, run.folder, run.progress).splits
    assert splits.val_ids(0) == ("n00", "n01")
    assert splits.train_ids(1) == ("n00", "n01")
    assert splits.holdout_ids == ("n10", "n11")


def test_a_table_decides_the_folds_of_a_run(tmp_path):
    torch.set_num_threads(1)
    write_experiment(tmp_path, config=CONFIG + "folds_from: folds.csv\n")
    source = Experiment.load(tmp_path).source()
    lines = [f"{name},{i % 2}" for i, name in enumerate(source.sample_ids)]
    (tmp_path / "folds.csv").write_text("\n".join(["image,fold", *lines]))
    run = Experiment.load(tmp_path)
    run.fit(folds=[1])
    found = Predictions.load(run.folder.predictions("validation", 1, 1))
    assert sorted(found.ids) == sorted(source.sample_ids[1::2])
