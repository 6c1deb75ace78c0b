import contextlib
import dataclasses
import json
import os
from pathlib import Path

import pytest
import torch

from fivefold.core.errors import StateError
from fivefold.core.sealed import write_sealed
from fivefold.engine.state import TrainState, forget_stage, load_newest, save_commit


def commit(folder, epoch, stage=0):
    state = TrainState(
        lr=0.1,
        epoch=epoch,
        best=0.5,
        best_epoch=0,
        rows=[{"loss": 1 / 3, "val_auc": float("nan")}] * epoch,
        callbacks=[{"best": None, "wait": 2}],
    )
    save_commit(
        folder,
        stage,
        state,
        {"a": torch.full((2,), float(epoch))},
        {"n/step": 3.0, "n/count": 3, "n/on": False},
    )
    return state


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_commit_comes_back(tmp_path):
    before = commit(tmp_path, 1)
    after = load_newest(tmp_path, 0)
    assert repr(after.state) == repr(before)
    assert after.tensors["a"].tolist() == [1, 1]
    assert repr(after.numbers) == "{'n/count': 3, 'n/on': False, 'n/step': 3.0}"


def test_a_stage_without_commits_has_none(tmp_path):
    commit(tmp_path, 1, stage=1)
    assert load_newest(tmp_path, 0) is None


def test_the_newest_two_are_kept(tmp_path):
    for epoch in range(1, 5):
        commit(tmp_path, epoch)
    assert sorted(p.name for p in tmp_path.glob("*.json")) == ["0-000003.json", "0-000004.json"]
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    assert load_newest(tmp_path, 0).state.epoch == 4


@pytest.mark.parametrize("ending", [".json", ".safetensors"])
def test_a_damaged_commit_gives_the_one_before_and_says_so(tmp_path, caplog, ending):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    (tmp_path / f"0-000002{ending}").write_bytes(b"{")
    assert load_newest(tmp_path, 0).state.epoch == 1
    assert "a commit is damaged, going back one" in caplog.text


def test_every_flipped_bit_of_the_tensors_is_found(tmp_path, caplog):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    damage(tmp_path / "0-000002.safetensors")
    assert load_newest(tmp_path, 0).state.epoch == 1


def test_tensors_without_their_json_do_not_count(tmp_path):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    (tmp_path / "0-000002.json").unlink()
    assert load_newest(tmp_path, 0).state.epoch == 1


def test_a_stage_never_starts_over_by_itself(tmp_path):
    commit(tmp_path, 1)
    damage(tmp_path / "0-000001.safetensors")
    with pytest.raises(StateError, match="expected a readable commit of stage 0") as error:
        load_newest(tmp_path, 0)
    assert error.value.slug == "state/all-damaged"


def test_state_of_another_format_is_refused(tmp_path, caplog):
    commit(tmp_path, 1)
    write_sealed(tmp_path / "0-000001.json", {}, version=99)
    with pytest.raises(StateError, match="expected a readable commit"):
        load_newest(tmp_path, 0)
    assert "expected format 2, got one of another version" in caplog.text


EDITS = [
    {"state": None},
    {"numbers": 5},
    {"sha256": 5},
    {"unknown": 1},
    {"state.rows": 5},
    {"state.rows": [{"loss": "x"}]},
    {"state.callbacks": [{}]},
    {"state.callbacks": 5},
    {"state.epoch": "1"},
    {"state.epoch": 99},
    {"state.lr": "x"},
    {"state.lr": None},
    {"state.lr": -1},
    {"state.best_epoch": 77},
    {"state.unknown": 1},
]


def edit(path, change):
    record = json.loads(path.read_text())
    for key, value in change.items():
        *outer, last = key.split(".")
        (record[outer[0]] if outer else record)[last] = value
    return record


@pytest.mark.parametrize("change", EDITS, ids=str)
def test_an_edited_record_gives_the_commit_before(tmp_path, caplog, change):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    path = tmp_path / "0-000002.json"
    path.write_text(json.dumps(edit(path, change)))
    assert load_newest(tmp_path, 0).state.epoch == 1
    assert "expected a record with the hash that it was written with" in caplog.text


@pytest.mark.parametrize(
    "change",
    [c for c in EDITS if not str(c).endswith(("[{}]}", "'1'}", "unknown': 1}"))],
    ids=str,
)
def test_an_edited_record_with_a_new_hash_is_held_against_the_types(tmp_path, caplog, change):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    path = tmp_path / "0-000002.json"
    record = edit(path, change)
    del record["seal"], record["format"]
    write_sealed(path, record, version=1)
    assert load_newest(tmp_path, 0).state.epoch == 1
    assert "going back one" in caplog.text


def test_a_commit_under_another_name_does_not_count(tmp_path, caplog):
    commit(tmp_path, 1)
    for ending in (".json", ".safetensors"):
        data = (tmp_path / f"0-000001{ending}").read_bytes()
        (tmp_path / f"0-000009{ending}").write_bytes(data)
        (tmp_path / f"0-old{ending}").write_bytes(data)
    assert load_newest(tmp_path, 0).state.epoch == 1
    assert caplog.text.count("expected the state after as many epochs as its name") == 2


def test_every_field_of_the_state_comes_back(tmp_path):
    state = TrainState(
        **{f.name: {"lr": 0.5}.get(f.name, f.default) for f in dataclasses.fields(TrainState)}
        | {"epoch": 2, "rows": [{"a": 1e-17}, {"a": -0.0}], "callbacks": [{"deep": [None, {}]}]}
    )
    save_commit(tmp_path, 0, state, {}, {})
    assert repr(load_newest(tmp_path, 0).state) == repr(state)


def test_a_finished_stage_leaves_nothing(tmp_path):
    commit(tmp_path, 1)
    commit(tmp_path, 2)
    (tmp_path / "0-000003.safetensors").write_bytes(b"tensors whose json was never written")
    forget_stage(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


class PowerCutError(Exception):
    """Nothing after this happened."""


@pytest.mark.parametrize("steps", range(12))
def test_a_commit_cut_at_any_step_leaves_the_one_before_or_the_new_one(
    tmp_path, monkeypatch, steps
):
    for epoch in (1, 2, 3):
        commit(tmp_path, epoch)
    left = [steps]

    def cut_before(function):
        def run(*args, **kwargs):
            if left[0] == 0:
                raise PowerCutError
            left[0] -= 1
            return function(*args, **kwargs)

        return run

    monkeypatch.setattr("os.fsync", cut_before(os.fsync))
    monkeypatch.setattr("pathlib.Path.replace", cut_before(Path.replace))
    monkeypatch.setattr("pathlib.Path.unlink", cut_before(Path.unlink))
    with contextlib.suppress(PowerCutError):
        commit(tmp_path, 4)
    monkeypatch.undo()
    assert load_newest(tmp_path, 0).state.epoch in ((3, 4) if steps < 6 else (4,))
    commit(tmp_path, 5)
    assert load_newest(tmp_path, 0).state.epoch == 5
