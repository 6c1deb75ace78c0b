import math

import numpy as np
import pytest
from pictures import augment, here, noise, rng, squares

from fivefold.augment import augmenters, check_augmentation
from fivefold.augment.geometric import fitted

HEIGHT, WIDTH = 20, 31
CENTRE = (15.0, 9.5)


def drawn(name, seed=0, **options):
    accepted, complaints = augmenters.get(name).check(options)
    assert not complaints
    return augmenters.get(name).make(rng(seed), HEIGHT, WIDTH, **accepted)


def at(warp, x, y):
    return tuple(warp.matrix @ [CENTRE[0] + x, CENTRE[1] + y, 1])[:2]


def beside(x, y):
    return pytest.approx((CENTRE[0] + x, CENTRE[1] + y))


def test_rotate90_turns_by_each_quarter_as_often():
    image = noise(16, 16)
    turns = [np.rot90(image, -quarters) for quarters in range(4)]
    found = [augment(image, "Rotate90", True, seed) for seed in range(200)]
    counts = [sum(np.array_equal(picture, turn) for picture in found) for turn in turns]
    assert sum(counts) == 200
    assert min(counts) > 30
    assert augment(image, "Rotate90", False) is image


def test_rotate90_cuts_off_what_is_longer():
    image = noise(10, 20)
    found = next(
        picture
        for picture in (augment(image, "Rotate90", True, seed) for seed in range(20))
        if (picture[:, :4] == 0).all()
    )
    inner = np.rot90(image[:, 5:15], -1)
    assert np.array_equal(found[:, 5:15], inner) or np.array_equal(
        found[:, 5:15], np.rot90(inner, 2)
    )


@pytest.mark.parametrize("quarters", [-1, 0, 1, 2, 3, 5])
def test_rot90_turns_the_whole_image_clockwise(quarters):
    change = drawn("Rot90", k=quarters, keep_size=False)
    image = noise(HEIGHT, WIDTH)
    if quarters == 0:
        assert change == ()
        return
    np.testing.assert_array_equal(change.image(image), np.rot90(image, -quarters))
    assert change.size == np.rot90(image, -quarters).shape[:2]
    assert augment(image, "Rot90", {"k": quarters}).shape == image.shape


def test_rotate_turns_clockwise():
    warp = drawn("Rotate", rotate=30)
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    assert at(warp, 1, 0) == beside(c, s)
    assert at(warp, 0, 1) == beside(-s, c)
    assert len({drawn("Rotate", seed).matrix[0, 1] for seed in range(9)}) == 9


def test_scales_keep_the_other_axis():
    assert at(drawn("ScaleX", scale=2), 3, 4) == beside(6, 4)
    assert at(drawn("ScaleY", scale=0.5), 3, 4) == beside(3, 2)


def test_shears_push_rows_or_columns_by_the_tangent():
    tangent = math.tan(math.radians(20))
    assert at(drawn("ShearX", shear=20), 3, 4) == beside(3 - 4 * tangent, 4)
    assert at(drawn("ShearY", shear=20), 3, 4) == beside(3, 4 + 3 * tangent)


def test_translations_are_parts_or_pixels():
    assert at(drawn("TranslateX", percent=0.1), 0, 0) == beside(3, 0)
    assert at(drawn("TranslateY", percent=-0.1), 0, 0) == beside(0, -2)
    assert at(drawn("TranslateX", px=-4), 0, 0) == beside(-4, 0)
    assert at(drawn("TranslateY", px=7), 0, 0) == beside(0, 7)
    defaults = [drawn("TranslateX", seed).matrix[0, 2] for seed in range(50)]
    assert max(map(abs, defaults)) <= 8
    (problem,) = check_augmentation([("TranslateX", {"px": 1, "percent": 0.1})], here)
    assert problem.message == "augmentation.TranslateX: expected one of percent and px, got both"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Affine", {"rotate": 30, "translate_px": 50}),
        ("Rotate", {"rotate": 75}),
        ("ShearX", {"shear": 40}),
        ("ScaleX", {"scale": 3}),
    ],
)
def test_a_fitted_result_shows_all_of_the_image(name, options):
    matrix = drawn(name, fit_output=True, **options).matrix
    corners = [(-0.5, -0.5), (WIDTH - 0.5, -0.5), (-0.5, HEIGHT - 0.5), (WIDTH - 0.5, HEIGHT - 0.5)]
    moved = np.array([(matrix @ [x, y, 1])[:2] for x, y in corners])
    np.testing.assert_allclose(moved.min(0), (-0.5, -0.5), atol=1e-9)
    np.testing.assert_allclose(moved.max(0), (WIDTH - 0.5, HEIGHT - 0.5), atol=1e-9)


def test_fitting_what_fits_changes_nothing():
    np.testing.assert_allclose(fitted(np.eye(3), 7, 9), np.eye(3), atol=1e-12)


def test_orders_and_modes_may_be_drawn():
    looks = {
        (warp.border.order, warp.border.mode)
        for warp in (
            drawn("Affine", seed, rotate=3, order="ALL", mode=["edge", "wrap"])
            for seed in range(60)
        )
    }
    assert looks == {(order, mode) for order in (0, 1, 3) for mode in ("edge", "wrap")}


def test_scikit_image_as_backend_is_refused():
    (problem,) = check_augmentation([("Affine", {"rotate": 1, "backend": "skimage"})], here)
    assert "backend: expected 'auto' or 'cv2', got 'skimage'" in problem.message


@pytest.mark.parametrize(
    "name", ["Rotate", "ScaleX", "ScaleY", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rot90"]
)
def test_masks_move_with_their_image(name):
    image, mask = squares()
    for seed in range(5):
        picture, moved = augment(image, name, 1 if name == "Rot90" else None, seed, mask)
        assert set(np.unique(moved)) <= {0, 1, 2}
        assert (np.abs(picture[..., 0] - 100.0 * moved) > 60).mean() < 0.03


def test_a_choice_of_two_is_written_as_one():
    turns = {
        round(drawn("Rotate", seed, rotate={"choice": [-16, 16]}).matrix[1, 0], 6)
        for seed in range(30)
    }
    assert turns == {round(math.sin(math.radians(angle)), 6) for angle in (-16, 16)}
    scales = {
        drawn("Affine", seed, scale={"x": {"choice": [2, 3]}}).matrix[0, 0] for seed in range(30)
    }
    assert scales == {2.0, 3.0}
