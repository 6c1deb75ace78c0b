"""`num_seeds`: an experiment several times, with other random numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from runs import CONFIG, write_experiment

from fivefold.cli import app
from fivefold.config import load
from fivefold.core.layout import RunFolder
from fivefold.data.splits import Splits
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.repeats import conclude_repeats, write_repeats
from fivefold.experiment.summary import read_summary

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/num_seeds.yaml"
KEYS = """\
num_seeds: 2
testSplit: 0.2
augmentation: {Multiply: [0.8, 1.2], Fliplr: 0.5}
imports: [nothing]
"""


def written(folder, keys=KEYS):
    write_experiment(folder, config=CONFIG.replace("epochs: 2", "epochs: 1") + keys)
    (folder / "nothing.py").write_text("")
    return folder


def test_a_musket_file_asks_for_them():
    config = load(FIXTURE)
    assert (config.not_yet(), config.num_seeds) == ([], 3)


def test_each_repeat_is_an_experiment_with_other_seeds(tmp_path):
    written(tmp_path)
    (tmp_path / "folds.csv").write_text("id,fold\n")
    whole = load(tmp_path, ["lr=0.5", "seed=7", "folds_from=folds.csv"])
    places = write_repeats(whole, RunFolder.of(tmp_path))
    assert places == [tmp_path / "0", tmp_path / "1"]
    for k, place in enumerate(places):
        config = load(place)
        assert (config.seed, config.random_state, config.test_split_seed) == (
            7 + k,
            33 + k,
            123 + k,
        )
        assert (config.lr, config.num_seeds) == (0.5, 1)
        assert config.dataset.folder == "../shapes"
        assert config.folds_from == "../folds.csv"
        assert [name for name, _ in config.augmentation] == ["Multiply", "Fliplr"]
    before = {k: v for k, v in whole.model_dump().items() if "seed" not in k}
    after = {k: v for k, v in load(places[0]).model_dump().items() if "seed" not in k}
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"dataset", "folds_from"}
    times = [(place / "config.yaml").stat().st_mtime_ns for place in places]
    write_repeats(whole, RunFolder.of(tmp_path))
    assert times == [(place / "config.yaml").stat().st_mtime_ns for place in places]


def test_a_repeat_has_no_seed_without_effect(tmp_path, caplog):
    written(tmp_path, keys="num_seeds: 2\n")
    for place in write_repeats(load(tmp_path), RunFolder.of(tmp_path)):
        load(place)
    assert caplog.records == []


def test_its_summary_is_over_them(tmp_path, capsys):
    torch.set_num_threads(1)
    folder = written(tmp_path)
    assert app.run(["fit", str(folder), "--allow-imports", "--jobs", "1", "--set", "lr=0.02"]) == 0
    err = capsys.readouterr().err
    parts = [read_summary(RunFolder.of(folder / name)) for name in "01"]
    whole = read_summary(RunFolder.of(folder))
    assert whole.num_seeds == 2
    for stage, own in enumerate(whole.stages):
        for name, spread in own.items():
            means = [part.stages[stage][name]["mean"] for part in parts]
            assert spread["mean"] == pytest.approx(np.mean(means))
            assert spread["std"] == pytest.approx(np.std(means))
    assert whole.oof["accuracy"] == pytest.approx(np.mean([p.oof["accuracy"] for p in parts]))
    assert whole.result == pytest.approx(np.mean([part.result for part in parts]))
    found = whole.stages[-1]["val_accuracy"]
    number = f"{found['mean']:.4f} ± {found['std']:.4f}"
    assert f"{folder}: val_accuracy {number} over 2 seeds\n" in err
    splits = [Splits.load(RunFolder.of(folder / name).folds_path) for name in "01"]
    assert splits[0].holdout_ids != splits[1].holdout_ids

    record = YAML(typ="safe", pure=True).load((folder / "summary.yaml").read_text())
    assert record["num_seeds"] == 2
    # again there is nothing to do, and one repeat can be used like any other experiment
    assert app.run(["fit", str(folder), "--allow-imports", "--jobs", "1", "--set", "lr=0.02"]) == 0
    assert capsys.readouterr().err.count("already finished: nothing to do") == 2
    one = Experiment.load(folder / "1", allow_imports=True)
    assert len(one.predict(folder / "shapes/circle", folds=[0])) == 8


def test_python_trains_them_too_and_stops_when_time_is_over(tmp_path):
    torch.set_num_threads(1)
    folder = written(tmp_path)
    run = Experiment.load(folder, allow_imports=True)
    stopped = run.fit(jobs=1, time_limit=0.0)
    assert stopped.stopped
    assert not (folder / "summary.yaml").exists()
    assert not (folder / "1/data").exists()
    assert conclude_repeats(run.folder, [folder / "0", folder / "1"]) is None
    assert run.fit(jobs=1).num_seeds == 2
    assert (folder / "1/summary.yaml").exists()
