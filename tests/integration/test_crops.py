"""Training on cells of images: nobody outside sees that there are any."""

import logging

import numpy as np
import pytest
import torch
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.config import InvalidConfigError, parse
from fivefold.core.cells import cell_of
from fivefold.core.predictions import Predictions
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.work import fold_data

CUT = CONFIG + "crops: 2\naugmentation: {Fliplr: 0.5}\n"


def start(folder, config=CUT, **options):
    folder.mkdir()
    torch.set_num_threads(1)
    return Experiment.load(write_experiment(folder, per_class=6, config=config), **options)


def test_training_sees_every_cell_of_every_training_image_once(tmp_path):
    run = start(tmp_path / "run", CONFIG + "crops: 2\n")
    prepared = prepare(run.source(), run.config, run.folder, run.progress)
    data = fold_data(run._work(prepared, [0]), 0, run.stages[1])
    seen = []
    batches = data.train_batches(run.stages[1], seed=0, fold=0)(0)
    for batch in batches:
        assert batch.images.shape[1:] == (16, 16, 3)
        assert (batch.targets == data.targets(batch.indices)).all()
        seen += [(int(r), c.tobytes()) for r, c in zip(batch.indices, batch.images, strict=True)]
    expected = [
        (int(row), np.ascontiguousarray(cell_of(data.images.get(int(row)), 2, k)).tobytes())
        for row in data.train_rows
        for k in range(4)
    ]
    assert sorted(seen) == sorted(expected)
    assert [row for row, _ in seen] == [int(r) for part in batches.parts for r in part]


def test_cells_are_invisible_and_a_broken_run_ends_with_the_same_bytes(tmp_path, caplog):
    whole = start(tmp_path / "whole")
    with caplog.at_level(logging.WARNING):
        whole.fit()
    said = "stage 0: images are cut into cells, so the frozen backbone computes features"
    assert [line for line in caplog.messages if line.startswith(said)]
    with pytest.raises(StopError, match="loss"):
        start(tmp_path / "broken", progress=StopAfter(3)).fit()
    broken = Experiment.load(tmp_path / "broken")
    broken.fit()
    for fold in (0, 1):
        for stage in (0, 1):
            for what in ("weights", "bundle"):
                one, other = (getattr(run.folder, what)(fold, stage) for run in (whole, broken))
                assert one.read_bytes() == other.read_bytes()
    ids = {str(name) for name in whole.source().sample_ids}
    parts = [Predictions.load(whole.folder.predictions("validation", k, 1)) for k in (0, 1)]
    assert sorted(parts[0].ids + parts[1].ids) == sorted(ids)
    again = whole.predict(tmp_path / "whole" / "shapes", folds=[0])
    assert len(again) == len(ids)
    place = {name: k for k, name in enumerate(again.ids)}
    mine = again.probs[[place[name] for name in parts[0].ids]]
    np.testing.assert_allclose(mine, parts[0].probs, atol=1e-5)


def test_cells_that_do_not_fit_name_the_nearest_that_do():
    with pytest.raises(
        InvalidConfigError, match=r"config\.yaml:2:8: crops: expected a number that"
    ):
        parse("shape: [96, 64, 3]\ncrops: 5")
    with pytest.raises(InvalidConfigError, match="height 96 and width 64, such as 4, got 5"):
        parse("shape: [96, 64, 3]\ncrops: 5")
    assert parse("crops:").crops == 1
