import numpy as np
import pytest
from pixels import change_with, rough_picture, smooth_picture
from scipy.spatial import KDTree

from fivefold.augment.segments import alike, nearest

IMAGE = smooth_picture()


@pytest.mark.parametrize("count", [1, 2, 40, 5000])
def test_each_pixel_belongs_to_the_nearest_point(count):
    points = np.random.default_rng(count).random((count, 2)).astype(np.float32)
    labels = nearest(points, (30, 50))
    y, x = np.mgrid[0:30, 0:50] + 0.5
    tree = KDTree(points * [30, 50])
    distance, _ = tree.query(np.stack([y, x], axis=-1))
    own = np.hypot(points[labels][..., 0] * 30 - y, points[labels][..., 1] * 50 - x)
    np.testing.assert_allclose(own, distance, atol=1e-4)


def test_of_equally_near_points_the_first_counts():
    points = np.array([[0.5, 0.75], [0.5, 0.25], [0.5, 0.25]], np.float32)
    labels = nearest(points, (3, 41))
    assert set(np.unique(labels)) == {0, 1}
    assert (labels[:, 20] == 0).all()  # the pixel in the middle


def test_superpixels_follow_edges():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 23:] = [250, 200, 40]
    labels = alike(image, 24)
    assert not set(np.unique(labels[:, :23])) & set(np.unique(labels[:, 23:]))
    assert 12 <= len(np.unique(labels)) <= 30


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_superpixels_are_about_as_many_as_asked_for(channels):
    found = len(np.unique(alike(smooth_picture(channels=channels), 48)))
    assert 30 <= found <= 60


def test_all_regions_are_painted_in_their_mean_or_none():
    painted = change_with("Superpixels", {"p_replace": 1.0, "n_segments": 48})(IMAGE)
    labels = alike(IMAGE, 48)
    for label in np.unique(labels):
        mean = np.rint(IMAGE[labels == label].mean(axis=0))
        np.testing.assert_array_equal(np.unique(painted[labels == label], axis=0), [mean])
    np.testing.assert_array_equal(change_with("Superpixels", 0)(IMAGE), IMAGE)


def test_a_share_of_the_regions_is_painted():
    labels = alike(IMAGE, 200)
    painted = []
    for seed in range(10):
        changed = change_with("Superpixels", {"p_replace": 0.3, "n_segments": 200}, seed)(IMAGE)
        same = [(changed == IMAGE)[labels == label].all() for label in np.unique(labels)]
        painted.append(1 - np.mean(same))
    assert np.mean(painted) == pytest.approx(0.3, abs=0.05)


def test_voronoi_paints_as_many_cells_as_there_are_points():
    colours = np.unique(change_with("UniformVoronoi", 20)(IMAGE).reshape(-1, 3), axis=0)
    assert 15 <= len(colours) <= 20
    grid = {"n_rows": 4, "n_cols": 8, "p_drop_points": 0}
    whole = change_with("RegularGridVoronoi", grid)(IMAGE)
    blocks = IMAGE.reshape(4, 12, 8, 8, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(whole.reshape(4, 12, 8, 8, 3)[:, 5, :, 3], blocks, atol=0.51)


def test_dropped_points_leave_larger_cells():
    few, all_ = (
        len(np.unique(change_with("RegularGridVoronoi", o)(rough_picture()).reshape(-1, 3), axis=0))
        for o in (
            {"n_rows": 8, "n_cols": 8, "p_drop_points": 0.7},
            {"n_rows": 8, "n_cols": 8, "p_drop_points": 0.0},
        )
    )
    assert all_ >= 60
    assert 8 <= few <= 32
    none_left = {"n_rows": 3, "n_cols": 3, "p_drop_points": 1.0}
    assert (
        len(np.unique(change_with("RegularGridVoronoi", none_left)(IMAGE).reshape(-1, 3), axis=0))
        == 1
    )


def test_a_relative_grid_grows_with_the_image():
    options = {"n_rows_frac": 0.25, "n_cols_frac": 0.125, "p_drop_points": 0}
    by_parts = change_with("RelativeRegularGridVoronoi", options)(IMAGE)
    by_numbers = change_with("RegularGridVoronoi", {"n_rows": 12, "n_cols": 8, "p_drop_points": 0})(
        IMAGE
    )
    np.testing.assert_array_equal(by_parts, by_numbers)


def test_large_images_are_parted_on_a_smaller_one():
    large = smooth_picture(160, 240)
    changed = change_with("UniformVoronoi", {"n_points": 30, "max_size": 60})(large)
    blocks = changed.reshape(40, 4, 60, 4, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
