import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import CONFIG, fitted
from shapes import NAMES, draw_folders
from sklearn import metrics as reference

from fivefold.cli import app
from fivefold.core.errors import DataError
from fivefold.data import FolderSource
from fivefold.data.audited import Audit
from fivefold.data.splits import Splits


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A trained experiment, with new samples of two of its classes beside it."""
    root = tmp_path_factory.mktemp("evaluate")
    experiment = fitted(root / "run", config=f"{CONFIG}testSplit: 0.2\n")
    draw_folders(root / "new", 3, seed=9)
    for path in (root / "new" / "triangle").iterdir():
        path.unlink()
    (root / "new" / "triangle").rmdir()
    return experiment


def new(experiment):
    return experiment.folder.root.parent / "new"


def test_new_samples_are_measured_by_all_folds_together(done):
    found = done.assess(new(done)).heads[0]
    predictions = done.predict(new(done))
    truth = [NAMES.index(sample_id.split("/")[0]) for sample_id in predictions.ids]
    assert found.samples == len(truth) == 6
    answers = predictions.probs.argmax(axis=1)
    assert found.headline["accuracy"].value == reference.accuracy_score(truth, answers)
    assert found.headline["brier"].value == pytest.approx(
        np.mean(((predictions.probs - np.eye(3)[truth]) ** 2).sum(axis=1)), abs=1e-6
    )
    assert found.classes[2].recall.why == "no sample has it"
    assert done.assess(FolderSource(new(done))).record() == done.assess(new(done)).record()


def test_out_of_fold_and_holdout_are_measured_without_predicting(done, monkeypatch):
    monkeypatch.setattr(type(done), "predict", None)
    measured = done.evaluate()
    assert done.assess().heads[0].headline["accuracy"].value == measured["oof"]["accuracy"]
    held = done.assess(holdout=True)
    assert held.heads[0].headline["accuracy"].value == measured["holdout"]["accuracy"]


def test_the_command_measures_new_samples_and_tells_what_they_lack(done, capsys, tmp_path):
    torch.set_num_threads(1)
    folder, table = str(done.folder.root), tmp_path / "new.csv"
    assert app.run(["evaluate", folder, str(new(done)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["assessments"]
    table.write_text("file,kind\ncircle/000.png,circle\nsquare/001.png,square\n")
    here = ["--images", str(new(done)), "-o", str(tmp_path / "out")]
    assert app.run(["evaluate", folder, str(table), *here]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{table} 2 samples\n")
    assert "over 2 of 3 classes; 'triangle': no sample has it" in err
    assert found[str(new(done))]["samples"] == 6
    assert (tmp_path / "out" / "per_class.csv").is_file()


def test_samples_that_were_trained_on_are_told_with_their_out_of_fold_number(
    done, capsys, tmp_path
):
    torch.set_num_threads(1)
    folder, photos = str(done.folder.root), tmp_path / "again"
    rows = [row for row in Audit.load(done.folder.audit_path).rows if row.status == "used"]
    fold_of = Splits.load(done.folder.folds_path).fold_of
    for number, row in enumerate(rows):  # by other names, and some of the holdout too
        to = photos / row.sample_id.split("/")[0] / f"renamed-{number}{Path(row.path).suffix}"
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(done.folder.root / "shapes" / row.sample_id, to)
    count = sum(fold_of[row.sample_id] >= 0 for row in rows)
    assert 0 < count < len(rows)
    assert app.run(["evaluate", folder, str(photos), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["assessments"].values()
    assert (found["trained_on"], found["samples"]) == (count, len(rows))
    accuracy = done.assess().heads[0].headline["accuracy"].value
    assert found["notes"][-1] == (
        f"{count} of {len(rows)} samples were trained on, so these numbers are too good; "
        f"out of fold they have accuracy {accuracy:.4f}"
    )
    assert app.run(["evaluate", folder, str(photos)]) == 0
    out, err = capsys.readouterr()
    assert found["notes"][-1] in err
    assert "partly" in out


def test_new_samples_are_not_called_trained_on(done):
    found = done.assess(new(done))
    assert found.trained_on == 0
    assert not any("trained on" in note for note in found.notes)


def test_unknown_classes_are_told_before_anything_is_predicted(done, capsys, tmp_path, monkeypatch):
    draw_folders(tmp_path / "other", 1)
    (tmp_path / "other" / "square").rename(tmp_path / "other" / "star")
    monkeypatch.setattr(type(done), "predict", None)
    with pytest.raises(DataError, match=r"got 1 sample of others: 'star' \(1\)"):
        done.assess(tmp_path / "other")
    assert app.run(["evaluate", str(done.folder.root), str(tmp_path / "other")]) == 3
    assert "'star'" in capsys.readouterr().err
