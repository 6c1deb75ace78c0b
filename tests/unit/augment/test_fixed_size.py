import numpy as np
import pytest
from pictures import here, noise, rng

from fivefold.augment import augmenters, build_augmentation, check_augmentation


def drawn(name, value, seed=0):
    component = augmenters.get(name)
    options, complaints = component.check(value)
    assert not complaints
    return component.make(rng(seed), 24, 36, **options)


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


def test_uniform_positions_reach_every_place_and_normal_ones_keep_to_the_centre():
    tops = {}
    for position in ("uniform", "normal"):
        value = {"width": 36, "height": 14, "position": position}
        changes = [drawn("CropToFixedSize", value, seed) for seed in range(300)]
        tops[position] = np.array([-change.image.__self__.sides[0] for change in changes])
    assert set(tops["uniform"]) == set(range(11))
    assert tops["normal"].std() < 0.8 * tops["uniform"].std()
    assert abs(tops["normal"].mean() - 5) < 0.4


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"width": 3}, "height: required, but not set"),
        (
            {"width": 3, "height": 3, "position": [0, 2]},
            "position: expected [x, y] from 0 to 1, or one of uniform, normal, center",
        ),
    ],
)
def test_what_is_no_size_or_place_is_told(value, sentence):
    (problem,) = check_augmentation([("CropToFixedSize", value)], here)
    assert sentence in problem.message
