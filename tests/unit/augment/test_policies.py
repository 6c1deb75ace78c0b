import numpy as np
import pytest
import torch
from pictures import augment, here, noise, rng, smooth
from torchvision.transforms import autoaugment
from torchvision.transforms.functional import InterpolationMode

from fivefold.augment import augmenters, check_augmentation
from fivefold.augment.changes import change_image, fuse
from fivefold.augment.policies import _NAMES, _change

SIZE = (96, 128)


class Sure:
    """A generator that draws one number always."""

    def __init__(self, number):
        self.number = number

    def integers(self, *_):
        return self.number


def ours(image, name, strength):
    sure = Sure(1 if strength < 0 else 0)
    change = _change(sure, name, abs(strength), image.shape[:2], 0.0)
    return change_image(image, fuse(change))


def theirs(image, name, strength):
    tensor = torch.from_numpy(image).permute(2, 0, 1)
    changed = autoaugment._apply_op(
        tensor, name, strength, InterpolationMode.NEAREST, [0.0] * image.shape[2]
    )
    return changed.permute(1, 2, 0).numpy()


def space(policy, bins=31):
    if policy == "TrivialAugment":
        return autoaugment.TrivialAugmentWide()._augmentation_space(bins)
    return autoaugment.RandAugment()._augmentation_space(bins, SIZE)


def test_the_changes_are_those_of_torchvision():
    assert set(_NAMES) == set(space("TrivialAugment")) == set(space("RandAugment"))


@pytest.mark.parametrize(
    "name", [n for n in _NAMES if "Shear" in n or "Trans" in n or n == "Rotate"]
)
@pytest.mark.parametrize("part", [-1.0, -0.3, 0.5])
def test_moving_changes_equal_torchvisions(name, part):
    image = smooth(*SIZE, channels=3)
    strength = part * float(space("TrivialAugment")[name][0][-1])
    difference = np.abs(ours(image, name, strength).astype(int) - theirs(image, name, strength))
    # Where a place lies halfway between two pixels, either may be the nearest.
    assert (difference > 12).mean() < 0.02
    assert np.median(difference) == 0


@pytest.mark.parametrize(
    "name", [n for n in _NAMES if "Shear" not in n and "Trans" not in n and n != "Rotate"]
)
@pytest.mark.parametrize("bin_number", [0, 9, 17, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_other_changes_equal_torchvisions_to_the_bit(name, bin_number, sign):
    image = noise(*SIZE)
    magnitudes, signed = space("TrivialAugment")[name]
    strength = float(magnitudes[bin_number]) if magnitudes.ndim else 0.0
    strength *= sign if signed else 1
    np.testing.assert_array_equal(ours(image, name, strength), theirs(image, name, strength))


def recorded(monkeypatch, name, options, seeds):
    calls = []

    def record(rng, change, strength, size, outside):
        calls.append((change, strength))
        return ()

    monkeypatch.setattr("fivefold.augment.policies._change", record)
    accepted, complaints = augmenters.get(name).check(options)
    assert not complaints
    for seed in range(seeds):
        augmenters.get(name).make(rng(seed), *SIZE, **accepted)
    return calls


@pytest.mark.parametrize("bins", [31, 11])
def test_trivial_augment_draws_every_change_and_every_strength(monkeypatch, bins):
    calls = recorded(monkeypatch, "TrivialAugment", {"num_magnitude_bins": bins}, 3000)
    assert len(calls) == 3000
    for name, (magnitudes, _) in space("TrivialAugment", bins).items():
        found = [strength for change, strength in calls if change == name]
        assert 130 < len(found) < 310
        expected = magnitudes.tolist() if magnitudes.ndim else [0.0]
        assert sorted({round(v, 4) for v in found}) == sorted({round(v, 4) for v in expected})


@pytest.mark.parametrize("magnitude", [0, 9, 30])
def test_rand_augment_takes_its_strength(monkeypatch, magnitude):
    calls = recorded(monkeypatch, "RandAugment", {"num_ops": 3, "magnitude": magnitude}, 200)
    assert len(calls) == 600
    for name, (magnitudes, _) in space("RandAugment").items():
        expected = float(magnitudes[magnitude]) if magnitudes.ndim else 0.0
        (found,) = {strength for change, strength in calls if change == name}
        assert found == pytest.approx(expected, abs=1e-4)


def test_signs_are_even():
    image, name = smooth(*SIZE), "Brightness"
    means = [
        change_image(image, fuse(_change(rng(s), name, 0.5, SIZE, 0.0))).mean() for s in range(200)
    ]
    assert 70 < sum(mean > image.mean() for mean in means) < 130


def test_images_without_colours_are_changed_too():
    for seed in range(40):
        assert augment(noise(channels=1), "TrivialAugment", None, seed).shape == (24, 36, 1)
    assert ours(noise(channels=1), "Color", 0.9).tobytes() == noise(channels=1).tobytes()


def test_a_strength_that_is_none_of_the_bins_is_told():
    (problem,) = check_augmentation([("RandAugment", {"n": 2, "m": 31})], here)
    assert "expected a magnitude below num_magnitude_bins, 31, got 31" in problem.message
