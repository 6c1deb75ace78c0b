"""Edge cases of Musket's configs whose meaning only shows in a run."""

import csv
import shutil
from pathlib import Path

import pytest
import tiny  # noqa: F401  registers the net
import torch
from runs import CONFIG, fitted
from safetensors.torch import load_file

from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment.experiment import Experiment

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[1] / "fixtures"
DRAWN = """\
architecture: tiny
weights: none
shape: [32, 32, 3]
batch: 4
lr: 0.01
folds_count: 2
activation: sigmoid
dataset: {python: drawn_classes.py:Drawn, args: {heads: [[1, sigmoid]], shape: [32, 32, 3]}}
"""


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def history(run, number=0):
    with run.folder.metrics(0, number).open(newline="") as stream:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]


def drawn(folder, text):
    folder.mkdir()
    shutil.copy(FIXTURES / "drawn_classes.py", folder)
    (folder / "config.yaml").write_text(DRAWN + text)
    run = Experiment.load(folder, allow_imports=True)
    run.fit(folds=[0])
    return run


def test_a_primary_metric_without_val_is_the_training_number(tmp_path):
    config = CONFIG[: CONFIG.index("primary_metric")] + (
        "primary_metric: loss\nstages: [{epochs: 3}]\ndataset: {folder: shapes}\n"
    )
    run = fitted(tmp_path, config=config.replace("lr: 0.01", "lr: 0.3"))
    for fold in (0, 1):
        with run.folder.metrics(fold, 0).open(newline="") as stream:
            losses = [float(row["loss"]) for row in csv.DictReader(stream)]
        assert load_bundle(run.folder.bundle(fold, 0)).epoch == losses.index(min(losses))


def test_a_loss_and_a_rate_of_a_stage_take_effect_also_for_lovasz(tmp_path):
    """Of networks that end in an activation, Musket trained on with the loss and rate before."""
    first = "stages:\n  - {epochs: 1}\n"
    lovasz = drawn(tmp_path / "lovasz", first + "  - {epochs: 1, loss: lovasz_loss, lr: 0.002}\n")
    plain = drawn(tmp_path / "plain", first + "  - {epochs: 1, lr: 0.002}\n")
    assert [history(lovasz, number)[0]["lr"] for number in (0, 1)] == [0.01, 0.002]
    assert history(lovasz, 0) == history(plain, 0)
    assert history(lovasz, 1)[0]["loss"] != history(plain, 1)[0]["loss"]
    ours, theirs = (load_file(run.folder.weights(0, 1)) for run in (lovasz, plain))
    assert any(not torch.equal(theirs[name], tensor) for name, tensor in ours.items())


def test_initial_weights_of_a_later_stage_win_over_the_stage_before(tmp_path):
    """Musket loaded the best of the stage before over them."""
    other = drawn(tmp_path / "other", "seed: 9\nstages: [{epochs: 1}]\n")
    path = "../other/weights/best-0.0.safetensors"
    text = f"stages:\n  - {{epochs: 2}}\n  - {{epochs: 1, lr: 1.0e-9, initial_weights: {path}}}\n"
    run = drawn(tmp_path / "run", text)
    ours, before = (load_file(run.folder.weights(0, number)) for number in (1, 0))
    for name, tensor in load_file(other.folder.weights(0, 0)).items():
        if name.endswith("weight"):
            torch.testing.assert_close(ours[name], tensor, atol=1e-6, rtol=0)
            assert not torch.allclose(ours[name], before[name], atol=1e-6)
