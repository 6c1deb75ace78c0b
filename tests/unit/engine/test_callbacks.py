import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fivefold.engine.callbacks import (
    Control,
    EarlyStopping,
    ReduceLROnPlateau,
    StageInfo,
    TensorBoard,
    build_callbacks,
    callbacks,
)

VALUES = st.lists(st.one_of(st.sampled_from([0.1, 0.2, 0.3]), st.just(math.nan)), max_size=12)


def run(callback, values, lr=1.0):
    """Feed values until it stops: learning rate after each epoch."""
    rates = []
    for epoch, value in enumerate(values):
        control = Control(lr)
        callback.on_epoch_end(epoch, {"val_loss": value, "val_accuracy": value}, control)
        lr = control.lr
        rates.append(lr)
        if control.stopped:
            break
    return rates


@given(VALUES, st.integers(0, 3))
def test_early_stopping_follows_keras(values, patience):
    best, wait, epochs = math.inf, 0, 0
    for value in values:
        epochs += 1
        if value < best:
            best, wait = value, 0
            continue
        wait += 1
        if wait >= patience:
            break
    assert len(run(EarlyStopping(patience=patience), values)) == epochs


@given(VALUES, st.integers(0, 3), st.integers(0, 3))
def test_reduce_on_plateau_follows_keras(values, patience, cooldown):
    best, wait, cooling, lr, expected = math.inf, 0, 0, 1.0, []
    for value in values:
        if cooling > 0:
            cooling -= 1
            wait = 0
        if value < best - 1e-4:
            best, wait = value, 0
        elif cooling <= 0:
            wait += 1
            if wait >= patience:
                lr, cooling, wait = max(lr * 0.5, 0.1), cooldown, 0
        expected.append(lr)
    callback = ReduceLROnPlateau(factor=0.5, patience=patience, cooldown=cooldown, min_lr=0.1)
    assert run(callback, values) == pytest.approx(expected)


def test_auto_knows_that_accuracy_rises():
    assert len(run(EarlyStopping(monitor="val_accuracy", patience=1), [0.1, 0.2, 0.3])) == 3
    assert len(run(EarlyStopping(monitor="val_loss", patience=1), [0.1, 0.2, 0.3])) == 2


def test_a_baseline_must_be_passed_from_the_start():
    assert len(run(EarlyStopping(baseline=0.05, patience=2), [0.1, 0.09, 0.08])) == 2


@pytest.mark.parametrize(
    "make", [lambda: EarlyStopping(patience=3), lambda: ReduceLROnPlateau(patience=2, cooldown=1)]
)
@pytest.mark.parametrize("broken_at", range(5))
def test_a_resumed_callback_equals_an_unbroken_one(make, broken_at):
    values = [0.3, 0.2, 0.2, 0.25, 0.2, 0.2]
    first = make()
    rates = run(first, values[:broken_at])
    second = make()
    second.load_state_dict(first.state_dict())
    lr = rates[-1] if rates else 1.0
    assert rates + run(second, values[broken_at:], lr) == run(make(), values)


def test_verbose_callbacks_say_what_they_do(caplog):
    caplog.set_level("INFO")
    run(EarlyStopping(verbose=1, patience=1), [0.1, 0.2])
    run(ReduceLROnPlateau(verbose=1, patience=1), [0.1, 0.2])
    assert "epoch 2: early stop: val_loss has not improved for 1 epochs" in caplog.text
    assert "epoch 2: learning rate 1 -> 0.1" in caplog.text


def test_best_weights_are_always_restored_and_this_is_said(caplog):
    EarlyStopping(restore_best_weights=False)
    assert "a stage always ends with its best weights" in caplog.text


def test_tensorboard_gets_every_number_once_after_a_resume(tmp_path):
    for first_epoch, epochs in ((0, (0, 1, 2)), (2, (2, 3))):
        callback = TensorBoard()
        callback.on_stage_start(StageInfo(0, 1, tmp_path, first_epoch))
        for epoch in epochs:
            callback.on_epoch_end(epoch, {"val_loss": float(epoch)}, Control(0.1))
        callback.on_stage_end()
    events = EventAccumulator(str(tmp_path / "logs" / "0.1"))
    events.Reload()
    assert [e.step for e in events.Scalars("val_loss")] == [0, 1, 2, 3]


def test_tensorboard_may_write_to_another_folder_of_the_experiment(tmp_path):
    callback = TensorBoard(log_dir="there")
    callback.on_stage_start(StageInfo(2, 1, tmp_path, 0))
    callback.on_stage_end()
    assert (tmp_path / "there" / "2.1").is_dir()


@pytest.mark.parametrize("log_dir", ["/tmp/elsewhere", "../elsewhere", "a/../../b"])
def test_a_config_cannot_make_tensorboard_write_outside_the_experiment(log_dir):
    (complaint,) = callbacks.get("TensorBoard").check({"log_dir": log_dir})[1]
    assert complaint.message == f"expected a path inside the experiment's folder, got {log_dir!r}"


@pytest.mark.parametrize("name", callbacks.names())
def test_every_callback_is_built_by_name_and_remembers_in_json_values(name):
    (callback,) = build_callbacks([(name, {})])
    callback.load_state_dict(callback.state_dict())
    assert all(
        isinstance(value, int | float | str | None) for value in callback.state_dict().values()
    )
