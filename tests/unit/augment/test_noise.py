import numpy as np
import pytest
from pixels import change_with, rough_picture
from scipy import stats

from fivefold.core.errors import ConfigError

GREY = np.full((96, 128, 3), 128, np.uint8)


def noise_of(name, options, seed=0):
    return change_with(name, options, seed)(GREY).astype(int) - 128


@pytest.mark.parametrize(
    ("name", "options", "mean", "deviation"),
    [
        ("AdditiveGaussianNoise", {"loc": 5, "scale": 12}, 5, 12),
        ("AdditiveLaplaceNoise", {"loc": -3, "scale": 8}, -3, 8 * 2**0.5),
        ("AdditivePoissonNoise", {"lam": 20}, 0, (20 + 20**2) ** 0.5),
        ("AddElementwise", {"value": [-30, 30]}, 0, 60 / 12**0.5),
    ],
)
def test_noise_has_the_mean_and_the_spread_of_its_distribution(name, options, mean, deviation):
    noise = noise_of(name, {**options, "per_channel": True})
    assert noise.mean() == pytest.approx(mean, abs=0.3)
    assert noise.std() == pytest.approx(deviation, rel=0.05)


def test_noise_has_the_shape_of_its_distribution():
    fine = np.random.default_rng(1).uniform(-0.5, 0.5, GREY.size)  # undoes the rounding
    gauss = noise_of("AdditiveGaussianNoise", {"scale": 12, "per_channel": True}).ravel() + fine
    assert stats.kstest(gauss, stats.norm(0, (144 + 1 / 6) ** 0.5).cdf).statistic < 0.01
    laplace = noise_of("AdditiveLaplaceNoise", {"scale": 12, "per_channel": True}).ravel() + fine
    assert stats.kstest(laplace, stats.laplace(0, 12).cdf).statistic < 0.01
    poisson = np.abs(noise_of("AdditivePoissonNoise", {"lam": 12, "per_channel": True})).ravel()
    counts = np.bincount(poisson, minlength=40) / poisson.size
    np.testing.assert_allclose(counts, stats.poisson(12).pmf(np.arange(counts.size)), atol=0.004)


@pytest.mark.parametrize("name", ["AdditiveGaussianNoise", "AdditiveLaplaceNoise"])
def test_channels_share_their_noise_unless_they_shall_differ(name):
    shared = noise_of(name, {"scale": 20})
    assert (shared[..., 0] == shared[..., 2]).all()
    own = noise_of(name, {"scale": 20, "per_channel": True})
    assert abs(np.corrcoef(own[..., 0].ravel(), own[..., 2].ravel())[0, 1]) < 0.05


def test_each_pixel_is_multiplied_by_its_own_number():
    changed = change_with("MultiplyElementwise", [0.5, 1.5])(GREY)
    assert changed.min() == 64
    assert changed.max() in (191, 192)
    assert len(np.unique(changed[..., 0])) > 120
    chosen = change_with("MultiplyElementwise", [0.5, 1.0, 1.5])(GREY)
    assert set(np.unique(chosen)) == {64, 128, 192}


def test_no_noise_changes_nothing():
    image = rough_picture()
    for name in ("AdditiveGaussianNoise", "AdditiveLaplaceNoise", "AdditivePoissonNoise"):
        np.testing.assert_array_equal(change_with(name)(image), image)
    np.testing.assert_array_equal(change_with("MultiplyElementwise", 1)(image), image)


def test_a_spread_below_0_is_refused():
    with pytest.raises(ConfigError, match="a number of at least 0, a range"):
        change_with("AdditiveGaussianNoise", {"scale": [-5, 5]})
