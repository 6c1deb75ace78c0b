import numpy as np
import pytest
from pictures import augment, here, noise, rng, squares

from fivefold.augment import augmenters, build_augmentation, check_augmentation, resize
from fivefold.augment.frames import Frame
from fivefold.core.masks import as_nearest


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
    value = {"px": [[-9, 9], [-9, 9], [-9, 9], [-9, 9]]}
    for seed in range(20):
        picture, moved = augment(image, "CropAndPad", value, seed, mask)
        assert set(np.unique(moved)) <= {0, 1, 2}
        assert (np.abs(picture[..., 0] - 100.0 * moved) > 60).mean() < 0.06


def test_a_mask_is_padded_with_itself_where_its_image_is_and_else_with_nothing():
    mask = noise(9, 8, 1)[..., 0] % 3 + 1
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        frame = Frame((2, 3, -1, 4), mode)
        np.testing.assert_array_equal(frame.show_mask(mask), frame.show(mask))
    for mode in ("constant", "linear_ramp", "maximum", "mean", "median", "minimum"):
        padded = Frame((2, 3, -1, 4), mode, 99).show_mask(mask)
        np.testing.assert_array_equal(padded, np.pad(mask[:-1], ((2, 0), (4, 3))))


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
    ],
)
def test_what_cannot_be_cut_is_told(name, value, sentence):
    (problem,) = check_augmentation([(name, value)], here)
    assert sentence in problem.message
