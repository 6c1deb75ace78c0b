"""What every mixer of batches promises, whoever wrote it."""

import numpy as np
import pytest

from fivefold.augment import build_mixing, mixers


def batch(channels=3):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 9, 14, channels), dtype=np.uint8)
    return images, rng.integers(0, 2, (5, 7)).astype(np.float32)


@pytest.fixture(params=mixers.names())
def mix(request):
    return build_mixing([(request.param, None)])


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_shapes_types_and_ranges_are_kept(mix, channels):
    images, targets = batch(channels)
    before = images.copy(), targets.copy()
    for seed in range(20):
        found = mix(np.random.default_rng(seed), images, targets)
        assert found.images.shape == images.shape
        assert found.images.dtype == np.uint8
        assert found.targets.shape == targets.shape
        assert found.targets.dtype == np.float32
        assert found.targets.min() >= 0
        assert found.targets.max() <= 1
        assert sorted(found.order.tolist()) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(targets, before[1])


def test_the_same_generator_gives_the_same_batch(mix):
    first, again = (mix(np.random.default_rng(3), *batch()) for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.targets, again.targets)


def test_something_is_mixed(mix):
    images, targets = batch()
    results = [mix(np.random.default_rng(seed), images, targets) for seed in range(10)]
    assert any((found.images != images).any() for found in results)


@pytest.mark.parametrize("name", mixers.names())
def test_names_are_found_in_any_case_and_explain_themselves(name):
    component = mixers.find(name.upper())
    assert component is mixers.find(name.lower())
    assert component.summary
