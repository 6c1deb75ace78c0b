import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.errors import DataError, StateError
from fivefold.core.predictions import Predictions, average, join
from fivefold.core.types import Head, head_slices

CAT_DOG = (Head("", "softmax", ("cat", "dog")),)


def some(ids, fold=0, heads=CAT_DOG, targets=True):
    rng = np.random.default_rng(len(ids))
    columns = sum(head.num_classes for head in heads)
    probs = rng.random((len(ids), columns)).astype(np.float32)
    truth = (rng.random((len(ids), columns)) > 0.5).astype(np.float32)
    return Predictions(tuple(ids), probs, heads, truth if targets else None, fold, 1)


@given(st.lists(st.text(max_size=8), unique=True, max_size=6), st.booleans())
def test_what_is_saved_comes_back(tmp_path_factory, ids, with_targets):
    path = tmp_path_factory.mktemp("p") / "a.npz"
    before = some(ids, targets=with_targets)
    before.save(path)
    after = Predictions.load(path)
    assert (after.ids, after.heads, after.fold, after.stage) == (tuple(ids), CAT_DOG, 0, 1)
    np.testing.assert_array_equal(after.probs, before.probs)
    assert (after.targets is None) == (not with_targets)
    if with_targets:
        np.testing.assert_array_equal(after.targets, before.targets)


def test_ids_that_are_no_valid_unicode_come_back(tmp_path):
    some(["a\udcff.png", "b\n\x00"]).save(tmp_path / "a.npz")
    assert Predictions.load(tmp_path / "a.npz").ids == ("a\udcff.png", "b\n\x00")


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    hashes = {some(["a", "b"]).save(tmp_path / name) for name in ("1.npz", "2.npz")}
    assert len(hashes) == 1


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"not a zip at all"])
def test_a_damaged_file_is_told(tmp_path, damage):
    (tmp_path / "a.npz").write_bytes(damage)
    with pytest.raises(StateError, match=r"a\.npz: expected saved predictions"):
        Predictions.load(tmp_path / "a.npz")


