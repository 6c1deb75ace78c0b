"""Maps laid over images of another size."""

import numpy as np
import pytest
from looking import THREE

from fivefold.engine.laying import lay, traced
from fivefold.models import ModelSpec


def spot(row, column, side=8):
    """A map that is 1 at one place."""
    made = np.zeros((1, side, side), np.float32)
    made[0, row, column] = 1
    return made


def centre(heat):
    """Where the weight of a map lies, as parts of its height and width."""
    rows, columns = (np.indices(heat.shape) + 0.5) * heat / heat.sum()
    return rows.sum() / heat.shape[0], columns.sum() / heat.shape[1]


@pytest.mark.parametrize("size", [(64, 64), (30, 500), (7, 3), (8, 8)])
def test_a_place_stays_where_it_is_in_an_image_of_any_shape(size):
    heat = lay(spot(2, 5), size, None)[0]
    assert heat.shape == size
    assert 0 <= heat.min() <= heat.max() <= 1
    room = 0.5 / min(size)
    assert centre(heat) == pytest.approx((2.5 / 8, 5.5 / 8), abs=max(0.01, room))


def test_what_was_mirrored_is_mirrored_back():
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), transforms=(("Fliplr", 1.0),))
    heat = lay(spot(2, 5), (100, 60), traced(spec, np.zeros((32, 32, 3), np.uint8)))[0]
    assert centre(heat) == pytest.approx((2.5 / 8, 2.5 / 8), abs=0.02)


def test_what_was_put_into_a_letterbox_is_taken_out():
    # 32 x 32 padded to 64 x 32 and brought back: the image is the middle half of what is seen
    item = ("PadToFixedSize", {"width": 64, "height": 32, "position": "center"})
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), transforms=(item,))
    places = traced(spec, np.zeros((32, 32, 3), np.uint8))
    heat = lay(spot(4, 2), (40, 80), places)[0]
    assert centre(heat) == pytest.approx((4.5 / 8, (2.5 / 8 - 0.25) * 2), abs=0.04)
    beside = lay(spot(4, 0), (40, 80), places)[0]  # seen in the padding alone
    assert beside.max() < 0.1


def test_what_was_cut_off_is_not_looked_at():
    item = ("CropToFixedSize", {"width": 16, "height": 16, "position": "right-bottom"})
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), transforms=(item,))
    everywhere = np.ones((1, 8, 8), np.float32)
    heat = lay(everywhere, (32, 32), traced(spec, np.zeros((32, 32, 3), np.uint8)))[0]
    assert heat[:15, :15].min() > 0.99
    assert heat[:, 17:].max() == heat[17:].max() == 0


def test_cells_are_each_transformed_in_their_place():
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), transforms=(("Fliplr", 1.0),), crops=2)
    places = traced(spec, np.zeros((32, 32, 3), np.uint8))
    assert places[0, 0].tolist() == [0, 15]
    assert places[20, 31].tolist() == [20, 16]


def test_padding_of_a_cell_is_nowhere():
    item = ("PadToFixedSize", {"width": 32, "height": 16, "position": "center"})
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), transforms=(item,), crops=2)
    places = traced(spec, np.zeros((32, 32, 3), np.uint8))
    assert places[20, 16].tolist() == places[20, 0].tolist() == [-1, -1]
    assert places[20, 24, 1] >= 16


def test_without_transforms_nothing_is_traced():
    spec = ModelSpec("looking_cnn", THREE, (32, 32, 3), crops=2)
    assert traced(spec, np.zeros((32, 32, 3), np.uint8)) is None
