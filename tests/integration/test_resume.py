"""A run that is broken off in this process and started again; `test_kill.py` kills for good."""

import numpy as np
import pytest
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.core.predictions import Predictions
from fivefold.experiment.experiment import Experiment

# Everything that has a memory: momentum, dropout, averaged weights, a plateau that cuts in every
# second epoch, weights of the three best epochs, a table; and a schedule in the first stage.
MEMORY = CONFIG.replace("batch: 16\n", "").replace(
    "{epochs: 1, freeze_encoder: true}",
    "{epochs: 1, freeze_encoder: true, schedule: cosine, callbacks: {CSVLogger: log.csv}}",
).replace("{epochs: 2, unfreeze_encoder: true}", "{epochs: 5, unfreeze_encoder: true}") + (
    "dropout: 0.3\noptimizer: {SGD: {momentum: 0.9}}\nema: 0.9\naccumulate: 2\nbatch: 4\n"
    "augmentation: {Fliplr: 0.5}\n"
    "callbacks:\n"
    "  ReduceLROnPlateau: {patience: 2, min_delta: 100, factor: 0.5}\n"
    "  CSVLogger: {filename: table.csv, separator: ;}\n"
    "  ModelCheckpoint: {save_n_best: 3}\n"
)


def files_of(folder):
    left_out = ("manifest.json", "audit.json", ".lock")
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in left_out
    }


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = write_experiment(tmp_path_factory.mktemp("whole"), per_class=6, config=MEMORY)
    Experiment.load(folder).fit()
    return files_of(folder)


@pytest.mark.parametrize("epochs", [0, 2, 3, 4, 8])
def test_a_run_broken_off_after_an_epoch_ends_with_the_same_bytes(tmp_path, unbroken, epochs):
    write_experiment(tmp_path, per_class=6, config=MEMORY)
    with pytest.raises(StopError, match="fold"):
        Experiment.load(tmp_path, progress=StopAfter(epochs)).fit()
    assert any((tmp_path / "state").rglob("*.json"))
    Experiment.load(tmp_path).fit()
    assert_same(files_of(tmp_path), unbroken)


def test_a_run_broken_off_at_every_epoch_ends_with_the_same_bytes(tmp_path, unbroken):
    write_experiment(tmp_path, per_class=6, config=MEMORY)
    for _ in range(30):
        try:
            Experiment.load(tmp_path, progress=StopAfter(0)).fit()
        except StopError:
            continue
        break
    assert_same(files_of(tmp_path), unbroken)


def test_a_stage_starts_from_the_best_epoch_of_the_one_before_not_the_last(tmp_path):
    # With the mode turned round, the best epoch is the first and worst one.
    config = CONFIG.replace("primary_metric: val_accuracy", "primary_metric_mode: max")
    config = config.replace("{epochs: 1, freeze_encoder: true}", "{epochs: 4}")
    config = config.replace(
        "{epochs: 2, unfreeze_encoder: true}", "{epochs: 1, lr: 1e-12, freeze_encoder: true}"
    )
    run = Experiment.load(write_experiment(tmp_path, config=config))
    run.fit(folds=[0])
    first, second = (
        Predictions.load(run.folder.predictions("validation", 0, stage)) for stage in (0, 1)
    )
    np.testing.assert_allclose(first.probs, second.probs, atol=1e-6)
