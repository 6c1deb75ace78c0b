"""Predictions of classes and scores of masks by one road."""

import numpy as np
import pytest

from fivefold.core.errors import DataError, StateError
from fivefold.core.found import holds_masks, join_found, load_found
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.core.types import Head

CELL = (Head("", "sigmoid", ("cell",)),)


def scores(ids):
    whole, parts = np.ones((len(ids), 1), np.int64), np.ones((len(ids), 1))
    return MaskScores(
        ids, CELL, whole, whole, whole, whole[:, 0], parts, parts, parts[:, 0], fold=0, stage=0
    )


def predictions(ids):
    return Predictions(ids, np.ones((len(ids), 1), np.float32), CELL)


@pytest.mark.parametrize("make", [scores, predictions])
def test_a_file_gives_what_was_saved_in_it(tmp_path, make):
    make(("a", "b")).save(tmp_path / "x.npz")
    found = load_found(tmp_path / "x.npz")
    assert isinstance(found, type(make(())))
    assert found.ids == ("a", "b")
    assert holds_masks(tmp_path / "x.npz") == isinstance(found, MaskScores)


@pytest.mark.parametrize("make", [scores, predictions])
def test_parts_of_one_kind_are_joined(make):
    assert join_found([make(("a",)), make(("b", "c"))]).ids == ("a", "b", "c")


def test_a_damaged_file_is_neither(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK")
    with pytest.raises(StateError, match=r"x\.npz: expected saved predictions, got") as error:
        load_found(tmp_path / "x.npz")
    assert error.value.slug == "state/damaged"


def test_who_wants_classes_is_told_that_there_are_masks(tmp_path):
    scores(("a",)).save(tmp_path / "x.npz")
    with pytest.raises(
        DataError, match=r"x\.npz: expected predictions of classes, got those of masks"
    ) as error:
        Predictions.load(tmp_path / "x.npz")
    assert error.value.slug == "data/masks-predicted"
