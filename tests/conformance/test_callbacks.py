"""What every callback promises, whoever wrote it."""

import json
from itertools import pairwise

import numpy as np
import pytest

from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.engine.callbacks import (
    Control,
    StageInfo,
    Validation,
    build_callbacks,
    callbacks,
)

OPTIONS = {
    "EarlyStopping": {"patience": 3},
    "MLflow": {"tracking_uri": "sqlite:////dev/null/runs.db"},  # fails at once, and is told
    "ModelCheckpoint": {"save_n_best": 2},
    "ReduceLROnPlateau": {"patience": 2, "factor": 0.5},
}
ROWS = [{"loss": v, "val_loss": v, "lr": 0.1} for v in (0.5, 0.4, 0.6, 0.6, 0.5, 0.3, 0.7, 0.7)]

FOUND = Validation(
    Predictions(
        ids=("x", "y"),
        probs=np.array([[0.9, 0.1], [0.2, 0.8]], np.float32),
        heads=(Head("", "softmax", ("a", "b")),),
        targets=np.eye(2, dtype=np.float32),
    )
)


_WHOLE, _PARTS = np.array([[5, 2], [0, 3]]), np.array([[4.0, 2.5], [0.5, 3.0]])
MASKS = Validation(
    MaskScores(
        ids=("x", "y"),
        heads=(Head("", "sigmoid", ("a", "b")),),
        hits=_WHOLE,
        said=_WHOLE + 1,
        true=_WHOLE + 2,
        pixels=np.array([100, 90]),
        soft_hits=_PARTS,
        soft_said=2 * _PARTS,
        log_losses=_PARTS[0],
    )
)


@pytest.fixture(params=callbacks.names())
def name(request):
    return request.param


def made(name):
    (callback,) = build_callbacks([(name, OPTIONS.get(name, {}))])
    return callback


def info(root, first_epoch=0):
    rows = tuple(ROWS[:first_epoch])
    return StageInfo(0, 1, root, first_epoch, rows=rows, steps=3, save=write)


def write(stem, epoch, row):
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".safetensors").write_text(str(epoch))


def lived(callback, root, epochs, lr=0.1, found=FOUND):
    """Go through some epochs, until it stops: the rate after each."""
    callback.on_stage_start(info(root, epochs.start))
    rates = []
    for epoch in epochs:
        control = Control(lr)
        for step in range(3 * epoch, 3 * epoch + 3):
            callback.on_step(step, 0.5, lr)
        callback.on_validation(epoch, found)
        callback.on_epoch_end(epoch, ROWS[epoch], control)
        lr = control.lr
        rates.append((lr, control.stopped))
        if control.stopped:
            break
    callback.on_stage_end()
    return rates


def files(root):
    """Read all files but TensorBoard's, which hold the time."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "tfevents" not in path.name
    }


@pytest.mark.parametrize("broken_at", range(1, 8))
def test_after_a_resume_it_goes_on_as_if_nothing_had_been(name, broken_at, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    expected = lived(made(name), whole, range(len(ROWS)))
    first = made(name)
    rates = lived(first, broken, range(broken_at))
    if not rates[-1][1]:
        second = made(name)
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        rates += lived(second, broken, range(broken_at, len(ROWS)), rates[-1][0])
    assert rates == expected
    assert files(broken) == files(whole)


def test_what_it_writes_it_names(name, tmp_path):
    callback = made(name)
    lived(callback, tmp_path, range(3))
    named = callback.written(info(tmp_path))
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert any(path == place or place in path.parents for place in named)


def test_scores_of_masks_are_as_good_to_it_as_predictions(name, tmp_path):
    plain = lived(made(name), tmp_path / "classes", range(len(ROWS)))
    assert lived(made(name), tmp_path / "masks", range(len(ROWS)), found=MASKS) == plain


def test_it_only_lowers_the_rate_if_it_says_so(name, tmp_path):
    rates = [lr for lr, _ in lived(made(name), tmp_path, range(len(ROWS)))]
    assert all(later <= earlier for earlier, later in pairwise(rates))
    assert (rates[-1] < 0.1) == bool(callbacks.get(name).facts.get("moves_rate"))


def test_what_is_idle_in_it_is_said_in_words(name):
    component = callbacks.get(name)
    idle = component.facts.get("idle", lambda options: ())
    assert all(isinstance(reason, str) and reason for reason in idle(component.check({})[0]))


def test_it_is_found_in_any_case_and_explains_itself(name):
    assert callbacks.find(name.lower()) is callbacks.find(name.upper())
    assert callbacks.get(name).summary


def test_unknown_options_are_told(name):
    (complaint,) = callbacks.get(name).check({"patiense": 1})[1]
    assert complaint.kind == "unknown-key"
