import cv2
import numpy as np
import pytest
from PIL import Image

from fivefold.augment import build_augmentation
from fivefold.augment.box import find_box
from fivefold.augment.warp import Border, Warp, apply

HEIGHT, WIDTH = 150, 190
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "symmetric": cv2.BORDER_REFLECT,
    "reflect": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
}


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(height=HEIGHT, width=WIDTH, channels=3):
    return rng(3).integers(0, 256, (height, width, channels), dtype=np.uint8)


def affine(**options):
    return build_augmentation([("Affine", options)], lambda *path: "")


def matrix_of(across, right, down, below):
    return np.array([[across, 0, right], [0, down, below], [0, 0, 1.0]])


def drawn_matrix(seed):
    draw = rng(seed)
    across, down = draw.uniform(0.6, 3, 2) * draw.choice([-1, 1], 2)
    centre = np.array([WIDTH - 1, HEIGHT - 1]) / 2
    right, below = centre - centre * (across, down) + draw.uniform(-30, 30, 2)
    return matrix_of(across, right, down, below)


@pytest.mark.parametrize("seed", range(20))
def test_a_box_is_half_a_pixel_from_what_was_asked_for(seed):
    matrix = drawn_matrix(seed)
    box = find_box(matrix[:2], HEIGHT, WIDTH)
    corners = np.array([[-0.5, WIDTH - 0.5], [-0.5, HEIGHT - 0.5]])
    asked = (corners - matrix[:2, 2:]) / np.diag(matrix)[:2, None]
    given = (corners - box.matrix[:, 2:]) / np.diag(box.matrix)[:, None]
    assert np.abs(asked.mean(1) - given.mean(1)).max() <= 0.5
    assert np.abs(np.ptp(asked, 1) - np.ptp(given, 1)).max() <= 0.5
    np.testing.assert_allclose(given + 0.5, np.round(given + 0.5), atol=1e-9)
    assert (np.sign(np.diag(box.matrix)) == np.sign(np.diag(matrix)[:2])).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_box_inside_is_cropped_and_resized_as_pillow_does_it(seed):
    draw, image = rng(seed), noise()
    scale = {"x": draw.uniform(1.3, 3), "y": draw.uniform(1.3, 3)}
    moved = {"x": int(draw.integers(-15, 16)), "y": int(draw.integers(-15, 16))}
    found = affine(scale=scale, translate_px=moved)(image, rng())
    width, height = round(WIDTH / scale["x"]), round(HEIGHT / scale["y"])
    left = (WIDTH - width) / 2 - moved["x"] / scale["x"]
    top = (HEIGHT - height) / 2 - moved["y"] / scale["y"]
    box = (round(left), round(top), round(left) + width, round(top) + height)
    expected = Image.fromarray(image).crop(box).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    assert np.abs(found.astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize("seed", range(8))
def test_a_box_equals_the_general_warp_but_for_its_rim(seed, mode):
    matrix, image = drawn_matrix(seed), cv2.GaussianBlur(noise(), (0, 0), 3)
    found = apply(image, Warp(matrix, Border(1, mode, 9)))
    box = find_box(np.round(matrix[:2], 12), HEIGHT, WIDTH)
    slow = cv2.warpAffine(
        image, box.matrix, (WIDTH, HEIGHT), borderMode=BORDERS[mode], borderValue=(9,) * 4
    )
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(found[inner].astype(int) - slow[inner]).max() <= 3


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize(("x", "y"), [(7, -11), (-40, 30), (0, 3), (100, 0)])
def test_whole_pixels_are_moved_exactly(mode, x, y):
    image = noise()
    moved = affine(translate_px={"x": x, "y": y}, mode=mode, cval=9)(image, rng())
    matrix = np.array([[1.0, 0, x], [0, 1, y]])
    general = cv2.warpAffine(
        image, matrix, (WIDTH, HEIGHT), borderMode=BORDERS[mode], borderValue=(9,) * 4
    )
    np.testing.assert_array_equal(moved, general)


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
def test_channels_do_not_know_each_other(channels):
    image = noise(channels=channels)
    turned = affine(scale=1.4, translate_px={"x": 50})
    found = turned(image, rng())
    alone = [turned(image[..., c : c + 1], rng()) for c in range(channels)]
    np.testing.assert_array_equal(found, np.concatenate(alone, axis=2))
    assert found.flags.c_contiguous


def test_a_mask_takes_the_same_box():
    image = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    image[30:90, 40:120] = 200
    mask = (image[..., 0] // 200).copy()
    augment = build_augmentation(
        [("Fliplr", 0.5), ("Affine", {"scale": [0.7, 2], "translate_percent": [-0.2, 0.2]})],
        lambda *path: "",
    )
    for seed in range(20):
        moved, moved_mask = augment(image, rng(seed), mask)
        assert set(np.unique(moved_mask)) <= {0, 1}
        assert ((moved[..., 0] > 100) != moved_mask.astype(bool)).mean() < 0.01


@pytest.mark.parametrize(
    ("matrix", "height", "width"),
    [
        (matrix_of(1.2, 0, 1.2, 0), 127, 500),
        (matrix_of(0.01, 90, 1, 0), 200, 200),
        (matrix_of(9, 0, 1, 0), 200, 200),
        (matrix_of(1, 300, 1, 0), 200, 200),
        (np.array([[1.2, 0.01, 0], [0, 1.2, 0], [0, 0, 1]]), 200, 200),
    ],
)
def test_other_warps_are_sampled_between_pixels(matrix, height, width):
    assert find_box(matrix[:2], height, width) is None
    image = cv2.GaussianBlur(noise(height, width), (0, 0), 2)
    expected = cv2.warpAffine(image, matrix[:2], (width, height))
    np.testing.assert_array_equal(apply(image, Warp(matrix, Border())), expected)


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize("order", [0, 1])
def test_a_fourth_channel_beside_three_changes_no_bit(order, mode):
    flags = (cv2.INTER_NEAREST, cv2.INTER_LINEAR)[order]
    for seed in range(10):
        draw = rng(seed)
        image = noise(*draw.integers(20, 200, 2))
        height, width = image.shape[:2]
        matrix = np.eye(3) + np.vstack([draw.normal(0, 0.3, (2, 3)) * (1, 1, 40), np.zeros((1, 3))])
        expected = cv2.warpAffine(
            image,
            np.round(matrix, 12)[:2],
            (width, height),
            flags=flags,
            borderMode=BORDERS[mode],
            borderValue=(7.6,) * 4,
        )
        found = apply(image, Warp(matrix, Border(order, mode, 7.6)))
        np.testing.assert_array_equal(found, expected)