def test_a_truncated_file_is_told(tmp_path):
    some(["a", "b"]).save(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    for size in range(10, len(whole), 97):
        (tmp_path / "a.npz").write_bytes(whole[:size])
        with pytest.raises(StateError, match="expected saved predictions"):
            Predictions.load(tmp_path / "a.npz")


def meta(**changes):
    about = {
        "heads": [{"name": "", "activation": "softmax", "class_names": ["cat", "dog"]}],
        "labelled": True,
        "fold": 0,
        "stage": 1,
    }
    return np.frombuffer(json.dumps(about | changes).encode(), np.uint8)


def text(value):
    return np.frombuffer(value.encode(), np.uint8)


@pytest.mark.parametrize(
    "changes",
    [
        {"probs": np.zeros((2, 3), np.float32)},
        {"probs": np.zeros(2, np.float32)},
        {"probs": np.zeros((2, 2), np.float64)},
        {"probs": np.array([["a", "b"]] * 2)},
        {"probs": np.full((2, 2), np.nan, np.float32)},
        {"probs": np.full((2, 2), np.inf, np.float32)},
        {"probs": np.full((2, 2), 1.5, np.float32)},
        {"probs": None},
        {"targets": None},
        {"targets": np.full((2, 2), np.nan, np.float32)},
        {"targets": np.zeros((2, 2), np.int64)},
        {"targets": np.zeros((3, 2), np.float32)},
        {"ids": text('"a"')},
        {"ids": text('"a"\n"a"')},
        {"ids": text('5\n"a"')},
        {"ids": text("[" * 100_000)},
        {"ids": np.zeros((2, 2))},
        {"meta": text("[]")},
        {"meta": text("x")},
        {"meta": meta(heads=5)},
        {"meta": meta(heads=[])},
        {"meta": meta(heads=[["", "softmax", ["cat", "dog"]]])},
        {"meta": meta(heads=[{"name": "", "activation": "x", "class_names": ["a", "b"]}])},
        {"meta": meta(heads=[{"name": "", "activation": "softmax", "class_names": [1, 2]}])},
        {"meta": meta(fold="x")},
        {"meta": meta(stage=-2)},
        {"meta": meta(labelled=None)},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_other_content_is_told_with_the_files_of_the_stage(tmp_path, changes):
    path = tmp_path / "predictions" / "validation-0.1.npz"
    path.parent.mkdir()
    zeros = np.zeros((2, 2), np.float32)
    content = {"probs": zeros, "targets": zeros, "ids": text('"a"\n"b"'), "meta": meta()}
    content = {name: array for name, array in (content | changes).items() if array is not None}
    np.savez(path, **content)
    with pytest.raises(StateError, match=r"validation-0\.1\.npz: ") as error:
        Predictions.load(path)
    assert error.value.slug == "state/damaged"
    assert "weights/best-0.1.json and predictions/validation-0.1.npz" in error.value.hint


def test_what_lies_in_the_archive_without_being_an_array_is_told(tmp_path):
    some(["a"]).save(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, data in (members | {"probs.npy": b"text"}).items():
            archive.writestr(name, data)
    with pytest.raises(StateError, match=r"a\.npz: expected saved predictions"):
        Predictions.load(tmp_path / "a.npz")


def test_every_flipped_byte_is_harmless_or_told(tmp_path):
    some(["a", "b"]).save(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0x41
        (tmp_path / "a.npz").write_bytes(damaged)
        try:
            Predictions.load(tmp_path / "a.npz")
        except StateError as error:
            assert error.slug == "state/damaged"  # noqa: PT017  a flipped date is harmless


def test_shapes_must_fit():
    with pytest.raises(DataError, match=r"probs: expected shape \(2, 2\), got \(2, 3\)"):
        Predictions(("a", "b"), np.zeros((2, 3), np.float32), CAT_DOG)


def test_missing_targets_are_told_when_needed():
    with pytest.raises(DataError, match="expected targets, got none") as error:
        _ = some(["a"], targets=False).truth
    assert error.value.slug == "data/no-labels"


def test_heads_are_split_by_their_columns():
    heads = (*CAT_DOG, Head("size", "sigmoid", ("small", "big", "huge")))
    whole = some(["a", "b"], heads=heads)
    animal, size = whole.by_head()
    np.testing.assert_array_equal(np.hstack([animal.probs, size.probs]), whole.probs)
    assert size.class_names == ("small", "big", "huge")
    assert head_slices(heads) == [slice(0, 2), slice(2, 5)]


def test_folds_join_and_sort_by_id():
    whole = join([some(["c", "a"], fold=0), some(["b"], fold=1)]).sorted()
    assert whole.ids == ("a", "b", "c")
    assert whole.fold == -1


def test_sorting_leaves_what_is_sorted_and_tells_trailing_nuls():
    found = some(["a", "a\x00", "b"])
    assert found.sorted() is found
    assert some(["b", "a\x00", "a"]).sorted().ids == ("a", "a\x00", "b")


def test_a_sample_cannot_be_in_two_folds():
    with pytest.raises(DataError, match="expected each sample once"):
        join([some(["a"]), some(["a"])])


def test_other_classes_cannot_be_joined():
    with pytest.raises(DataError, match="expected the same classes"):
        join([some(["a"]), some(["b"], heads=(Head("", "softmax", ("x", "y")),))])


def test_an_ensemble_is_the_mean():
    parts = [some(["a", "b"]), some(["a", "b"], fold=1)]
    np.testing.assert_allclose(average(parts).probs, (parts[0].probs + parts[1].probs) / 2)
    with pytest.raises(DataError, match="expected the same samples and classes"):
        average([some(["a", "b"]), some(["b", "a"])])
