import numpy as np
import pytest
from suspicious import CONFIG, NAMES, WRONG, make_suspicious_run

from fivefold.apps.report.analysis import analyse
from fivefold.apps.report.gather import gather
from fivefold.cli import app
from fivefold.config import load
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.experiment.suspects import find_suspects

HELD_OUT = ("dog/014.png", "cat/000.png", "dog/013.png", "märz/031.png")
"""The first is no dog."""


@pytest.fixture
def folder(tmp_path):
    """A run whose folds have all samples but four; both folds' models have predicted these."""
    folder = make_suspicious_run(tmp_path, config=CONFIG)
    for fold in range(2):
        path = folder.predictions("validation", fold, 0)
        found = Predictions.load(path)
        found.take([i for i, name in enumerate(found.ids) if name not in HELD_OUT]).save(path)
        truth = np.eye(3)[[NAMES.index(name.partition("/")[0]) for name in HELD_OUT]].astype(
            np.float32
        )
        shown = np.eye(3)[[2, 0, 1, 2]]
        probs = np.where(shown > 0, 0.9 - 0.02 * fold, 0.05 + 0.01 * fold)
        held_out = Predictions(HELD_OUT, probs.astype(np.float32), found.heads, truth, stage=0)
        held_out.save(folder.predictions("holdout", fold, 0))
    return folder


def test_labels_of_the_holdout_are_looked_at_by_all_folds_together(folder):
    table = find_suspects(folder, load(folder.config_path), progress=Silent())
    found = {one.sample_id: one for one in table.suspects}
    assert {name: one.suggested[0] for name, one in found.items()} == WRONG
    assert table.found.heads[0].samples == 36
    assert found["dog/014.png"].fold == -1
    assert found["dog/014.png"].confidence == pytest.approx(0.89)
    assert {one.fold for name, one in found.items() if name not in HELD_OUT} <= {0, 1}


def test_a_suspect_of_the_holdout_is_called_so(folder, capsys):
    assert app.run(["suspects", str(folder.root)]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "dog/014.png" in line]
    assert row.rstrip().endswith("holdout")


def test_the_report_has_the_same_suspects(folder):
    gathered = gather(folder)
    table = find_suspects(folder, load(folder.config_path), progress=Silent())
    assert analyse(gathered).label_errors.suspects == table.suspects
