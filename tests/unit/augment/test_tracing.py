"""Where pixels came from."""

import numpy as np
import pytest

from fivefold.augment import build_transforms
from fivefold.augment.tracing import build_tracing


def picture(height=24, width=30):
    rows, columns = np.indices((height, width))
    return np.stack([rows * 8, columns * 8, rows * 0 + 255], axis=2).astype(np.uint8)


def test_without_transforms_every_pixel_is_where_it_was():
    places = build_tracing(())(picture())
    assert np.array_equal(places[..., 0], np.indices((24, 30))[0])
    assert np.array_equal(places[..., 1], np.indices((24, 30))[1])


@pytest.mark.parametrize(
    "item",
    [
        ("Fliplr", 1.0),
        ("Flipud", 1.0),
        ("Rot90", {"k": 2, "keep_size": True}),
        ("Fliplr", 0.5),
        ("CropToFixedSize", {"width": 12, "height": 12, "position": "center"}),
    ],
)
def test_a_traced_pixel_holds_what_it_held_before(item):
    image = picture(24, 24)
    changed = build_transforms((item,))(image)
    places = build_tracing((item,))(image)
    assert (places >= 0).all()
    found = image[places[..., 0], places[..., 1]].astype(int)
    # what is enlarged lies between pixels
    assert np.abs(found - changed).max() <= 16


def test_padding_comes_from_nowhere():
    item = ("PadToFixedSize", {"width": 40, "height": 20, "position": "center"})
    places = build_tracing((item,))(picture(20, 20))  # brought back to 20 x 20
    nowhere = (places < 0).all(axis=2)
    assert nowhere[:, :5].all()
    assert nowhere[:, 15:].all()
    assert not nowhere[:, 5:15].any()
    assert places[0, 5:15, 1].tolist() == sorted(places[0, 5:15, 1].tolist())


def test_places_beyond_255_are_known():
    places = build_tracing((("Fliplr", 1.0),))(np.zeros((2, 700, 3), np.uint8))
    assert places[1, 0].tolist() == [1, 699]


def test_colours_move_nothing():
    item = ("Multiply", [0.5, 1.5])
    assert np.array_equal(build_tracing((item,))(picture()), build_tracing(())(picture()))
