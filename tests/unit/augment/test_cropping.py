import numpy as np
import pytest
from pictures import augment, here, noise, rng, squares

from fivefold.augment import augmenters, build_augmentation, check_augmentation, resize
from fivefold.augment.warp import as_nearest


def raw(name, value, image, seed=0):
    """What an augmenter makes before its result is brought back to the image's size."""
    component = augmenters.get(name)
    options, complaints = component.check({**value, "keep_size": False})
    assert not complaints
    change = component.make(rng(seed), *image.shape[:2], **options)
    return (change.image(image), change.size) if change else (image, image.shape[:2])


@pytest.mark.parametrize(
    ("px", "cut"), [(3, (3, 3, 3, 3)), ([1, 2, 3, 4], (1, 2, 3, 4)), ([0, 2, 0, 0], (0, 2, 0, 0))]
)
def test_crop_cuts_top_right_bottom_left(px, cut):
    image = noise()
    top, right, bottom, left = cut
    expected = image[top : 24 - bottom, left : 36 - right]
    found, size = raw("Crop", {"px": px}, image)
    np.testing.assert_array_equal(found, expected)
    assert size == expected.shape[:2]
    np.testing.assert_array_equal(augment(image, "Crop", {"px": px}), resize(expected, 24, 36))


def test_a_percentage_is_of_the_height_above_and_below_and_of_the_width_beside():
    found, _ = raw("Crop", {"percent": [0.25, 0.0, 0.125, 0.5]}, noise())
    np.testing.assert_array_equal(found, noise()[6:21, 18:])


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("constant", {"constant_values": 7}),
        ("edge", {}),
        ("linear_ramp", {"end_values": 7}),
        ("maximum", {}),
        ("mean", {}),
        ("median", {}),
        ("minimum", {}),
        ("reflect", {}),
        ("symmetric", {}),
        ("wrap", {}),
    ],
)
def test_padding_holds_what_numpys_pad_does(mode, words):
    image = noise()
    value = {"px": [2, 0, 5, 3], "pad_mode": mode, "pad_cval": 7}
    expected = np.pad(image, ((2, 5), (3, 0), (0, 0)), mode=mode, **words)
    np.testing.assert_array_equal(raw("Pad", value, image)[0], expected)
    np.testing.assert_array_equal(raw("CropAndPad", value, image)[0], expected)


def test_below_zero_is_cut_and_above_is_padded():
    found, size = raw("CropAndPad", {"px": [-2, 3, -4, 1], "pad_cval": 9}, noise())
    expected = np.pad(noise()[2:20], ((0, 0), (1, 3), (0, 0)), constant_values=9)
    np.testing.assert_array_equal(found, expected)
    assert size == (18, 40)


def test_a_range_is_drawn_for_each_side_unless_they_are_to_be_alike():
    def cuts(independently):
        component = augmenters.get("Crop")
        options, _ = component.check({"px": [0, 5], "sample_independently": independently})
        drawn = [component.make(rng(seed), 40, 40, **options) for seed in range(60)]
        return [change[0].image.__self__.sides for change in drawn if change]

    assert {side for sides in cuts(True) for side in sides} == {0, -1, -2, -3, -4, -5}
    assert any(len(set(sides)) > 1 for sides in cuts(True))
    assert all(len(set(sides)) == 1 for sides in cuts(False))


def test_at_least_a_pixel_is_left():
    found, size = raw("Crop", {"px": [20, 30, 20, 30]}, noise())
    assert size == (1, 1) == found.shape[:2]
    assert raw("Crop", {"percent": 0.9}, noise())[1] == (1, 1)


def test_fixed_sizes_are_reached_one_by_one():
    image, seen = noise(), []

    def look(rng, height, width):
        seen.append((height, width))
        return ()

    change = build_augmentation(
        [
            ("PadToFixedSize", {"width": 50, "height": 20}),
            ("CropToFixedSize", {"width": 45, "height": 22}),
        ],
        here,
    )
    change._steps = (change._steps[0], look, change._steps[1], look)
    assert change(image, rng()).shape == image.shape
    assert seen == [(24, 50), (22, 45)]


