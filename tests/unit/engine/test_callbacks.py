import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.errors import ConfigError, NumericError
from fivefold.engine.callbacks import (
    AfterChain,
    Callback,
    Control,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    StageInfo,
    StepLogger,
    TerminateOnNaN,
    build_callbacks,
    callbacks,
    written_files,
)
from fivefold.optim import Moment, build_schedule

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
    assert "epoch 2: early stop: val_loss has not improved for 1 epoch" in caplog.text
    assert "epoch 2: learning rate 1 -> 0.1" in caplog.text


def test_epsilon_is_the_min_delta_of_a_plateau():
    (callback,) = build_callbacks([("ReduceLROnPlateau", {"epsilon": 0.5})])
    assert callback.min_delta == 0.5


class Saved:
    """Writes files as a stage would, and remembers when."""

    def __init__(self, root):
        self.info = StageInfo(1, 2, root, 0, save=self.save)
        self.epochs = []

    def save(self, stem, epoch, row):
        stem.parent.mkdir(parents=True, exist_ok=True)
        for suffix in (".json", ".safetensors"):
            stem.with_suffix(suffix).write_text(str(epoch))
        self.epochs.append(epoch)


def checkpointed(root, values, **options):
    """Keep epochs by a loss: the epochs whose weights were written, and those that are left."""
    callback, saved = ModelCheckpoint(**options), Saved(root)
    callback.on_stage_start(saved.info)
    for epoch, value in enumerate(values):
        row = {"val_loss": value, "val_accuracy": value}
        callback.on_epoch_end(epoch, row, Control(0.1))
    left = sorted(int(p.stem[6:]) for p in (root / "weights/epochs-1.2").glob("*.safetensors"))
    return saved.epochs, left


LOSSES = [0.5, 0.4, math.nan, 0.6, 0.4, 0.3]


@pytest.mark.parametrize(
    ("options", "written", "left"),
    [
        ({}, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
        ({"period": 2}, [1, 3, 5], [1, 3, 5]),
        ({"save_best_only": True}, [0, 1, 5], [5]),
        ({"save_n_best": 2}, [0, 1, 4, 5], [1, 5]),
        ({"save_n_best": 2, "mode": "max"}, [0, 1, 3], [0, 3]),
        ({"save_n_best": 2, "monitor": "val_accuracy"}, [0, 1, 3], [0, 3]),
        ({"save_n_best": 9}, [0, 1, 3, 4, 5], [0, 1, 3, 4, 5]),
    ],
)
def test_a_checkpoint_keeps_what_was_asked_for(tmp_path, options, written, left):
    assert checkpointed(tmp_path, LOSSES, **options) == (written, left)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), max_size=12), st.integers(1, 4))
def test_the_epochs_that_are_left_are_the_best_ones(values, most):
    callback = ModelCheckpoint(save_n_best=most)
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value}, Control(0.1))
    best = sorted(range(len(values)), key=lambda epoch: (values[epoch], epoch))[:most]
    assert [epoch for epoch, _ in callback.state_dict()["kept"]] == best


@pytest.mark.parametrize("broken_at", range(6))
def test_a_checkpoint_goes_on_where_a_killed_run_was(tmp_path, broken_at):
    saved, rows = Saved(tmp_path), [{"val_loss": value} for value in LOSSES]
    callback = ModelCheckpoint(save_n_best=2)
    callback.on_stage_start(saved.info)
    for epoch in range(broken_at):
        callback.on_epoch_end(epoch, rows[epoch], Control(0.1))
    state = json.loads(json.dumps(callback.state_dict()))
    callback.on_epoch_end(broken_at, rows[broken_at], Control(0.1))  # never committed
    again = ModelCheckpoint(save_n_best=2)
    again.load_state_dict(state)
    again.on_stage_start(saved.info)
    for epoch in range(broken_at, len(rows)):
        again.on_epoch_end(epoch, rows[epoch], Control(0.1))
    left = sorted(path.name for path in (tmp_path / "weights/epochs-1.2").iterdir())
    assert left == [f"epoch-00000{e}.{end}" for e in (1, 5) for end in ("json", "safetensors")]


def test_a_csv_logger_goes_on_with_the_rows_before(tmp_path):
    rows = [{"loss": 0.5, "lr": 0.1}, {"loss": 0.25, "lr": 0.1, "val_loss": math.nan}]
    callback = CSVLogger(filename="tables/log.csv", separator=";")
    callback.on_stage_start(StageInfo(0, 1, tmp_path, 1, rows=rows[:1]))
    callback.on_epoch_end(1, rows[1], Control(0.1))
    assert (tmp_path / "logs/tables/log-0.1.csv").read_text() == (
        "epoch;loss;lr;val_loss\n0;0.5;0.1;NA\n1;0.25;0.1;nan\n"
    )


