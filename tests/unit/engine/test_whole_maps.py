import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from fivefold.engine import whole_maps
from fivefold.engine.whole_maps import WholeMap, whole_map


def random_maps(classes=2, size=(7, 9), seed=0):
    return np.random.default_rng(seed).random((classes, *size), dtype=np.float32)


@pytest.mark.parametrize("size", [(7, 9), (14, 18), (50, 31), (8, 100), (301, 9)])
def test_what_grows_is_as_torch_interpolates_it(size):
    maps = random_maps()
    tensor = torch.from_numpy(maps)[None]
    expected = interpolate(tensor, size=size, mode="bilinear", align_corners=False)[0].numpy()
    found = whole_map(maps, size).arr
    assert found.shape == (*size, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.moveaxis(found, 2, 0), expected, atol=2e-6)


@pytest.mark.parametrize("size", [(3, 4), (3, 20), (20, 4), (1, 1)])
def test_what_shrinks_is_averaged_over_areas_first(size):
    maps = random_maps(classes=1)
    smaller = (min(size[1], 9), min(size[0], 7))
    averaged = cv2.resize(maps[0], smaller, interpolation=cv2.INTER_AREA)
    expected = cv2.resize(averaged, size[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(whole_map(maps, size).arr[..., 0], expected, atol=2e-6)


def test_strips_are_the_whole_bit_by_bit(monkeypatch):
    maps = random_maps()
    whole = whole_map(maps, (53, 40)).arr
    monkeypatch.setattr(whole_maps, "_STRIP", 200)
    strips = list(whole_map(maps, (53, 40)).strips())
    assert [len(strip) for strip in strips] == [5] * 10 + [3]
    np.testing.assert_array_equal(np.concatenate(strips), whole)


def test_equal_probabilities_stay_as_they_are():
    maps = np.full((1, 5, 5), 0.3, np.float32)
    assert (whole_map(maps, (33, 47)).arr == np.float32(0.3)).all()


def test_probabilities_stay_between_0_and_1():
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, ::2] = 1
    found = whole_map(maps, (30, 30)).arr
    assert found.min() == 0
    assert found.max() == 1


def test_a_map_that_was_asked_for_is_not_made_again():
    made = []

    def rows():
        made.append(1)
        yield np.zeros((2, 3, 1), np.float32)

    one = WholeMap((2, 3), 1, rows)
    assert one.arr is one.arr
    assert next(one.strips()) is one.arr
    assert made == [1]


def test_what_a_flip_before_the_network_moved_is_moved_back():
    rows, columns = np.indices((6, 6))
    places = np.stack([rows, columns[:, ::-1]], axis=2)
    maps = random_maps(classes=1, size=(6, 6))
    np.testing.assert_array_equal(whole_map(maps, (6, 6), places).arr[..., 0], maps[0][:, ::-1])
