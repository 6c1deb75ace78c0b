import numpy as np
import pytest
from pixels import change_with
from scipy import stats

from fivefold.core.errors import ConfigError

GREY = np.full((96, 128, 3), 77, np.uint8)


@pytest.mark.parametrize("name", ["SaltAndPepper", "Salt", "Pepper"])
def test_p_is_the_share_of_replaced_pixels(name):
    changed = change_with(name, 0.2)(GREY)
    hit = (changed != GREY).any(axis=2)
    assert hit.mean() == pytest.approx(0.2, abs=0.01)
    assert (changed[hit] == changed[hit][:, :1]).all()


def test_salt_is_bright_pepper_dark_and_both_follow_beta():
    fine = np.random.default_rng(0).uniform(-0.5, 0.5, GREY.size)
    both = change_with("SaltAndPepper", {"p": 1.0, "per_channel": True})(GREY).ravel() + fine
    assert stats.kstest(both / 255, stats.beta(0.5, 0.5).cdf).statistic < 0.05
    assert change_with("Salt", 1.0)(GREY).min() >= 127
    assert change_with("Pepper", 1.0)(GREY).max() <= 128


def test_impulses_hit_each_channel_alone():
    hit = change_with("ImpulseNoise", 0.3)(GREY) != GREY
    assert hit.mean() == pytest.approx(0.3, abs=0.01)
    assert abs(np.corrcoef(hit[..., 0].ravel(), hit[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("name", ["CoarseSaltAndPepper", "CoarseSalt", "CoarsePepper"])
def test_coarse_ones_hit_whole_blocks(name):
    hits = [
        (change_with(name, {"p": 0.3, "size_px": 8}, seed)(GREY) != GREY).any(axis=2)
        for seed in range(30)
    ]
    blocks = np.array(hits).reshape(30, 8, 12, 8, 16)
    # One in some 200 samples of salt and pepper is the very grey that was there.
    share = blocks.mean(axis=(2, 4))
    assert ((share == 0) | (share > 0.9)).all()
    assert (share > 0.9).mean() == pytest.approx(0.3, abs=0.03)


def test_replacements_are_drawn_for_every_pixel():
    changed = change_with("ReplaceElementwise", {"mask": 0.5, "replacement": [10, 20, 30]})(GREY)
    assert set(np.unique(changed)) == {10, 20, 30, 77}
    assert (changed != 77).mean() == pytest.approx(0.5, abs=0.02)


def test_a_grid_needs_one_of_two_sizes():
    for options in ({"p": 0.1}, {"p": 0.1, "size_px": 4, "size_percent": 0.1}):
        with pytest.raises(ConfigError, match="expected exactly one of size_px and size_percent"):
            change_with("CoarseSalt", options)
