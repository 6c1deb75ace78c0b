import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.errors import DataError, StateError
from fivefold.core.sealed import write_sealed
from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels
from fivefold.data.splits import HOLDOUT, Splits, check_splits, make_splits


def table(classes, groups=None, labels=None, targets=None):
    count = len(classes)
    names = tuple(f"class {k}" for k in range(max(classes) + 1))
    ids = tuple(f"s{i:04}" for i in range(count))
    return SampleTable(
        ids=ids,
        indices=np.arange(count),
        targets=np.eye(len(names), dtype=np.float32)[classes] if targets is None else targets,
        labels=labels or (Labels("", names, exclusive=True),),
        groups=ids if groups is None else tuple(groups),
        digests=tuple(f"d{i}" for i in range(count)),
    )


def mixed(count=200, seed=0):
    return np.random.default_rng(seed).choice(3, count, p=[0.6, 0.3, 0.1]).tolist()


def test_each_sample_is_validated_exactly_once():
    splits = make_splits(table(mixed()), folds=5)
    found = [name for fold in range(5) for name in splits.val_ids(fold)]
    assert sorted(found) == sorted(splits.fold_of)
    for fold in range(5):
        assert not set(splits.val_ids(fold)) & set(splits.train_ids(fold))
        assert len(splits.val_ids(fold)) + len(splits.train_ids(fold)) == 200


def test_classes_are_spread_evenly():
    classes = mixed()
    of = dict(zip(table(classes).ids, classes, strict=True))
    splits = make_splits(table(classes), folds=5)
    for k in range(3):
        counts = Counter(fold for name, fold in splits.fold_of.items() if of[name] == k)
        assert max(counts.values()) - min(counts.values()) <= 1


def test_the_order_of_the_listing_does_not_matter():
    data = table(mixed())
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    options = {"folds": 5, "holdout": 0.1}
    assert make_splits(shuffled, **options).fold_of == make_splits(data, **options).fold_of


def test_the_seed_decides():
    data = table(mixed())
    assert make_splits(data, folds=5).fold_of == make_splits(data, folds=5, seed=33).fold_of
    assert make_splits(data, folds=5).fold_of != make_splits(data, folds=5, seed=34).fold_of


@pytest.mark.parametrize("folds", [1, 2, 5])
@pytest.mark.parametrize("holdout", [0.0, 0.2])
@pytest.mark.parametrize("stratified", [True, False])
def test_groups_are_never_divided(folds, holdout, stratified):
    rng = np.random.default_rng(folds)
    groups = [f"g{k}" for k in rng.integers(0, 60, 200)]
    data = table(mixed(), groups)
    splits = make_splits(data, folds=folds, holdout=holdout, stratified=stratified)
    places = {}
    for name, group in zip(data.ids, groups, strict=True):
        places.setdefault(group, set()).add(splits.fold_of[name])
    assert all(len(folds_of_group) == 1 for folds_of_group in places.values())
    if holdout:
        assert abs(len(splits.holdout_ids) - 40) <= 8  # about two groups


def test_the_holdout_has_its_share_of_each_class():
    data = table([0] * 120 + [1] * 60 + [2] * 20)
    splits = make_splits(data, folds=5, holdout=0.15)
    counts = Counter(data.label_text(data.ids.index(name)) for name in splits.holdout_ids)
    assert counts == {"class 0": 18, "class 1": 9, "class 2": 3}
    assert not set(splits.holdout_ids) & {n for f in range(5) for n in splits.train_ids(f)}


def test_one_fold_is_one_split_by_the_fraction():
    splits = make_splits(table([0] * 70 + [1] * 30), folds=1, validation=0.3, holdout=0.1)
    assert (len(splits.holdout_ids), len(splits.val_ids(0)), len(splits.train_ids(0))) == (
        10,
        27,
        63,
    )


def test_combinations_of_labels_are_spread_and_rare_ones_put_together():
    targets = np.zeros((103, 3), dtype=np.float32)
    targets[:50, 0] = 1
    targets[25:100, 1] = 1
    targets[100, 2] = targets[101, 1:] = 1  # 102 has none
    labels = (Labels("", ("a", "b", "c"), exclusive=False),)
    data = table([0] * 103, labels=labels, targets=targets)
    splits = make_splits(data, folds=5)
    both = Counter(splits.fold_of[name] for name in data.ids[25:50])
    assert set(both.values()) == {5}


def test_several_outputs_are_stratified_on_the_first():
    first, second = np.arange(100) % 2, np.arange(100) % 5
    targets = np.hstack([np.eye(2)[first], np.eye(5)[second]]).astype(np.float32)
    labels = (Labels("x", ("a", "b"), exclusive=True), Labels("y", tuple("pqrst"), exclusive=True))
    splits = make_splits(table([0] * 100, labels=labels, targets=targets), folds=5)
    counts = Counter((splits.fold_of[f"s{i:04}"], first[i]) for i in range(100))
    assert set(counts.values()) == {10}


def test_nothing_but_rare_combinations_still_splits():
    targets = np.eye(6, dtype=np.float32)
    labels = (Labels("", tuple("abcdef"), exclusive=False),)
    splits = make_splits(table([0] * 6, labels=labels, targets=targets), folds=3)
    assert sorted(Counter(splits.fold_of.values()).values()) == [2, 2, 2]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=40),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.1, 0.5, 0.9]),
)
def test_no_part_is_ever_empty(samples, folds, holdout):
    data = table([k for k, _ in samples], groups=[f"g{group}" for _, group in samples])
    try:
        splits = make_splits(data, folds=folds, holdout=holdout, validation=0.9)
    except DataError:
        assert len(set(data.groups)) < folds + 10 * holdout + 2
        return
    assert all(splits.val_ids(fold) and splits.train_ids(fold) for fold in range(folds))
    assert bool(splits.holdout_ids) == (holdout > 0)


def test_too_few_separable_samples_are_refused():
    data = table([0, 1, 0, 1, 0, 1], groups="aabbcc")
    with pytest.raises(DataError, match="at least 5 images that may be separated, got 3") as error:
        make_splits(data, folds=5)
    assert error.value.slug == "data/too-few"


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
