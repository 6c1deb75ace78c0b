import numpy as np
import pytest
from pixels import change_with

from fivefold.augment.per_channel import (
    as_bytes,
    channels_within,
    drawn_array,
    for_channels,
    mixed,
)
from fivefold.core.errors import ConfigError, DataError


def rng(seed=0):
    return np.random.default_rng(seed)


def image(channels=3, seed=1):
    return rng(seed).integers(0, 256, (13, 17, channels), dtype=np.uint8)


def test_one_number_serves_all_channels_unless_they_shall_differ():
    assert for_channels(rng(), [0, 1], 0.0)(3).shape == (1,)
    assert len(np.unique(for_channels(rng(), [0, 1], 1.0)(3))) == 3


def test_channels_differ_in_the_share_that_is_asked_for():
    differ = [len(for_channels(rng(seed), [0, 1], 0.3)(3)) == 3 for seed in range(1000)]
    assert 0.26 < np.mean(differ) < 0.34


def test_numbers_of_channels_are_the_same_each_time_they_are_asked_for():
    values = for_channels(rng(), [0, 1], 1.0)
    np.testing.assert_array_equal(values(3), values(3))
    np.testing.assert_array_equal(values(5)[:3], values(3))


def test_arrays_are_drawn_from_a_number_a_range_or_a_choice():
    assert set(drawn_array(rng(), 4, (2, 3)).ravel()) == {4}
    spread = drawn_array(rng(), [10, -10], (100, 100))
    assert spread.min() < -9.9
    assert spread.max() > 9.9
    assert np.abs(spread).max() <= 10
    assert set(drawn_array(rng(), [1, 2, 7], (50,))) == {1, 2, 7}


def test_bytes_are_rounded_and_end_at_0_and_255():
    np.testing.assert_array_equal(
        as_bytes(np.array([-3, 0.4, 0.6, 254.6, 300])), [0, 0, 1, 255, 255]
    )


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0, 1.7])
def test_pictures_are_mixed_as_numpy_mixes_them(channels, alpha):
    one, other = image(channels), image(channels, seed=2)
    expected = np.clip((1 - alpha) * one.astype(float) + alpha * other, 0, 255)
    np.testing.assert_allclose(mixed(one, other, alpha), expected, atol=0.51)


def test_colours_are_changed_in_the_first_three_channels_alone():
    five = image(5)
    changed = change_with("AddToHue", 90)(five)
    np.testing.assert_array_equal(changed[..., 3:], five[..., 3:])
    np.testing.assert_array_equal(
        changed[..., :3], change_with("AddToHue", 90)(np.ascontiguousarray(five[..., :3]))
    )


def test_an_image_without_colours_is_refused():
    with pytest.raises(
        DataError, match="at least 3 channels for an augmenter of colours, got 1"
    ) as e:
        change_with("Grayscale", 1)(image(1))
    assert e.value.slug == "data/no-colour"


def test_a_channel_that_is_not_there_is_named():
    assert channels_within(None, 3) == [0, 1, 2]
    with pytest.raises(DataError, match="expected a channel 3, got channels 0 to 2") as error:
        channels_within([0, 3], 3)
    assert error.value.slug == "data/no-channel"


def test_a_share_is_a_probability_or_true():
    with pytest.raises(ConfigError, match=r"true, false, or a probability from 0 to 1, got 1\.5"):
        change_with("Add", {"value": 3, "per_channel": 1.5})
