"""Scores of masks: what may be put together, and what comes back from the disk."""

import numpy as np
import pytest

from fivefold.core.errors import DataError, StateError
from fivefold.core.mask_scores import MaskScores, join_scores
from fivefold.core.types import Head

CELL = (Head("", "sigmoid", ("cell",)),)


def scores(ids, heads=CELL, seed=0):
    rng = np.random.default_rng(seed)
    size = (len(ids), heads[0].num_classes)
    hits = rng.integers(0, 50, size)
    return MaskScores(
        ids=tuple(ids),
        heads=heads,
        hits=hits,
        said=hits + rng.integers(0, 50, size),
        true=hits + rng.integers(0, 50, size),
        pixels=np.full(len(ids), 400),
        soft_hits=rng.random(size) * 50,
        soft_said=rng.random(size) * 100,
        log_losses=rng.random(len(ids)),
        fold=1,
        stage=0,
    )


def test_what_was_saved_comes_back_with_the_same_bytes(tmp_path):
    before = scores(["b\ud800", "a\n"])
    first = before.save(tmp_path / "scores.npz")
    after = MaskScores.load(tmp_path / "scores.npz")
    assert (after.ids, after.heads, after.fold, after.stage) == (before.ids, CELL, 1, 0)
    np.testing.assert_array_equal(after.soft_said, before.soft_said)
    assert after.save(tmp_path / "again.npz") == first


def test_a_damaged_file_is_one_error_with_a_way_out(tmp_path):
    path = tmp_path / "scores.npz"
    scores(["a"]).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(
        StateError, match=r"scores\.npz: expected saved scores of masks, got"
    ) as error:
        MaskScores.load(path)
    assert error.value.slug == "state/damaged"


def test_images_are_taken_and_sorted_with_all_their_numbers():
    whole = scores(["c", "a", "b"])
    ordered = whole.sorted()
    assert ordered.ids == ("a", "b", "c")
    np.testing.assert_array_equal(ordered.hits, whole.hits[[1, 2, 0]])
    np.testing.assert_array_equal(ordered.log_losses, whole.log_losses[[1, 2, 0]])
    assert ordered.sorted() is ordered


def test_folds_are_joined_unless_an_image_comes_twice():
    joined = join_scores([scores(["a"]), scores(["b"], seed=1)])
    assert joined.ids == ("a", "b")
    with pytest.raises(DataError, match="different images of the same classes") as error:
        join_scores([scores(["a"]), scores(["a"])])
    assert error.value.slug == "data/mask-scores"


def test_arrays_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"hits: expected shape \(1, 2\), got \(1, 1\)"):
        MaskScores(**{**vars(scores(["a"])), "heads": (Head("", "softmax", ("x", "y")),)})
