import numpy as np
import pytest

from fivefold.augment import Augmentation
from fivefold.augment.changes import (
    Both,
    Field,
    Pixels,
    Table,
    change_image,
    change_mask,
    fuse,
    look_up,
)
from fivefold.augment.warp import Border, Warp


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(channels=3, height=14, width=11):
    return rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)


def table(seed, channels=None):
    shape = (256,) if channels is None else (channels, 256)
    lut = rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Table(lambda _: lut)


def right_by(pixels, border=None):
    return Warp(np.array([[1.0, 0, pixels], [0, 1, 0], [0, 0, 1]]), border)


def shift_maps(dx, dy):
    def make(height, width):
        y, x = np.mgrid[:height, :width].astype(np.float32)
        return x - np.float32(dx), y - np.float32(dy)

    return make


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
@pytest.mark.parametrize("alike", [True, False])
def test_a_table_gives_each_value_its_new_one(channels, alike):
    image = noise(channels)
    lut = rng(1).integers(0, 256, (256,) if alike else (channels, 256), dtype=np.uint8)
    expected = np.empty_like(image)
    for c in range(channels):
        expected[..., c] = (lut if alike else lut[c])[image[..., c]]
    np.testing.assert_array_equal(look_up(image, lut), expected)


@pytest.mark.parametrize("first", [None, 3])
@pytest.mark.parametrize("second", [None, 3])
def test_composed_tables_equal_one_after_the_other(first, second):
    parts = (table(1, first), table(2, second), table(3))
    image = noise()
    (fused,) = fuse(parts)
    apart = image
    for part in parts:
        apart = change_image(apart, [part])
    np.testing.assert_array_equal(change_image(image, [fused]), apart)


def test_warps_are_joined_across_the_ends_of_structures_but_not_across_pixels():
    pixels = Pixels(lambda image: 255 - image)
    changes = fuse((right_by(1), (right_by(2), (right_by(3),)), pixels, right_by(-1), ()))
    assert [type(change) for change in changes] == [Warp, Pixels, Warp]
    assert changes[0].matrix[0, 2] == 6


def test_warps_with_different_borders_stay_two():
    changes = fuse((right_by(1, Border(cval=3)), right_by(2), right_by(1, Border(mode="edge"))))
    assert [change.matrix[0, 2] for change in changes] == [3, 1]


@pytest.mark.parametrize("channels", [1, 3, 7])
def test_a_field_takes_pixels_from_where_its_maps_say(channels):
    image = noise(channels)
    moved = change_image(image, [Field(shift_maps(2, 3), Border(cval=9))])
    np.testing.assert_array_equal(moved[3:, 2:], image[:-3, :-2])
    assert (moved[:3] == 9).all()
    assert (moved[:, :2] == 9).all()


def test_a_mask_moves_with_fields_and_warps_and_not_with_pixels():
    mask = noise(1)[..., 0] % 5
    changes = [Field(shift_maps(2, 0), Border(cval=7)), Pixels(np.zeros_like), table(1)]
    moved = change_mask(mask, [*changes, right_by(1, Border(cval=9))])
    np.testing.assert_array_equal(moved[:, 3:], mask[:, :-3])
    assert (moved[:, :3] == 0).all()


@pytest.mark.parametrize("mode", ["edge", "symmetric", "reflect", "wrap"])
def test_a_mask_goes_on_beyond_the_edge_where_its_image_shows_itself_again(mode):
    mask = noise(1)[..., 0] % 5
    for change in (Field(shift_maps(3, 2), Border(mode=mode)), right_by(3, Border(mode=mode))):
        moved = change_mask(mask, [change])
        np.testing.assert_array_equal(moved, change_image(mask[..., None], [change])[..., 0])


def test_each_step_is_told_the_size_that_the_one_before_leaves():
    told = []

    def cut(rng, height, width):
        told.append((height, width))

        def half(image):
            return image[: height // 2, : width // 2]

        return Both(half, half, (height // 2, width // 2))

    image = noise(height=16, width=12)
    result, mask = Augmentation([cut, cut, cut])(image, rng(), image[..., 0])
    assert told == [(16, 12), (8, 6), (4, 3)]
    assert result.shape == (16, 12, 3)
    assert set(np.unique(mask)) == set(np.unique(image[:2, :1, 0]))
