"""Rare classes in a run: what an epoch draws, what is stored, and what is predicted with it."""

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError
from shapes import draw_folders
from typer.testing import CliRunner

from fivefold.cli.app import app
from fivefold.core.errors import ConfigError
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.data import PredictionItem
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.work import fold_data

KEPT = {"circle": 16, "square": 8, "triangle": 4}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def write(folder, config):
    """Write an experiment with many circles and few triangles."""
    folder.mkdir(exist_ok=True)
    draw_folders(folder / "shapes", 16)
    for name, count in KEPT.items():
        for path in sorted((folder / "shapes" / name).iterdir())[count:]:
            path.unlink()
    (folder / "config.yaml").write_text(CONFIG + config)
    return folder


def counts_of_epochs(folder, config, *epochs):
    run = Experiment.load(write(folder, config))
    prepared = prepare(run.source(), run.config, run.folder, Silent())
    data = fold_data(run._work(prepared, [0]), 0, run.stages[0])
    make = data.train_batches(run.stages[0], seed=0, fold=0)
    rows = [np.concatenate(make(epoch).parts) for epoch in epochs]
    size = data.epoch_size(run.stages[0])
    classes = [np.asarray(data.table.targets)[own].argmax(axis=1) for own in rows]
    return size, rows, [np.bincount(own).tolist() for own in classes]


@pytest.mark.parametrize(
    ("balance", "each"),
    [("upsampling", 8), ("downsampling", 2), ("sampler", 5), ("3", 3), ("9", 9)],
)
def test_every_epoch_has_as_many_of_each_class(tmp_path, balance, each):
    size, rows, counts = counts_of_epochs(tmp_path, f"balance: {balance}\n", 0, 1, 0)
    assert size == 3 * each
    assert counts == [[each] * 3] * 3
    assert rows[0].tolist() == rows[2].tolist() != rows[1].tolist()
    times = np.bincount(rows[0])
    assert times.max() == max(-(-each // 2), 1)  # of 2 triangles


@pytest.mark.parametrize("balance", ["weights", "sampler", "{triangle: 4}", "6"])
def test_what_is_predicted_later_is_what_was_validated(tmp_path, balance):
    run = Experiment.load(write(tmp_path, f"balance: {balance}\n"))
    run.fit(folds=[0], reuse=False)
    for stage in (0, 1):
        assert len(load_bundle(run.folder.bundle(0, stage)).prior_shift) == 3
        validated = Predictions.load(run.folder.predictions("validation", 0, stage))
        paths = [tmp_path / "shapes" / name for name in validated.ids]
        found = run.predict(paths, [0], stage)
        assert np.abs(found.probs - validated.probs).max() < 1e-6


def test_only_the_correction_differs_where_it_is_refused(tmp_path):
    runs = {}
    for name, more in {"with": "", "without": "prior_correction: false\n"}.items():
        text = "primary_metric: loss\nprimary_metric_mode: min\n"
        config = (CONFIG + f"balance: sampler\n{more}").replace(
            "primary_metric: val_accuracy\n", text
        )
        folder = write(tmp_path / name, "")
        (folder / "config.yaml").write_text(config)
        runs[name] = Experiment.load(folder)
        runs[name].fit(folds=[0], reuse=False)
    plain, own = (runs[name].folder for name in ("without", "with"))
    assert plain.weights(0, 1).read_bytes() == own.weights(0, 1).read_bytes()
    shift = np.array(load_bundle(own.bundle(0, 1)).prior_shift)
    assert shift == pytest.approx(np.log(np.array([8, 4, 2]) / 14 * 3))
    assert load_bundle(plain.bundle(0, 1)).prior_shift == ()
    before, after = (Predictions.load(f.predictions("validation", 0, 1)) for f in (plain, own))
    expected = before.probs * np.exp(shift)
    assert after.probs == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-6)


def test_an_interrupted_run_ends_with_the_bytes_of_an_unbroken_one(tmp_path):
    config = "balance: sampler\naugmentation: {Fliplr: 0.5}\n"
    whole = Experiment.load(write(tmp_path / "whole", config))
    whole.fit(reuse=False)
    broken = Experiment.load(write(tmp_path / "broken", config))
    broken.progress = StopAfter(3)
    with pytest.raises(StopError, match="loss"):
        broken.fit(jobs=1, reuse=False)
    again = Experiment.load(tmp_path / "broken")
    again.fit(reuse=False)
    for fold in (0, 1):
        assert (
            again.folder.weights(fold, 1).read_bytes() == whole.folder.weights(fold, 1).read_bytes()
        )
        assert (
            load_bundle(again.folder.bundle(fold, 1)).prior_shift
            == load_bundle(whole.folder.bundle(fold, 1)).prior_shift
        )


def test_a_stage_without_balance_predicts_as_it_has_learned(tmp_path):
    config = CONFIG.replace("{epochs: 2, unf", "{epochs: 2, balance: none, unf")
    folder = write(tmp_path, "")
    (folder / "config.yaml").write_text(config + "balance: sampler\n")
    run = Experiment.load(folder)
    run.fit(folds=[0], reuse=False)
    assert any(load_bundle(run.folder.bundle(0, 0)).prior_shift)
    assert load_bundle(run.folder.bundle(0, 1)).prior_shift == ()


def test_check_says_what_an_epoch_draws(tmp_path):
    found = CliRunner().invoke(app, ["check", str(write(tmp_path, "balance: 5\n"))])
    assert found.exit_code == 0
    assert "5 images of each class an epoch, 15 in all" in found.output


class Labelled:
    """Images that may show several things."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.items = [
            PredictionItem(str(i), rng.integers(0, 255, (32, 32, 3), dtype=np.uint8), truth)
            for i, truth in enumerate(
                np.array([[k % 2, k % 3 == 0, 1 - k % 2]], float)[0] for k in range(24)
            )
        ]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def test_several_labels_cannot_be_drawn_evenly_but_weighed(tmp_path):
    config = CONFIG.replace("dataset: {folder: shapes}\n", "")
    (tmp_path / "config.yaml").write_text(config + "balance: upsampling\n")
    message = (
        "balance: expected one output whose classes exclude each other, got labels of which sev"
    )
    with pytest.raises(ConfigError, match=message) as error:
        Experiment.load(tmp_path).fit(Labelled())
    assert error.value.problems[0].slug == "config/balance"
    run = Experiment.load(tmp_path, ["balance=weights"])
    run.fit(Labelled(), folds=[0], reuse=False)
    bundle = load_bundle(run.folder.bundle(0, 1))
    pairs = np.array(list(bundle.class_weights.values()))
    assert bundle.prior_shift == pytest.approx(np.log(pairs[:, 0] / pairs[:, 1]), abs=1e-6)
