import math
import re

import numpy as np
import pytest

from fivefold.augment import augmenters
from fivefold.augment.draws import draw, draw_axes, draw_whole


def many(values, one=draw, count=2000):
    rng = np.random.default_rng(0)
    return np.array([one(rng, values) for _ in range(count)])


def test_a_number_is_itself():
    assert draw(np.random.default_rng(0), 3) == 3.0


@pytest.mark.parametrize("values", [[-16, 16], [16, -16]])
def test_two_numbers_are_a_uniform_range(values):
    drawn = many(values)
    assert drawn.min() >= -16
    assert drawn.max() <= 16
    assert len(np.unique(drawn)) == len(drawn)
    assert abs(drawn.mean()) < 1
    assert abs(drawn.std() - 32 / math.sqrt(12)) < 0.5


@pytest.mark.parametrize("values", [[0, 0.5, 1.2], [7]])
def test_other_lists_are_a_choice(values):
    assert set(many(values)) == set(map(float, values))


def test_a_range_of_whole_numbers_has_both_ends():
    assert set(many([-1, 2], draw_whole)) == {-1.0, 0.0, 1.0, 2.0}


def test_axes_share_a_draw_unless_they_are_named():
    rng = np.random.default_rng(0)
    x, y = draw_axes(rng, [0, 1], 1.0)
    assert x == y
    x, y = draw_axes(rng, {"x": [0, 1], "y": [0, 1]}, 1.0)
    assert x != y
    assert draw_axes(rng, {"y": 3}, 1.0) == (1.0, 3.0)


@pytest.mark.parametrize(
    "options",
    [
        {"rotate": [math.nan, 1]},
        {"rotate": []},
        {"rotate": True},
        {"rotate": ["1", 2]},
        {"rotate": {"x": 1}},
        {"scale": {"z": 1}},
        {"scale": {}},
        {"scale": [-1, 1]},
        {"translate_px": 0.5},
        {"shear": 90},
        {"cval": 256},
        {"mode": "mirror"},
        {"order": 2},
    ],
)
def test_what_cannot_be_drawn_is_a_complaint(options):
    _, complaints = augmenters.get("Affine").check(options)
    assert [complaint.path for complaint in complaints] == [(next(iter(options)),)]


def test_numbers_of_every_form_are_accepted():
    options = {
        "scale": {"x": [0.8, 1.2], "y": 1},
        "translate_px": [-3, 3],
        "rotate": (-5, 5),
        "shear": [-8, 0, 8],
        "cval": [0, 255],
    }
    _, complaints = augmenters.get("affine").check(options)
    assert complaints == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Affine", {"rotate": 1e300}, "expected numbers from -1000000 to 1000000, got 1e.300"),
        ("Affine", {"scale": {"x": 1e9}}, "expected numbers from -1000000 to 1000000"),
        ("AffineCv2", {"order": {}}, r"expected nearest \(0\), linear \(1\), cubic \(2\)"),
        ("ElasticTransformation", {"sigma": 1e5}, "expected a number from 0 to 1000"),
        ("PiecewiseAffine", {"nb_rows": 1e6}, "expected a whole number from 2 to 100"),
        ("Cutout", {"nb_iterations": 1000}, "expected a whole number from 1 to 100"),
        ("AveragePooling", {"kernel_size": 1e5}, "expected a whole number from 1 to 1000"),
        ("Jigsaw", {"max_steps": 1e6}, "expected a whole number from 0 to 100"),
        ("UniformVoronoi", {"n_points": 1e6}, "expected a whole number from 1 to 100000"),
        ("FrequencyNoiseAlpha", {"exponent": 100}, "expected a number from -20 to 20"),
        ("SimplexNoiseAlpha", {"aggregation_method": []}, "expected at least 1 item"),
    ],
)
def test_numbers_that_would_take_for_ever_or_overflow_are_refused(name, options, message):
    (complaint,) = augmenters.get(name).check(options)[1]
    assert re.match(message, complaint.message)
