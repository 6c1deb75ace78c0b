"""Near duplicates in a run: one fold for them, a report, and nothing new when it is resumed."""

import json

import pytest
import torch
from PIL import Image
from runs import CONFIG, write_experiment
from typer.testing import CliRunner

from fivefold.cli.app import app
from fivefold.core.errors import ConfigError, StateError
from fivefold.core.progress import Silent
from fivefold.data.split_report import NEAR, SplitReport
from fivefold.data.splits import Splits
from fivefold.experiment.datasets import draft_folds, prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary


def with_copies(tmp_path, config=CONFIG, per_class=12, count=6):
    """Write an experiment some of whose images are there a second time as a JPEG."""
    folder = write_experiment(tmp_path, config=config, per_class=per_class)
    copied = sorted(tmp_path.rglob("circle/*.png"))[:count]
    for path in copied:
        Image.open(path).save(path.with_name(f"saved anew {path.stem}.jpg"), quality=90)
    return folder


def pairs_of(splits):
    folds = dict(splits.fold_of)
    for name, fold in folds.items():
        if "saved anew" in name:
            yield fold, folds[name.replace("saved anew ", "").replace(".jpg", ".png")]


def test_near_duplicates_are_in_one_fold_and_the_report_says_so(tmp_path):
    torch.set_num_threads(1)
    run = Experiment.load(with_copies(tmp_path))
    summary = run.fit(reuse=False)
    splits = Splits.load(run.folder.folds_path)
    pairs = list(pairs_of(splits))
    assert len(pairs) == 6
    assert all(fold == other for fold, other in pairs)
    report = SplitReport.load(run.folder.split_report_path)
    assert (report.ties[NEAR].sets, report.ties[NEAR].torn, report.distance) == (6, 0, 4)
    assert read_summary(run.folder).split_deviation == summary.split_deviation
    assert summary.split_deviation == report.evenness.deviation


def test_without_looking_for_them_they_are_torn_apart(tmp_path):
    config = CONFIG + "near_duplicates: off\n"
    run = Experiment.load(with_copies(tmp_path, config=config))
    prepared = prepare(run.source(), run.config, run.folder, Silent())
    assert any(fold != other for fold, other in pairs_of(prepared.splits))
    assert prepared.report.distance == 0
    assert NEAR not in prepared.report.ties


def test_given_folds_that_tear_them_apart_are_told(tmp_path, caplog):
    run = Experiment.load(with_copies(tmp_path))
    ids = run.source().sample_ids
    lists = [[name for name in ids if ("saved" in name) == bool(k)] for k in (0, 1)]
    config = CONFIG + f"folds_from: {json.dumps(lists)}\n"
    (tmp_path / "config.yaml").write_text(config)
    run = Experiment.load(tmp_path)
    prepared = prepare(run.source(), run.config, run.folder, Silent())
    assert "copies or near duplicates are in several folds" in caplog.text
    assert prepared.report.ties[NEAR].torn == 6


def test_a_class_whose_images_are_one_picture_is_told_once_folds_are_drawn(tmp_path, caplog):
    write_experiment(tmp_path, config=CONFIG, per_class=12)
    circles = sorted(tmp_path.rglob("circle/*.png"))
    for k, path in enumerate(circles[1:], 1):
        Image.open(circles[0]).save(path.with_name(f"{k}.jpg"), quality=80 + k)
        path.unlink()
    run = Experiment.load(tmp_path)
    prepare(run.source(), run.config, run.folder, Silent())
    told = "folds: classes that a fold's model is not trained on: 'circle' in fold"
    assert caplog.text.count(told) == 1


def test_further_training_samples_that_are_near_duplicates_are_told(tmp_path, caplog):
    with_copies(tmp_path)
    for path in sorted(tmp_path.rglob("saved anew*")):
        target = tmp_path / "more" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    (tmp_path / "config.yaml").write_text(CONFIG + "extra_train_data: {folder: more}\n")
    run = Experiment.load(tmp_path)
    prepare(run.source(), run.config, run.folder, Silent())
    assert "folds: 6 of 6 sets of near duplicates are torn apart, such as" in caplog.text


def test_a_run_whose_folds_are_older_than_the_key_goes_on(tmp_path):
    torch.set_num_threads(1)
    run = Experiment.load(with_copies(tmp_path))
    run.fit(folds=[0], reuse=False)
    path = run.folder.folds_path
    saved = Splits.load(path)
    assert saved.settings["near_duplicates"] == 4
    older = {key: value for key, value in saved.settings.items() if key != "near_duplicates"}
    Splits(saved.fold_of, saved.num_folds, saved.fingerprint, older, saved.marks).save(path)
    run.folder.split_report_path.unlink()
    prepared = prepare(run.source(), run.config, run.folder, Silent())
    assert dict(prepared.splits.fold_of) == dict(saved.fold_of)
    assert prepared.report is None
    other = Experiment.load(tmp_path, ["near_duplicates=2"])
    Splits(saved.fold_of, saved.num_folds, saved.fingerprint, saved.settings, saved.marks).save(
        path
    )
    with pytest.raises(StateError, match="near_duplicates was 4, is 2"):
        prepare(other.source(), other.config, other.folder, Silent())


def test_folds_are_the_same_wherever_pixels_come_from(tmp_path):
    folder = with_copies(tmp_path)
    drawn = []
    for cache in ("true", "true", "false"):
        run = Experiment.load(folder, [f"cache={cache}"])
        drawn.append(dict(draft_folds(run.source(), run.config, Silent()).fold_of))
    assert drawn[0] == drawn[1] == drawn[2]


def test_check_says_how_good_the_folds_are(tmp_path):
    folder = with_copies(tmp_path)
    found = CliRunner().invoke(app, ["check", str(folder)])
    assert found.exit_code == 0
    assert "classes differ by at most" in found.output
    assert "12 samples in 6 sets of near duplicates" in found.output


@pytest.mark.parametrize("value", ["0", "9", "some", "4.5"])
def test_other_distances_are_refused(tmp_path, value):
    folder = write_experiment(tmp_path, config=CONFIG + f"near_duplicates: {value}\n")
    with pytest.raises(ConfigError, match="near_duplicates: expected 'off' or a whole number"):
        Experiment.load(folder)
