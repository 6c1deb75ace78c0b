import pytest

from fivefold.config import parse
from fivefold.core import optional
from fivefold.core.errors import MissingExtraError
from fivefold.experiment.callback_checks import (
    callback_problems,
    check_extras,
    say_what_is_idle,
    with_columns,
)

HEAD = "architecture: tiny\nstages:\n  - {epochs: 2}\n"


def problems(text):
    config = parse(HEAD + text)
    return [str(p) for stage in config.resolve() for p in callback_problems(config, stage)]


TWO = "expected one owner of the learning rate, got"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "callbacks:\n  CyclicLR: {max_lr: 0.1}\n  ReduceLROnPlateau: {patience: 2}\n",
            f"config.yaml:6:22: callbacks.ReduceLROnPlateau: {TWO} callbacks.CyclicLR too, at "
            "config.yaml:5:13",
        ),
        (
            "schedule: OneCycle\ncallbacks:\n  LRVariator: {relSize: 1}\n",
            f"config.yaml:6:15: callbacks.LRVariator: {TWO} schedule.OneCycle too, at "
            "config.yaml:4:11",
        ),
        (
            "schedule: cosine\noptimizer: {SGD: {decay: 0.1}}\n",
            f"config.yaml:5:26: optimizer.SGD.decay: {TWO} schedule.cosine too, at "
            "config.yaml:4:11",
        ),
        (
            "callbacks:\n  - CyclicLR\n  - CyclicLR: {mode: triangular2}\n",
            f"callbacks.CyclicLR: {TWO} callbacks.CyclicLR too",
        ),
    ],
)
def test_two_owners_of_the_learning_rate_are_told_with_both_lines(text, expected):
    (problem,) = problems(text)
    assert expected in problem
    assert "remove one of them" in problem


def test_each_further_owner_is_a_problem():
    config = parse(HEAD + "schedule: cosine\ncallbacks: {CyclicLR: {}, LRVariator: {relSize: 1}}\n")
    found = callback_problems(config, config.resolve()[0])
    assert [problem.slug for problem in found] == ["config/two-rates"] * 2


@pytest.mark.parametrize(
    "text",
    [
        "schedule: constant\ncallbacks: {CyclicLR: {}}\n",
        "schedule: OneCycle\ncallbacks: {EarlyStopping: {patience: 3}}\nearly_stopping: 4\n",
        "callbacks: {ReduceLROnPlateau: {}}\noptimizer: {SGD: {decay: 0}}\n",
        "callbacks: {LRVariator: {relSize: 1, then: {ReduceLROnPlateau: {patience: 1}}}}\n",
        "callbacks:\n",
    ],
)
def test_one_owner_is_enough(text):
    assert problems(text) == []


def test_a_stage_may_take_the_experiments_schedule_away():
    text = (
        "architecture: tiny\nschedule: cosine\nstages:\n  - {epochs: 1}\n"
        "  - {epochs: 1, schedule: constant, callbacks: {CyclicLR: {}}}\n"
        "  - {epochs: 1, extra_callbacks: {CyclicLR: {}}}\n"
    )
    config = parse(text)
    found = [len(callback_problems(config, stage)) for stage in config.resolve()]
    assert found == [0, 0, 1]
    (problem,) = callback_problems(config, config.resolve()[2])
    assert problem.message.startswith("stages.2.extra_callbacks.CyclicLR: ")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("LearningRateScheduler", "it calls a Python function"),
        ("lambdacallback", "it calls Python functions"),
        ("RemoteMonitor", "fivefold sends nothing over the network"),
    ],
)
def test_callbacks_that_cannot_be_honoured_are_refused_with_the_reason(name, hint):
    config = parse(HEAD + f"callbacks: {{{name}: {{}}}}\n")
    (problem,) = callback_problems(config, config.resolve()[0])
    assert problem.slug == "config/refused-callback"
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize(
    ("name", "meant"), [("CyclikLR", "CyclicLR"), ("EarlyStoping", "EarlyStopping")]
)
def test_an_unknown_name_gets_the_closest_of_both_catalogs(name, meant):
    (problem,) = problems(f"callbacks: {{{name}: {{}}}}\n")
    assert "expected the name of a known callback" in problem
    assert f"did you mean '{meant}'?" in problem


