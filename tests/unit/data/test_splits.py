import json
from dataclasses import replace

import numpy as np
import pytest
from tables_to_split import mixed, table

from fivefold.core.errors import StateError
from fivefold.core.sealed import write_sealed
from fivefold.data.drawn_folds import make_splits
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.splits import Splits, check_splits


@pytest.mark.parametrize("fold", [HOLDOUT, 0, 1, 2])
def test_rows_of_a_fold_are_those_of_its_ids_in_their_order(tmp_path, fold):
    data = table(mixed()).take(np.random.default_rng(2).permutation(200))
    splits = make_splits(data, folds=3, holdout=0.1)
    splits.save(tmp_path / "folds.json")
    loaded = Splits.load(tmp_path / "folds.json")
    row_of = {name: row for row, name in enumerate(data.ids)}
    for some in (splits, loaded, loaded.shared_with(data)):
        train, val = some.rows(data, fold)
        assert train.tolist() == [row_of[name] for name in some.train_ids(fold)]
        assert val.tolist() == [row_of[name] for name in some.val_ids(fold)]


def test_folds_that_share_a_table_are_saved_as_before(tmp_path):
    data = table(mixed())
    make_splits(data, folds=3).save(tmp_path / "made.json")
    Splits.load(tmp_path / "made.json").shared_with(data).save(tmp_path / "shared.json")
    assert (tmp_path / "shared.json").read_bytes() == (tmp_path / "made.json").read_bytes()


def test_saved_folds_come_back_equal(tmp_path):
    splits = make_splits(table(mixed()), folds=3, holdout=0.1)
    splits.save(tmp_path / "folds.json")
    loaded = Splits.load(tmp_path / "folds.json")
    assert vars(loaded) == vars(splits)


@pytest.mark.parametrize("text", ["{}", "[]", "x", '{"samples": {"a": 3}}', '{"samples": []}'])
def test_damaged_folds_are_a_state_error(tmp_path, text):
    (tmp_path / "folds.json").write_text(text)
    with pytest.raises(StateError, match="expected") as error:
        Splits.load(tmp_path / "folds.json")
    assert error.value.slug == "state/damaged"


def set_fold(name, fold):
    return lambda record: record["samples"][name].__setitem__(0, fold)


def swap(record):
    samples = record["samples"]
    names = list(samples)
    other = next(n for n in names if samples[n][0] != samples[names[0]][0])
    samples[names[0]], samples[other] = samples[other], samples[names[0]]


EDITS = {
    "fold 7": set_fold("s0000", 7),
    "train only": set_fold("s0000", -2),
    "text": set_fold("s0000", "x"),
    "swapped": swap,
    "removed": lambda record: record["samples"].pop("s0000"),
    "added": lambda record: record["samples"].update(new=[0, "d", "l"]),
    "short": lambda record: record["samples"].update(s0000=[0]),
    "num_folds 9": lambda record: record.update(num_folds=9),
    "num_folds 0": lambda record: record.update(num_folds=0),
    "settings": lambda record: record["settings"].update(seed=1),
    "no settings": lambda record: record.pop("settings"),
    "fingerprint": lambda record: record.update(fingerprint="0"),
}
TYPES = ["fold 7", "train only", "text", "short", "num_folds 0", "no settings"]


def edited_folds(path, edit):
    make_splits(table(mixed()), folds=3, holdout=0.1).save(path)
    record = json.loads(path.read_text())
    edit(record)
    return record


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_edited_folds_are_found_when_they_are_read(tmp_path, edit):
    path = tmp_path / "folds.json"
    path.write_text(json.dumps(edited_folds(path, edit)))
    with pytest.raises(StateError, match="expected a record with the hash") as error:
        Splits.load(path)
    assert error.value.slug == "state/damaged"
    assert "restore it from a copy" in error.value.hint


@pytest.mark.parametrize("name", TYPES)
def test_edited_folds_with_a_new_hash_are_held_against_the_types(tmp_path, name):
    path = tmp_path / "folds.json"
    record = edited_folds(path, EDITS[name])
    del record["seal"], record["format"]
    write_sealed(path, record, version=1)
    with pytest.raises(StateError, match=r"folds\.json: .*(expected|required)") as error:
        Splits.load(path)
    assert error.value.slug == "state/damaged"


SETTINGS = {"folds": 3, "seed": 33, "stratified": True, "holdout": 0.0}


def test_the_same_data_pass():
    data = table(mixed())
    check_splits(make_splits(data, **SETTINGS), data.take(np.arange(200)[::-1]), SETTINGS)


def changed(data, kind):
    if kind == "removed":
        return data.take(np.arange(1, len(data)))
    if kind == "added":
        return table([*mixed(201)[:200], 0])
    facts = {}
    if kind == "relabelled":
        facts["targets"] = data.targets.copy()
        facts["targets"][5] = np.roll(facts["targets"][5], 1)
    if kind == "other content":
        facts["digests"] = ("x" * 5, *data.digests[1:])
    return replace(data, **facts)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("removed", "removed: s0000"),
        ("added", "added: s0200"),
        ("relabelled", "relabelled: s0005: was 'class .', is 'class .'"),
        ("other content", "other content: s0000"),
    ],
)
def test_each_change_of_the_data_is_named(kind, message):
    data = table(mixed(201)[:200])
    saved = make_splits(data, **SETTINGS)
    with pytest.raises(StateError, match=f"got 1 changes:\n  {message}") as error:
        check_splits(saved, changed(data, kind), SETTINGS)
    assert error.value.slug == "state/data-changed"
    assert "`fivefold data split DATA --keep EXPERIMENT --folds K`" in str(error.value)


def test_at_most_twenty_changes_are_listed():
    data = table(mixed())
    with pytest.raises(
        StateError, match=r"got 150 changes:\n(  removed: s\d+\n){20}  … and 130 more"
    ):
        check_splits(make_splits(data, **SETTINGS), data.take(np.arange(50)), SETTINGS)


def test_changed_settings_are_named():
    data = table(mixed())
    with pytest.raises(StateError, match="folds was 3, is 4") as error:
        check_splits(make_splits(data, **SETTINGS), data, SETTINGS | {"folds": 4})
    assert error.value.slug == "state/split-settings"
