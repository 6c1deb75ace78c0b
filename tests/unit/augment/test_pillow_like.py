import numpy as np
import pytest
import torch
from pixels import change_with, rough_picture, smooth_picture
from torchvision.transforms.v2 import functional as reference

IMAGE = smooth_picture()


def torch_result(function, *arguments, image=IMAGE):
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    return function(pixels, *arguments).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("factor", [0.0, 0.375, 1.0, 1.75])
@pytest.mark.parametrize("image", [IMAGE, rough_picture()], ids=["smooth", "rough"])
def test_pillows_ways_are_torchvisions(factor, image):
    for name, function in [
        ("EnhanceColor", reference.adjust_saturation),
        ("EnhanceSharpness", reference.adjust_sharpness),
    ]:
        expected = torch_result(function, factor, image=image)
        np.testing.assert_array_equal(change_with(name, factor)(image), expected)
    contrasted = torch_result(reference.adjust_contrast, factor, image=image)
    # Means of so many numbers differ in their last digit.
    difference = change_with("EnhanceContrast", factor)(image).astype(int) - contrasted
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("image", [IMAGE, IMAGE // 3 + 40, np.full((4, 4, 3), 9, np.uint8)])
def test_autocontrast_and_equalize_are_torchvisions_to_the_bit(image):
    np.testing.assert_array_equal(
        change_with("Autocontrast")(image), torch_result(reference.autocontrast, image=image)
    )
    np.testing.assert_array_equal(
        change_with("Equalize")(image), torch_result(reference.equalize, image=image)
    )


def test_cutoff_leaves_out_the_rarest_ends():
    image = np.clip(np.arange(1000) // 10, 0, 99).astype(np.uint8).reshape(20, 50, 1)
    image[0, 0], image[-1, -1] = 0, 255
    assert np.ptp(change_with("Autocontrast", 0)(image)[1:-1]) < 110
    # The fifth and the last but fifth of a hundred values are stretched to the ends.
    inner = change_with("Autocontrast", 5)(image).ravel()
    np.testing.assert_array_equal(inner[[50, 949]], [0, 255])
    assert 120 < inner[500] < 135
