import numpy as np
import pytest

from fivefold.augment.smooth_noise import (
    aggregated,
    enlarged,
    frequency_noise,
    simplex_noise,
    small_size,
    steepened,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def roughness(values):
    return np.abs(np.diff(values, axis=0)).mean() / values.std()


def slope(exponent):
    """Fit how amplitudes fall with frequency, over some maps."""
    spectra = [
        np.abs(np.fft.fft2(m - m.mean()))
        for m in (frequency_noise(rng(seed), 64, 64, exponent) for seed in range(20))
    ]
    line = np.minimum(np.arange(64), 64 - np.arange(64))
    frequency = np.hypot(line[:, None], line[None])
    chosen = (frequency > 3) & (frequency < 30)
    mean = np.mean(spectra, axis=0)[chosen]
    return np.polyfit(np.log(frequency[chosen] + 1), np.log(mean), 1)[0]


@pytest.mark.parametrize("exponent", [-3.0, -1.5, 0.0, 2.0])
def test_amplitudes_follow_the_exponent(exponent):
    assert slope(exponent) == pytest.approx(exponent, abs=0.25)


@pytest.mark.parametrize("make", [simplex_noise, lambda r, h, w: frequency_noise(r, h, w, -2)])
def test_maps_reach_from_0_to_1_and_differ(make):
    first, other = make(rng(1), 20, 31), make(rng(2), 20, 31)
    for values in (first, other):
        assert values.shape == (20, 31)
        assert values.dtype == np.float32
        assert (values.min(), values.max()) == (0, 1)
    assert np.abs(first - other).mean() > 0.1
    assert make(rng(), 1, 1).shape == (1, 1)


def test_simplex_noise_is_continuous_and_has_no_direction():
    values = simplex_noise(rng(), 200, 200)
    assert roughness(values) < 0.8 * roughness(rng().random((200, 200)))
    assert roughness(values) == pytest.approx(roughness(values.T), rel=0.15)
    far = np.corrcoef(values[:, :-20].ravel(), values[:, 20:].ravel())[0, 1]
    assert abs(far) < 0.1


def test_maps_are_joined_and_made_steeper():
    maps = [np.full((2, 2), v, np.float32) for v in (0.2, 0.4, 0.9)]
    assert [aggregated(maps, how)[0, 0] for how in ("min", "avg", "max")] == pytest.approx(
        [0.2, 0.5, 0.9]
    )
    ramp = np.linspace(0, 1, 11, dtype=np.float32)
    steep = steepened(ramp, 0.0)
    np.testing.assert_allclose(steep, 1 / (1 + np.exp(-(20 * ramp - 10))), rtol=1e-5)
    assert (steepened(ramp, 5.0) < steep).all()


def test_sizes_shrink_in_proportion_and_maps_grow_back():
    assert small_size(100, 200, 50) == (25, 50)
    assert small_size(10, 20, 50) == (10, 20)
    assert small_size(1, 1000, 2) == (1, 2)
    values = rng().random((4, 6)).astype(np.float32)
    for how in ("nearest", "linear", "cubic"):
        grown = enlarged(values, 40, 60, how)
        assert grown.shape == (40, 60)
        assert 0 <= grown.min() <= grown.max() <= 1
    np.testing.assert_array_equal(enlarged(values, 40, 60, "nearest")[::10, ::10], values)
