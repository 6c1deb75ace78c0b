import pytest

from fivefold.config import parse
from fivefold.core.types import Head
from fivefold.experiment.remarks import (
    say_of_one_true_class,
    say_what_is_odd,
    say_without_result,
)

HEAD = "architecture: tiny\nmetrics: [accuracy]\nstages: [{epochs: 10}]\n"
AT = "config.yaml:4:"


def odd(caplog, text, head=HEAD):
    config = parse(head + text)
    say_what_is_odd(config, config.resolve())
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            "{cosine: {warmup_epochs: 10}}",
            "36: schedule.cosine.warmup_epochs: 10 epochs of warm-up leave nothing to fall in",
        ),
        (
            "{Warmup: {epochs: 10.5}}",
            "29: schedule.Warmup.epochs: 10.5 epochs of warm-up never reach the learning rate",
        ),
        (
            "{MultiStep: {milestones: [5, 30, 10]}}",
            "36: schedule.MultiStep.milestones: 10 and 30 are never reached",
        ),
        ("{StepLR: {step_size: 10}}", "32: schedule.StepLR.step_size: 10 is never reached"),
        ("{StepDrop: {steps: 11}}", "30: schedule.StepDrop.steps: 11 is never reached"),
    ],
)
def test_what_a_stage_is_too_short_for_is_told_with_its_line(caplog, schedule, expected):
    (told,) = odd(caplog, f"schedule: {schedule}\n")
    assert told == f"{AT}{expected}: stage 0 has 10 epochs"


@pytest.mark.parametrize(
    "schedule",
    [
        "OneCycle",
        "{cosine: {warmup_epochs: 9.5}}",
        "{Warmup: {epochs: 10}}",
        "{MultiStep: {milestones: [9]}}",
        "{Step: {step_size: 9}}",
        "{StepDrop: {steps: 10}}",
    ],
)
def test_what_a_stage_has_room_for_is_no_remark(caplog, schedule):
    assert odd(caplog, f"schedule: {schedule}\n") == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MultiStep", {"milestones": [10]}),
        ("Step", {"step_size": 10}),
        ("StepDrop", {"steps": 11}),
    ],
)
def test_what_is_never_reached_changes_no_rate(name, options):
    from fivefold.optim import Moment, build_schedule, never_reached

    schedule = build_schedule(name, options)
    rates = {schedule(Moment(step, 3, 10, 0.5, 0.5)) for step in range(30)}
    assert rates == {0.5}
    assert never_reached(name, options, 10)
    longer = {schedule(Moment(step, 3, 11, 0.5, 0.5)) for step in range(33)}
    assert len(longer) == 2
    assert not never_reached(name, options, 11)


def test_a_schedule_of_all_stages_names_the_short_one(caplog):
    head = "architecture: tiny\nstages: [{epochs: 1}, {epochs: 30}]\n"
    (told,) = odd(caplog, "schedule: {Step: {step_size: 20}}\n", head)
    assert told == "config.yaml:3:30: schedule.Step.step_size: 20 is never reached: " + (
        "stage 0 has 1 epoch"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "primary_metric_mode: max\nearly_stopping: 3\n",
            "22: primary_metric_mode: expected 'min', since val_loss is better when it is lower, "
            "got 'max': the worst counts as the best",
        ),
        (
            "primary_metric_mode: min\nprimary_metric: val_acc\n",
            "22: primary_metric_mode: expected 'max', since val_acc is better when it is higher, "
            "got 'min': the worst counts as the best",
        ),
        (
            "callbacks: {EarlyStopping: {mode: max}}\n",
            "35: callbacks.EarlyStopping.mode: expected 'min', since val_loss is better when it "
            "is lower, got 'max': the worst counts as the best",
        ),
    ],
)
def test_a_number_that_is_turned_round_is_told_with_its_line(caplog, text, expected):
    assert odd(caplog, text) == [f"{AT}{expected}"]


@pytest.mark.parametrize(
    "text",
    [
        "primary_metric_mode: min\n",
        "primary_metric_mode: max\nprimary_metric: val_accuracy\n",
        "callbacks: {EarlyStopping: {mode: auto}, ReduceLROnPlateau: {patience: 2}}\n",
    ],
)
def test_a_number_in_its_own_direction_is_no_remark(caplog, text):
    assert odd(caplog, text) == []


ONE = (Head("", "softmax", ("a", "b")),)
TWO = (Head("size", "softmax", ("a", "b")), Head("kind", "softmax", ("c", "d")))


@pytest.mark.parametrize(
    ("result", "heads", "held_out", "expected"),
    [
        (
            "macro_f1_holdout",
            ONE,
            False,
            "expected a holdout to measure 'macro_f1_holdout' on, got none: `testSplit: 0.1` "
            "makes one",
        ),
        (
            "colour_accuracy",
            TWO,
            True,
            "expected a metric of the outputs 'size', 'kind', got 'colour_accuracy'",
        ),
    ],
)
def test_a_result_that_there_will_not_be_is_told(caplog, result, heads, held_out, expected):
    config = parse(f"{HEAD}experiment_result: {result}\n")
    say_without_result(config, config.resolve()[0], heads, held_out=held_out)
    assert caplog.messages == [f"{AT}20: experiment_result: {expected}"]


@pytest.mark.parametrize("result", ["macro_f1_holdout", "size_acc", "val_loss", "loss", "auc"])
def test_a_result_that_there_will_be_is_no_remark(caplog, result):
    config = parse(f"{HEAD}experiment_result: {result}\n")
    say_without_result(config, config.resolve()[0], TWO, held_out=True)
    assert caplog.messages == []


def test_what_a_callback_of_ones_own_watches_is_its_own_affair(caplog):
    from fivefold.engine.callbacks import callbacks

    @callbacks.add(name="Rain")
    class Rain:
        def __init__(self, *, mode: str = "max", monitor: str = "weather") -> None:
            pass

    try:
        assert odd(caplog, "callbacks: {Rain: {mode: min}}\n") == []
    finally:
        del callbacks._by_name["Rain"], callbacks._by_key["rain"]


@pytest.mark.parametrize(
    ("loss", "activation", "told"),
    [
        ("categorical_crossentropy", "sigmoid", True),
        ("binary_crossentropy+0.1*categorical_focal_crossentropy", "sigmoid", True),
        ("binary_crossentropy", "sigmoid", False),
        ("categorical_crossentropy", "softmax", False),
        ("[binary_crossentropy, categorical_crossentropy]", "sigmoid", False),
    ],
)
def test_a_loss_for_one_true_class_among_several_is_told_with_its_line(
    caplog, loss, activation, told
):
    config = parse(f"{HEAD}loss: {loss}\n")
    heads = [Head("a", activation, ("x", "y")), Head("b", "softmax", ("u", "v"))]
    say_of_one_true_class(config, config.resolve(), heads[: 2 if loss[0] == "[" else 1])
    found = [record.getMessage() for record in caplog.records]
    assert [text.startswith(f"{AT}7: loss: 'categorical") for text in found] == [True] * told
    assert all(text.endswith("`binary_crossentropy` learns better") for text in found)
