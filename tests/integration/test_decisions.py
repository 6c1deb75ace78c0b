"""What becomes of predictions: chosen by `fit`, used by `predict`, changed without training."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from runs import CONFIG, write_experiment
from shapes import NAMES

from fivefold.cli import app
from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions, average
from fivefold.data import PythonSource
from fivefold.evaluation.temperature import with_temperature
from fivefold.evaluation.thresholds import answers_at
from fivefold.experiment.decisions import read_decisions
from fivefold.experiment.experiment import Experiment

TAGS = """\
loss: binary_crossentropy
testSplit: 0.2
calibration: temperature
thresholds: f1
"""


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """An experiment with several labels for an image, trained."""
    folder = tmp_path_factory.mktemp("tagged")
    dataset = "{csv: labels.csv, images: shapes, label_column: tags}"
    config = CONFIG.replace("metrics: [accuracy]", "metrics: [macro_f1]")
    config = config.replace("val_accuracy", "val_macro_f1").replace("{folder: shapes}", dataset)
    write_experiment(folder, per_class=20, config=config + TAGS)
    rows = [
        (f"{name}/{number:03d}.png", f"{name}|even" if number % 2 == 0 else name)
        for name in NAMES
        for number in range(20)
    ]
    lines = "".join(f"{path},{tags}\n" for path, tags in rows)
    (folder / "labels.csv").write_text(f"file,tags\n{lines}")
    experiment = Experiment.load(folder)
    experiment.fit()
    return experiment


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_model_is_scaled_before_the_mean(tagged):
    images = tagged.folder.root / "shapes" / "circle"
    found = tagged.predict(images)
    temperature = read_decisions(tagged.folder).heads[0].temperature
    assert temperature != 1
    alone = [tagged.predict(images, folds=[fold], raw=True) for fold in (0, 1)]
    own = [replace(p, probs=with_temperature(p.probs, "sigmoid", temperature)) for p in alone]
    np.testing.assert_allclose(found.probs, average(own).probs, atol=1e-6)
    assert not np.allclose(found.probs, average(alone).probs, atol=1e-4)
    np.testing.assert_array_equal(tagged.predict(images, raw=True).probs, average(alone).probs)


def test_labels_are_those_above_thresholds_and_one_line_says_so(tagged, tmp_path, capsys):
    images, output = tagged.folder.root / "shapes" / "circle", tmp_path / "labels.csv"
    command = ["predict", str(tagged.folder.root), str(images), "-o", str(output)]
    assert app.run(command) == 0
    told = capsys.readouterr().err
    assert "; thresholds for the highest F1; chosen on 48 out-of-fold predictions" in told
    decisions = read_decisions(tagged.folder)
    names, thresholds = decisions.heads[0].head.class_names, decisions.heads[0].thresholds
    found = tagged.predict(images)
    rows = table(output)
    for row, answers in zip(rows, answers_at(found.probs, thresholds), strict=True):
        assert row["label"] == "|".join(n for n, a in zip(names, answers, strict=True) if a)
    assert app.run([*command, "--raw", "--force"]) == 0
    assert "applied" not in capsys.readouterr().err
    raw = tagged.predict(images, raw=True).probs
    expected = ["|".join(n for n, p in zip(names, row, strict=True) if p > 0.5) for row in raw]
    assert [row["label"] for row in table(output)] == expected


def test_sets_have_a_column(tagged, tmp_path, capsys):
    images, output = tagged.folder.root / "shapes" / "circle", tmp_path / "labels.csv"
    command = ["predict", str(tagged.folder.root), str(images), "-o", str(output)]
    assert app.run([*command, "--sets", "0.7"]) == 0
    told = capsys.readouterr().err
    assert "sets: one model's hold the true class with probability 0.7; those of 2 " in told
    assert "proven for 0.4, mostly 0.7 or more; on the holdout " in told
    decisions = tagged.decisions(coverage=0.7)
    assert decisions.wishes.coverage == 0.7
    names = decisions.heads[0].head.class_names
    alone = [tagged.predict(images, folds=[fold]).probs for fold in (0, 1)]
    levels = np.float32(decisions.heads[0].levels)
    found = tagged.predict(images)
    sets = (alone[0] >= levels) | (alone[1] >= levels)
    sets |= answers_at(found.probs, decisions.heads[0].thresholds)
    for row, chosen in zip(table(output), sets, strict=True):
        assert row["set"] == "|".join(n for n, a in zip(names, chosen, strict=True) if a)
        assert set(row["label"].split("|")) <= {*row["set"].split("|"), ""}
    again, as_python = tagged.predict_sets(images, 0.7)
    np.testing.assert_array_equal(again.probs, found.probs)
    np.testing.assert_array_equal(as_python, sets)
    with pytest.raises(DataError, match="predict"):
        tagged.predict_sets(PythonSource([], ()), 0.7)


def test_muskets_names_give_what_the_models_say(tagged):
    from fivefold import classification

    cfg = classification.parse(tagged.folder.config_path)
    images = str(tagged.folder.root / "shapes" / "circle")
    raw = tagged.predict(tagged.folder.root / "shapes" / "circle", raw=True).probs
    found = cfg.predict_all_to_array(images, [0, 1], -1)
    np.testing.assert_allclose(found, raw, atol=1e-6)


def test_other_wishes_train_nothing_and_change_the_file(tagged, capsys):
    root = tagged.folder.root
    weights = {p: p.read_bytes() for p in (root / "weights").iterdir()}
    before = tagged.folder.decisions_path.read_bytes()
    try:
        assert app.run(["fit", str(root), "--set", "thresholds={recall: 0.9}"]) == 0
        told = capsys.readouterr().err
        assert "decisions.json: made, since the config asks for others; nothing is trained" in told
        assert "already finished: nothing to train" in told
        assert read_decisions(tagged.folder).wishes.thresholds.kind == "recall"
        assert {p: p.read_bytes() for p in (root / "weights").iterdir()} == weights
    finally:
        tagged.folder.decisions_path.write_bytes(before)
    assert app.run(["fit", str(root)]) == 0
    assert "already finished: nothing to do" in capsys.readouterr().err
    tagged.folder.decisions_path.unlink()
    assert app.run(["report", str(root)]) == 0
    assert tagged.folder.decisions_path.read_bytes() == before


def test_an_evaluation_tells_what_was_decided(tagged, capsys):
    assert app.run(["evaluate", str(tagged.folder.root), "--json"]) == 0
    decided = json.loads(capsys.readouterr().out)["decisions"]
    assert decided["asked"]["thresholds"] == "the highest F1"
    assert set(decided["heads"][0]["thresholds"]) == {"even", *NAMES}
    assert decided["heads"][0]["holdout"]["samples"] == 12
    assert app.run(["evaluate", str(tagged.folder.root)]) == 0
    assert "chosen on        48 out-of-fold predictions of stage 1" in capsys.readouterr().out


def test_a_damaged_file_stops_whoever_uses_it_and_names_the_way_out(tagged, capsys):
    path, before = tagged.folder.decisions_path, tagged.folder.decisions_path.read_bytes()
    try:
        path.write_bytes(before.replace(b'"temperature": true', b'"temperature": false'))
        images = str(tagged.folder.root / "shapes" / "circle")
        assert app.run(["predict", str(tagged.folder.root), images, "-o", "-"]) == 4
        assert "delete it; `fivefold fit" in capsys.readouterr().err
        assert app.run(["predict", str(tagged.folder.root), images, "-o", "-", "--raw"]) == 0
        assert app.run(["report", str(tagged.folder.root)]) == 0
        assert "decisions are left as they are" in capsys.readouterr().err
    finally:
        path.write_bytes(before)


@pytest.mark.slow
def test_decisions_follow_the_folds_that_are_trained_meanwhile(tmp_path):
    write_experiment(tmp_path, per_class=6)
    experiment = Experiment.load(tmp_path)
    experiment.fit(folds=[0])
    assert experiment.decisions().folds == (0,)
    experiment.fit()
    assert experiment.decisions() == read_decisions(experiment.folder)


def test_an_earlier_stage_has_decisions_of_its_own(tagged):
    decisions = tagged.decisions(0)
    assert decisions.stage == 0
    parts = [Predictions.load(tagged.folder.predictions("validation", f, 0)) for f in (0, 1)]
    assert decisions.samples == sum(map(len, parts))
    assert decisions.heads[0].temperature != tagged.decisions().heads[0].temperature