def test_a_step_logger_drops_steps_that_were_not_committed(tmp_path):
    for first_epoch, epochs in ((0, (0, 1)), (1, (1, 2))):
        callback = StepLogger()
        callback.on_stage_start(StageInfo(0, 1, tmp_path, first_epoch, steps=2))
        for epoch in epochs:
            callback.on_step(2 * epoch, 0.5, 0.1)
            callback.on_step(2 * epoch + 1, 0.25, 0.1)
            callback.on_epoch_end(epoch, {}, Control(0.1))
    expected = [f"{step // 2},{step},{0.25 if step % 2 else 0.5},0.1" for step in range(6)]
    table = (tmp_path / "logs/steps-0.1.csv").read_text()
    assert table == "\n".join(["epoch,step,loss,lr", *expected, ""])


@pytest.mark.parametrize("name", ["/tmp/log.csv", "../log.csv", "."])
def test_a_csv_logger_stays_inside_the_experiment(name):
    (complaint,) = callbacks.get("CSVLogger").check({"filename": name})[1]
    assert complaint.message == f"expected a path inside the experiment's folder, got {name!r}"


@pytest.mark.parametrize(
    "name", ["a\0b.csv", "a\nb.csv", "a" * 300 + ".csv", "ä" * 150 + "/log.csv"]
)
def test_names_that_no_file_can_have_are_refused_before_training(name):
    (complaint,) = callbacks.get("CSVLogger").check({"filename": name})[1]
    wanted = "expected a path of printable characters, each part of at most 200 bytes, got "
    assert complaint.message.startswith(wanted)


@pytest.mark.parametrize("log_dir", ["weights", "state/tb", "config.yaml"])
def test_tensorboard_stays_out_of_the_files_of_the_experiment(log_dir):
    (complaint,) = callbacks.get("TensorBoard").check({"log_dir": log_dir})[1]
    wanted = "expected a folder that has no other files of the experiment, such as 'logs', got "
    assert complaint.message == f"{wanted}{log_dir!r}"


def test_files_that_callbacks_write_are_found_for_other_experiments(tmp_path):
    items = [("CSVLogger", "log.csv"), ("ModelCheckpoint", {}), ("EarlyStopping", {})]
    info = StageInfo(1, 2, tmp_path, 0)
    assert written_files(items, info) == []
    checkpointed(tmp_path, [0.5])
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/log-1.2.csv").write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in written_files(items, info)]
    assert found == [
        "logs/log-1.2.csv",
        "weights/epochs-1.2/epoch-000000.json",
        "weights/epochs-1.2/epoch-000000.safetensors",
    ]


def test_terminate_on_nan_ends_stages_for_a_loss_and_nothing_else():
    assert TerminateOnNaN().ends_on(NumericError("", slug="numeric/loss"))
    assert not TerminateOnNaN().ends_on(NumericError("", slug="numeric/metric"))
    assert not EarlyStopping().ends_on(NumericError("", slug="numeric/loss"))


class Rate:
    """Keras: one number that every callback sets as it likes."""

    def __init__(self, lr):
        self.lr = lr


def test_a_plateau_at_the_end_of_a_chain_does_what_keras_would_do():
    steps, epochs, given, period = 4, 8, 0.1, 12
    plateau = {"patience": 1, "factor": 0.5, "min_delta": 0, "min_lr": 0.001}
    options = {
        "absSize": 6,
        "fromVal": 0.2,
        "toVal": 0.8,
        "periodSteps": period,
        "then": {"ReduceLROnPlateau": plateau},
    }
    (callback,) = build_callbacks([("LRVariator", options)])
    assert isinstance(callback, AfterChain)
    callback.on_stage_start(StageInfo(0, 0, None, 0, steps=steps))
    schedule, control = build_schedule("LRVariator", options), Control(given)
    rate, inner = Rate(given), ReduceLROnPlateau(**plateau)
    found, expected = [], []
    for epoch in range(epochs):
        for step in range(epoch * steps, (epoch + 1) * steps):
            found.append(schedule(Moment(step, steps, epochs, control.lr, given)))
            expected.append(rate.lr)
            if step % period < 6:
                rate.lr = 0.2 + 0.6 * (step % period) / 5
        row = {"val_loss": 1.0}
        callback.on_epoch_end(epoch, row, control)
        own = Control(rate.lr)
        inner.on_epoch_end(epoch, row, own)
        rate.lr = own.lr
    assert found == pytest.approx(expected)
    assert len(set(expected)) > 8


def test_a_chain_without_a_callback_behind_it_makes_none():
    assert build_callbacks([("LRVariator", {"absSize": 1}), ("CyclicLR", {})]) == []


def test_wrong_options_of_a_callback_are_an_error():
    with pytest.raises(ConfigError, match=r"EarlyStopping: expected .* got -1"):
        build_callbacks([("EarlyStopping", {"patience": -1})])


def test_a_callback_behind_a_chain_hears_all_that_others_hear():
    heard = {name for name in vars(Callback) if not name.startswith("_")} - {"monitor"}
    assert heard <= vars(AfterChain).keys()
