import re

import pytest
from runs import CONFIG, write_experiment

from fivefold.experiment import estimate
from fivefold.experiment.experiment import Experiment

SHORT = re.sub(r"stages:(.|\n)*", "stages: [{epochs: 4}]\ndataset: {folder: shapes}\n", CONFIG)


def seconds_of(experiment):
    (number,) = re.findall(r"about (\d+) s for all folds", dict(experiment.check().lines)["time"])
    return int(number)


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "_tried", lambda *_: 2.0)  # an epoch of one fold
    monkeypatch.setattr(estimate.time, "process_time", lambda: 5.0)
    config = SHORT.replace("folds_count: 2", "folds_count: 3")
    assert config.count("folds_count: 3") == 1
    return Experiment.load(write_experiment(tmp_path, config=config))


def test_start_training_and_end_are_in_the_time(experiment, monkeypatch):
    monkeypatch.setattr(estimate, "how_many", lambda *_: 1)
    training = 3 * 4 * 2
    assert 5 + training + 3 < seconds_of(experiment) < 5 + training + 3 + 3 * 4


def test_of_three_folds_two_at_once_take_two_rounds(experiment, monkeypatch):
    monkeypatch.setattr(estimate, "how_many", lambda *_: 2)
    assert 5 + 2 * 4 * 2 + 3 < seconds_of(experiment) < 5 + 3 * 4 * 2 + 3


def test_a_process_that_is_older_than_a_start_counts_as_one(experiment, monkeypatch):
    monkeypatch.setattr(estimate, "how_many", lambda *_: 1)
    before = seconds_of(experiment)
    monkeypatch.setattr(estimate.time, "process_time", lambda: 3600.0)
    assert 10 < seconds_of(experiment) - before < 20
