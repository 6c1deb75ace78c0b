"""A column of weights in a run: what it changes, and what it does not."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG

from fivefold.cli import app
from fivefold.core.durable import read_json
from fivefold.core.layout import RunFolder
from fivefold.engine.history import read_history
from fivefold.experiment.experiment import Experiment

WEIGHTS = (1, 2, 0, 1, 2, 1, 0, 2, 1, 2, 1, 2, 1, 1, 2, 1)
"""Of the rows to train on; 16 of them, which count like 20."""
DATA = "dataset: {csv: t.csv, images: photos, split_column: part%s}\nfolds_count: 1\n"
HEAD = "{epochs: 1, freeze_encoder: true}"
ALL = "{epochs: 1, unfreeze_encoder: true, freeze_batchnorm: true}"


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def photos(tmp_path):
    """Noise in 16 images to train on and 8 to validate on, each with a copy."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(24):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
        shutil.copy(folder / f"{n}.png", folder / f"{n}-again.png")
    return folder


def write(folder, name, rows, config):
    root = folder / name
    root.mkdir()
    lines = ["image,label,part,weight", *(",".join(map(str, row)) for row in rows)]
    (root / "t.csv").write_text("\n".join(lines) + "\n")
    (root / "photos").symlink_to(folder / "photos")
    (root / "config.yaml").write_text(config)
    return root


def config_of(stage, lr, more=""):
    """Take one step of plain descent on all rows at once."""
    text = CONFIG.replace("dataset: {folder: shapes}\n", "").replace("folds_count: 2\n", "")
    head, _, _ = text.partition("stages:")
    head = head.replace("batch: 16", "batch: 32").replace("lr: 0.01", f"lr: {lr}")
    return f"{head}optimizer: {{SGD: {{momentum: 0}}}}\nstages:\n  - {stage}\n" + DATA % more


def weighted_rows():
    train = [(f"{n}.png", "ab"[n % 2], "train", w) for n, w in enumerate(WEIGHTS)]
    return train + [(f"{n}.png", "ab"[n % 2], "val", n) for n in range(16, 24)]


def repeated_rows():
    """Say the same with as many rows as each one counts."""
    copies = [(n, end) for n, w in enumerate(WEIGHTS) for end in ("", "-again")[:w]]
    train = [(f"{n}{end}.png", "ab"[n % 2], "train", 1) for n, end in copies]
    return train + [(f"{n}.png", "ab"[n % 2], "val", 1) for n in range(16, 24)]


def trained(root):
    run = Experiment.load(root)
    run.fit()
    epochs = read_history(run.folder.metrics(0, 0))
    return run.load_model(0, 0).state_dict(), epochs[-1]


@pytest.mark.slow
@pytest.mark.parametrize("stage", [HEAD, ALL], ids=["frozen", "whole"])
def test_a_row_that_counts_twice_is_a_row_twice_and_one_that_counts_0_is_none(
    tmp_path, photos, stage
):
    del photos
    # The loss is divided by the number of rows, 16 and 20: the same step needs 16/20 of the rate.
    column = ", weight_column: weight"
    by_column = write(tmp_path, "column", weighted_rows(), config_of(stage, 0.4, column))
    by_rows = write(tmp_path, "rows", repeated_rows(), config_of(stage, 0.5))
    ignored = write(tmp_path, "ignored", weighted_rows(), config_of(stage, 0.4))
    (found, last), (wanted, wanted_last), (other, _) = map(trained, (by_column, by_rows, ignored))
    moved = 0.0
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)
        moved = max(moved, float((other[name].float() - tensor.float()).abs().max()))
    assert moved > 1e-3, "without the column the step is another one"
    # Weights of rows to validate on, here 16 to 23, change nothing.
    assert last["val_loss"] == pytest.approx(wanted_last["val_loss"], rel=1e-5)


@pytest.mark.slow
def test_a_fit_by_weights_and_parts_ends_well(tmp_path, photos, capsys):
    del photos
    rows = weighted_rows()
    rows += [(f"{n}-again.png", "ab"[n % 2], "test", 1) for n in range(4)]
    config = config_of(HEAD, 0.01, ", weight_column: weight")
    root = write(tmp_path, "run", rows, config)
    assert app.run(["fit", str(root)]) == 0
    out, err = capsys.readouterr()
    assert "holdout" in out
    assert "finished in" in err
    assert RunFolder.of(root).summary_path.exists()
    notes = read_json(RunFolder.of(root).manifest_path)["found_in_data"]
    assert notes == ["images are in the column 'image'", "labels are in the column 'label'"]
    assert app.run(["report", str(root)]) == 0
