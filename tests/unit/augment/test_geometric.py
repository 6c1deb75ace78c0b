import math

import numpy as np
import pytest

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import fuse
from fivefold.augment.geometric import about_centre

HEIGHT, WIDTH = 20, 31


def drawn(name, seed=0, **options):
    return augmenters.get(name).make(np.random.default_rng(seed), HEIGHT, WIDTH, **options)


def at(warp, x, y):
    return tuple(warp.matrix @ [x, y, 1])[:2]


@pytest.mark.parametrize(
    "options",
    [{"rotate": 33}, {"scale": 0.7}, {"shear": 12}, {"scale": {"x": 2}, "rotate": -80, "shear": 5}],
)
def test_the_centre_stays(options):
    centre = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    assert at(drawn("Affine", **options), *centre) == pytest.approx(centre)


def test_points_go_where_trigonometry_says():
    turned = drawn("Affine", rotate=30, scale=2, translate_px={"x": 4, "y": -1})
    x, y = 3.0, -7.0
    radius, angle = 2 * math.hypot(x, y), math.atan2(y, x) + math.radians(30)
    expected = (15 + radius * math.cos(angle) + 4, 9.5 + radius * math.sin(angle) - 1)
    assert at(turned, 15 + x, 9.5 + y) == pytest.approx(expected)


def test_shear_tilts_the_vertical_and_keeps_the_horizontal():
    sheared = drawn("Affine", shear=10)
    assert at(sheared, 16, 9.5) == pytest.approx((16, 9.5))
    dx, dy = np.subtract(at(sheared, 15, 10.5), (15, 9.5))
    assert math.degrees(math.atan2(-dx, dy)) == pytest.approx(10)


@pytest.mark.parametrize("name", ["Fliplr", "Flipud"])
def test_p_is_the_share_of_flipped_images(name):
    flipped = [np.linalg.det(drawn(name, seed, p=0.3).matrix) < 0 for seed in range(2000)]
    assert 0.27 < np.mean(flipped) < 0.33


def test_fused_matrices_move_points_as_one_after_the_other():
    warps = [drawn("Affine", rotate=20), drawn("Fliplr", p=1), drawn("Affine", scale=1.5)]
    (fused,) = fuse(tuple(warps))
    point = (3.0, 5.0)
    for warp in warps:
        point = at(warp, *point)
    assert at(fused, 3, 5) == pytest.approx(point)


def test_the_identity_about_any_centre_is_the_identity():
    np.testing.assert_array_equal(about_centre(np.eye(3), 7, 4), np.eye(3))
