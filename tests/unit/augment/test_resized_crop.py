import numpy as np
import pytest
import torch
from pictures import here, rng, smooth
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.functional import resized_crop

from fivefold.augment import augmenters, build_augmentation, check_augmentation


@pytest.mark.parametrize("size", [(150, 190), (32, 40)])
def test_random_resized_crops_are_those_of_torchvision(size):
    image = smooth(*size, channels=3)
    component = augmenters.get("RandomResizedCrop")
    for seed in range(20):
        warp = component.make(rng(seed), *size)
        (x, _, right), (_, y, below), _ = warp.matrix
        width, height = size[1] / x, size[0] / y
        left, top = -(right + 0.5) / x + 0.5, -(below + 0.5) / y + 0.5
        box = [round(v) for v in (top, left, height, width)]
        np.testing.assert_allclose(box, (top, left, height, width), atol=1e-6)
        found = build_augmentation([("RandomResizedCrop", None)], here)(image, rng(seed))
        tensor = torch.from_numpy(image).permute(2, 0, 1)
        expected = resized_crop(tensor, *box, list(size), antialias=False).permute(1, 2, 0)
        assert np.abs(found.astype(int) - expected.numpy()).max() <= 3


def test_their_boxes_have_the_areas_and_ratios_of_torchvisions():
    torch.manual_seed(0)
    tensor = torch.zeros(3, 200, 300)
    theirs = np.array(
        [RandomResizedCrop.get_params(tensor, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(3000)],
        float,
    )
    warps = [augmenters.get("RandomResizedCrop").make(rng(s), 200, 300) for s in range(3000)]
    ours = np.array(
        [
            (
                0.5 - (w.matrix[1, 2] + 0.5) / w.matrix[1, 1],
                0.5 - (w.matrix[0, 2] + 0.5) / w.matrix[0, 0],
                200 / w.matrix[1, 1],
                300 / w.matrix[0, 0],
            )
            for w in warps
        ]
    )
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), rtol=0.05)
    np.testing.assert_allclose(ours.std(0), theirs.std(0), rtol=0.07)


def test_a_ratio_that_never_fits_takes_the_middle():
    warp = augmenters.get("RandomResizedCrop").make(
        rng(), 100, 400, scale=(0.9, 1.0), ratio=(0.5, 1.0)
    )
    assert 400 / warp.matrix[0, 0] == pytest.approx(100)
    assert warp.matrix[0] @ [199.5, 0, 1] == pytest.approx(199.5)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"scale": [0.5, 2]}, "ranges [a, b] with a <= b, scale at most 1"),
        ({"ratio": [0, 2]}, "ratio: expected a range [a, b] of numbers above"),
    ],
)
def test_ranges_that_cannot_be_are_told(value, sentence):
    (problem,) = check_augmentation([("RandomResizedCrop", value)], here)
    assert sentence in problem.message