@pytest.mark.parametrize(
    ("position", "top", "left"),
    [
        ("left-top", 14, 26),
        ("right-bottom", 0, 0),
        ("center", 7, 13),
        ([1.0, 0.0], 14, 0),
        ("center-top", 14, 13),
    ],
)
def test_a_position_says_where_is_cut(position, top, left):
    change = drawn("CropToFixedSize", {"width": 10, "height": 10, "position": position})
    found = change.image(noise())
    np.testing.assert_array_equal(found, noise()[top : top + 10, left : left + 10])


def drawn(name, value, seed=0):
    component = augmenters.get(name)
    options, complaints = component.check(value)
    assert not complaints
    return component.make(rng(seed), 24, 36, **options)


def test_uniform_positions_reach_every_place_and_normal_ones_keep_to_the_centre():
    tops = {}
    for position in ("uniform", "normal"):
        value = {"width": 36, "height": 14, "position": position}
        changes = [drawn("CropToFixedSize", value, seed) for seed in range(300)]
        tops[position] = np.array([-change.image.__self__.sides[0] for change in changes])
    assert set(tops["uniform"]) == set(range(11))
    assert tops["normal"].std() < 0.8 * tops["uniform"].std()
    assert abs(tops["normal"].mean() - 5) < 0.4


def test_a_shift_by_padding_and_cropping_stays_sharp():
    image = noise(20, 20)
    change = build_augmentation(
        [
            ("PadToFixedSize", {"width": 28, "height": 28, "position": "center"}),
            ("CropToFixedSize", {"width": 20, "height": 20, "position": "left-top"}),
        ],
        here,
    )
    shifted = change(image, rng())
    np.testing.assert_array_equal(shifted[:-4, :-4], image[4:, 4:])
    assert (shifted[-4:] == 0).all()


def test_masks_are_cut_alike_and_padded_with_nothing():
    image, mask = squares()
    value = {"px": [[-9, 9], [-9, 9], [-9, 9], [-9, 9]], "pad_cval": 77, "pad_mode": "edge"}
    for seed in range(20):
        picture, moved = augment(image, "CropAndPad", value, seed, mask)
        assert set(np.unique(moved)) <= {0, 1, 2}
        assert (np.abs(picture[..., 0] - 100.0 * moved) > 60).mean() < 0.06


def test_a_mask_is_resized_to_the_nearest_value():
    mask = noise(7, 5, 1)[..., 0]
    np.testing.assert_array_equal(as_nearest(mask, 21, 15), mask.repeat(3, 0).repeat(3, 1))
    np.testing.assert_array_equal(as_nearest(mask.repeat(3, 0).repeat(3, 1), 7, 5), mask)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("Crop", {}, "expected one of px and percent, got neither"),
        ("Pad", {"px": 1, "percent": 0.1}, "expected one of px and percent, got both"),
        ("Crop", {"px": -1}, "px: expected a whole number of pixels, at least 0, a range [a, b]"),
        ("Crop", {"percent": 1}, "percent: expected a part of the side of at least 0, below 1"),
        ("CropAndPad", {"px": 0.5}, "px: expected a whole number of pixels, a range"),
        ("Pad", {"px": 1, "pad_mode": "mirror"}, "pad_mode: expected constant, edge, linear_ramp"),
        ("CropToFixedSize", {"width": 3}, "height: required, but not set"),
        (
            "CropToFixedSize",
            {"width": 3, "height": 3, "position": [0, 2]},
            "position: expected [x, y] from 0 to 1, or one of uniform, normal, center",
        ),
    ],
)
def test_what_cannot_be_cut_is_told(name, value, sentence):
    (problem,) = check_augmentation([(name, value)], here)
    assert sentence in problem.message
