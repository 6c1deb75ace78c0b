import numpy as np
import pytest
from pixels import change_with

from fivefold.core.errors import ConfigError

WHITE = np.full((64, 96, 3), 255, np.uint8)


def black(name, options, seed=0):
    return (change_with(name, options, seed)(WHITE) == 0).all(axis=2)


def box_of(hit):
    rows, columns = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
    assert hit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def test_p_is_the_share_of_dropped_pixels_itself_or_from_a_range():
    assert black("Dropout", 0.25).mean() == pytest.approx(0.25, abs=0.02)
    shares = [black("Dropout", [0.1, 0.5], seed).mean() for seed in range(200)]
    assert min(shares) < 0.13
    assert max(shares) > 0.47
    assert np.mean(shares) == pytest.approx(0.3, abs=0.03)


def test_channels_are_dropped_together_unless_they_shall_differ():
    dropped = change_with("Dropout", {"p": 0.3, "per_channel": True})(WHITE) == 0
    assert dropped.mean() == pytest.approx(0.3, abs=0.02)
    assert abs(np.corrcoef(dropped[..., 0].ravel(), dropped[..., 1].ravel())[0, 1]) < 0.05


def test_coarse_dropout_drops_blocks_of_the_size_that_is_asked_for():
    hits = np.array([black("CoarseDropout", {"p": 0.4, "size_px": 8}, s) for s in range(50)])
    share = hits.reshape(50, 8, 8, 8, 12).mean(axis=(2, 4))
    assert set(np.unique(share)) == {0, 1}
    assert share.mean() == pytest.approx(0.4, abs=0.03)
    by_part = black("CoarseDropout", {"p": 0.4, "size_percent": 0.125})
    assert set(np.unique(by_part.reshape(8, 8, 12, 8).mean(axis=(1, 3)))) == {0, 1}


def test_a_grid_has_at_least_so_many_cells():
    least = black("CoarseDropout", {"p": 0.5, "size_px": 1, "min_size": 2}, 3)
    assert set(np.unique(least.reshape(2, 32, 2, 48).mean(axis=(1, 3)))) <= {0, 1}
    assert 0 < black("CoarseDropout", {"p": 0.5, "size_px": 1, "min_size": 2}, 3).mean() < 1


def test_total_dropout_takes_the_image_in_a_share_of_them():
    taken = [black("TotalDropout", 0.4, seed).all() for seed in range(500)]
    assert np.mean(taken) == pytest.approx(0.4, abs=0.06)


def test_cutout_fills_a_square_somewhere_or_in_the_middle():
    options = {"cval": 0, "size": 0.25, "position": "center"}
    assert box_of(black("Cutout", options)) == (24, 40, 40, 56)
    corners = {box_of(black("Cutout", {"cval": 0, "size": 0.25}, s))[::2] for s in range(50)}
    assert len(corners) > 40
    tall = {"cval": 0, "size": 0.5, "squared": False, "position": "center"}
    assert box_of(black("Cutout", tall)) == (16, 48, 24, 72)


def test_cutout_fills_several_and_with_noise():
    several = {"cval": 0, "size": 0.1, "nb_iterations": 5}
    assert max(black("Cutout", several, s).sum() for s in range(10)) > 4 * 36
    noisy = change_with(
        "Cutout",
        {
            "size": 1.0,
            "position": "center",
            "squared": False,
            "fill_mode": "gaussian",
            "fill_per_channel": True,
        },
    )(WHITE)
    assert noisy.mean() == pytest.approx(127.5, abs=2)
    assert noisy.std() == pytest.approx(42.5, rel=0.05)
    plain = change_with("Cutout", {"size": 1.0, "position": "center", "squared": False})(WHITE)
    assert set(np.unique(plain)) == {128}


def test_erasing_follows_the_area_and_the_ratio():
    options = {"p": 1.0, "scale": [0.1, 0.2], "ratio": [0.5, 2.0]}
    boxes = [box_of(black("RandomErasing", options, seed)) for seed in range(300)]
    tall = np.array([b[1] - b[0] for b in boxes])
    wide = np.array([b[3] - b[2] for b in boxes])
    area = tall * wide / (64 * 96)
    assert 0.09 < area.min() < 0.11
    assert 0.19 < area.max() < 0.21
    assert area.mean() == pytest.approx(0.15, abs=0.01)
    logs = np.log(tall / wide)
    assert np.abs(logs).max() < np.log(2) + 0.1
    assert logs.mean() == pytest.approx(0, abs=0.08)


def test_erasing_happens_in_a_share_of_images_and_fills_what_is_asked_for():
    assert np.mean([black("RandomErasing", {}, s).any() for s in range(600)]) == pytest.approx(
        0.5, abs=0.07
    )
    grey = change_with("RandomErasing", {"p": 1.0, "value": 90})(WHITE)
    assert set(np.unique(grey)) == {90, 255}
    noisy = change_with("RandomErasing", {"p": 1.0, "value": "random", "scale": [0.3, 0.33]})(WHITE)
    assert len(np.unique(noisy)) > 100


def test_a_rectangle_that_never_fits_is_not_erased():
    options = {"p": 1.0, "scale": [1.0, 1.0]}
    assert not any(black("RandomErasing", options, seed).any() for seed in range(20))


def test_ranges_of_parts_are_checked():
    with pytest.raises(ConfigError, match="less than or equal to 1, got 3"):
        change_with("RandomErasing", {"scale": [0.1, 3]})