def test_schedules_that_are_no_callbacks_are_unknown_among_them():
    (problem,) = problems("callbacks: {OneCycle: {}}\n")
    assert "expected the name of a known callback, got 'OneCycle'" in problem


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("callbacks: {CyclicLR: {mode: square}}\n", "callbacks.CyclicLR.mode: expected"),
        (
            "callbacks: {LRVariator: {relSize: 1, then: {ReduceLROnPlateau: {factor: 2}}}}\n",
            "then.ReduceLROnPlateau.factor: expected",
        ),
        (
            "callbacks: {LRVariator: {relSize: 1, then: {Plateau: {}}}}\n",
            "callbacks.LRVariator.then: expected the name of a known callback, got 'Plateau'",
        ),
    ],
)
def test_wrong_options_are_told_with_their_place(text, where):
    (problem,) = problems(text)
    assert where in problem
    assert problem.startswith("config.yaml:4:")


def test_what_has_no_effect_is_said_once_with_its_line(caplog):
    config = parse(
        "architecture: tiny\ncallbacks:\n  EarlyStopping: {restore_best_weights: false}\n"
        "  History: {}\n  TensorBoard: {histogram_freq: 1, log_dir: logs}\n"
        "  ModelCheckpoint: {filepath: best.hdf5}\n"
        "stages:\n  - {epochs: 1}\n  - {epochs: 1}\n"
    )
    say_what_is_idle(config, config.resolve())
    assert [line.partition(": has")[0] for line in caplog.messages] == [
        "config.yaml:3:18: EarlyStopping",
        "config.yaml:4:12: History",
        "config.yaml:5:16: TensorBoard",
        "config.yaml:6:20: ModelCheckpoint",
    ]
    assert "a stage always ends with its best weights" in caplog.text


def test_monitors_in_chains_become_columns():
    plateau = {"patience": 2, "monitor": "val_acc"}
    chain = {"relSize": 1, "then": {"ReduceLROnPlateau": plateau}}
    name, options = with_columns("LRVariator", chain, {"val_acc": "val_accuracy"}.get)
    assert name == "LRVariator"
    assert options["then"]["ReduceLROnPlateau"]["monitor"] == "val_accuracy"
    assert plateau["monitor"] == "val_acc"


def test_log_all_is_short_for_a_callback():
    config = parse("architecture: tiny\nstages:\n  - {epochs: 1, logAll: true}\n")
    (stage,) = config.resolve()
    assert stage.callbacks == (("StepLogger", {}),)
    assert callback_problems(config, stage) == []


def test_the_short_form_of_early_stopping_watches_the_primary_metric():
    config = parse(HEAD + "early_stopping: 4\nprimary_metric: val_acc\nmetrics: [acc]\n")
    (stage,) = config.resolve()
    expected = {"patience": 4, "monitor": "val_acc", "mode": "auto"}
    assert stage.callbacks == (("EarlyStopping", expected),)


def test_a_callback_whose_package_is_not_there_says_so_before_training(monkeypatch):
    config = parse(HEAD + "callbacks:\n  TensorBoard: {}\n  mlflow: {}\n")
    check_extras(config, config.resolve())
    monkeypatch.setattr(optional.importlib.util, "find_spec", lambda name: None)
    message = r"config.yaml:6:11: MLflow needs the package 'mlflow', which is not installed"
    with pytest.raises(MissingExtraError, match=message) as error:
        check_extras(config, config.resolve())
    assert 'pip install "fivefold[tracking]"' in str(error.value)
