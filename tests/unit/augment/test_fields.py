import cv2
import numpy as np
import pytest
from matplotlib.tri import LinearTriInterpolator, Triangulation
from pictures import augment, here, noise, rng, smooth, squares
from scipy.ndimage import gaussian_filter, map_coordinates

from fivefold.augment import augmenters, check_augmentation

HEIGHT, WIDTH = 60, 80


def drawn(name, seed=0, **options):
    accepted, complaints = augmenters.get(name).check(options)
    assert not complaints
    return augmenters.get(name).make(rng(seed), HEIGHT, WIDTH, **accepted)


def sampled(image, maps, **words):
    """Take pixels from where maps say, by SciPy."""
    x, y = maps
    return map_coordinates(image[..., 0].astype(float), [y, x], order=1, **words)


def test_an_elastic_field_is_smoothed_noise_times_alpha():
    field = drawn("ElasticTransformation", seed=4, alpha=20, sigma=3)
    x, y = field.make_maps(HEIGHT, WIDTH)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    seed = int(rng(4).integers(2**63))
    drawn_noise = np.random.default_rng(seed).random((2, HEIGHT, WIDTH), np.float32) * 2 - 1
    for found, numbers in zip((x - columns, y - rows), drawn_noise, strict=True):
        expected = 20 * gaussian_filter(numbers, 3, mode="reflect", truncate=4)
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_an_elastic_field_without_smoothing_moves_every_pixel_alone():
    x, _ = drawn("ElasticTransformation", alpha=2).make_maps(HEIGHT, WIDTH)
    moves = x - np.mgrid[:HEIGHT, :WIDTH][1]
    assert np.abs(moves).max() <= 2.001
    assert abs(np.corrcoef(moves[:, 1:].ravel(), moves[:, :-1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("name", ["ElasticTransformation", "PiecewiseAffine"])
def test_nothing_moves_at_strength_zero(name):
    image = noise()
    assert augment(image, name, None) is image
    unmoved = augment(image, "PerspectiveTransform", 0)
    assert np.abs(unmoved.astype(int) - image).max() <= 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ElasticTransformation", {"alpha": 30, "sigma": 4, "order": 1, "mode": "edge"}),
        ("PiecewiseAffine", {"scale": 0.03, "mode": "edge"}),
        ("PerspectiveTransform", {"scale": 0.1, "mode": "edge"}),
    ],
)
def test_pixels_come_from_where_the_maps_say(name, options):
    image = smooth(HEIGHT, WIDTH)
    maps = drawn(name, seed=2, **options).make_maps(HEIGHT, WIDTH)
    found = augment(image, name, options, seed=2)[..., 0]
    assert np.abs(found - sampled(image, maps, mode="nearest")).max() <= 3
    assert (found != image[..., 0]).mean() > 0.5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ElasticTransformation", {"alpha": 30, "sigma": 4, "cval": 50}),
        ("PiecewiseAffine", {"scale": 0.04, "cval": 50}),
        ("PerspectiveTransform", {"scale": 0.15, "cval": 50}),
        ("PerspectiveTransform", {"scale": 0.15, "keep_size": False}),
    ],
)
def test_masks_bend_with_their_image(name, options):
    image, mask = squares(HEIGHT, WIDTH)
    for seed in range(8):
        picture, moved = augment(image, name, options, seed, mask)
        assert moved.shape == mask.shape
        assert set(np.unique(moved)) <= {0, 1, 2}
        assert (np.abs(picture[..., 0] - 100.0 * moved) > 60).mean() < 0.05


def test_a_perspective_is_the_one_that_four_points_decide():
    field = drawn("PerspectiveTransform", seed=3, scale=0.1)
    x, y = field.make_maps(HEIGHT, WIDTH)
    inward = np.abs(rng(3).normal(0, 0.1, (4, 2)))
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    ends = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    part = (ends + signs * inward) * (WIDTH, HEIGHT) - 0.5
    whole = ends * (WIDTH, HEIGHT) - 0.5
    matrix = cv2.getPerspectiveTransform(whole.astype(np.float32), part.astype(np.float32))
    for u, v in ((0, 0), (79, 0), (40, 31), (79, 59)):
        a, b, c = matrix @ [u, v, 1]
        assert (x[v, u], y[v, u]) == pytest.approx((a / c, b / c), abs=1e-3)


def test_a_perspective_that_keeps_no_size_has_that_of_the_part():
    change = drawn("PerspectiveTransform", seed=3, scale=0.1, keep_size=False)
    height, width = change.size
    assert 0.5 * HEIGHT < height < HEIGHT
    assert 0.5 * WIDTH < width < WIDTH
    assert change.image(noise(HEIGHT, WIDTH)).shape == (height, width, 3)


def test_a_grid_moves_by_its_points_and_linearly_between_them():
    field = drawn("PiecewiseAffine", seed=1, scale=0.05, nb_rows=3, nb_cols=5)
    x, y = field.make_maps(61, 81)
    rows, columns = np.mgrid[:61, :81]
    down, right = y - rows, x - columns
    moves = rng(1).normal(0, 0.05, (3, 5, 2)) * (HEIGHT, WIDTH)
    places = [(i * 30, j * 20) for i in range(3) for j in range(5)]
    for (row, column), move in zip(places, moves.reshape(-1, 2), strict=True):
        expected = np.clip(np.add((row, column), move), 0, (60, 80)) - (row, column)
        assert (down[row, column], right[row, column]) == pytest.approx(tuple(expected), abs=1e-4)


def test_within_its_triangles_a_grid_moves_linearly():
    field = drawn("PiecewiseAffine", seed=1, scale=0.05, nb_rows=3, nb_cols=5)
    x, y = field.make_maps(61, 81)
    rows, columns = np.mgrid[:61, :81]
    top, left = (axis.ravel() for axis in np.mgrid[0:61:30, 0:81:20])
    first = np.array([i * 5 + j for i in range(2) for j in range(4)])
    upper = np.stack([first, first + 1, first + 6], axis=1)
    lower = np.stack([first, first + 6, first + 5], axis=1)
    mesh = Triangulation(left, top, np.concatenate([upper, lower]))
    for moved in (x - columns, y - rows):
        plane = LinearTriInterpolator(mesh, moved[top, left])
        expected = plane(columns.astype(float), rows.astype(float))
        np.testing.assert_allclose(moved, expected.filled(np.nan), atol=1e-3)


def test_an_absolute_scale_is_in_pixels():
    def moves(**options):
        field = drawn("PiecewiseAffine", seed=2, nb_rows=6, nb_cols=6, **options)
        x, _ = field.make_maps(HEIGHT, WIDTH)
        return np.abs(x - np.mgrid[:HEIGHT, :WIDTH][1]).max()

    assert 0.5 < moves(scale=1.0, absolute_scale=True) < 4
    assert moves(scale=1.0 / WIDTH) == pytest.approx(
        moves(scale=1.0, absolute_scale=True), rel=0.01
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PiecewiseAffine", {"nb_rows": 1}, "nb_rows: expected a whole number from 2 to 100"),
        ("ElasticTransformation", {"alpha": -1}, "alpha: expected a number of at least 0"),
        ("PerspectiveTransform", {"scale": "big"}, "scale: expected a number of at least 0"),
    ],
)
def test_what_cannot_bend_is_told(name, value, sentence):
    (problem,) = check_augmentation([(name, value)], here)
    assert sentence in problem.message
