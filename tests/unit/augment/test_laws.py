"""What holds of all augmenters that move pixels: nothing from nothing, masks move along."""

import numpy as np
import pytest
from augmenter_options import GEOMETRY
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import augment, noise, squares

IDENTITIES = [
    ("Affine", None),
    ("AffineCv2", None),
    ("Crop", 0),
    ("CropAndPad", {"percent": 0}),
    ("CropToFixedSize", {"width": 36, "height": 24}),
    ("ElasticTransformation", {"sigma": 3}),
    ("Fliplr", 0),
    ("Flipud", 0),
    ("Jigsaw", {"max_steps": 0}),
    ("KeepSizeByResize", [{"Noop": {}}]),
    ("Noop", None),
    ("OneOf", ["Noop"]),
    ("Pad", 0),
    ("PadToFixedSize", {"width": 36, "height": 24}),
    ("PiecewiseAffine", 0),
    ("RandAugment", {"num_ops": 0}),
    ("RandomResizedCrop", {"scale": [1, 1], "ratio": [1.5, 1.5]}),
    ("Resize", "keep"),
    ("Rot90", [0, 4, 8]),
    ("Rotate", 0),
    ("Rotate90", False),
    ("ScaleX", 1),
    ("ScaleY", {"scale": 1, "fit_output": True}),
    ("Sequential", []),
    ("ShearX", 0),
    ("ShearY", {"shear": 0, "fit_output": True}),
    ("SomeOf", {"n": 0, "children": [{"Flipud": 1}]}),
    ("Sometimes", {"p": 0, "then": [{"Flipud": 1}]}),
    ("TranslateX", {"px": 0}),
    ("TranslateY", {"percent": 0}),
    ("WithPolarWarping", []),
]


@pytest.mark.parametrize(("name", "value"), IDENTITIES, ids=[name for name, _ in IDENTITIES])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), channels=st.sampled_from([1, 3, 5]))
def test_options_that_ask_for_nothing_change_no_bit(name, value, seed, channels):
    image = noise(channels=channels)
    mask = image[..., 0] % 4
    picture, kept = augment(image, name, value, seed, mask)
    np.testing.assert_array_equal(picture, image)
    np.testing.assert_array_equal(kept, mask)


# Interpolating twice, or from afar, blurs the rim between classes more.
BLURRED = {"KeepSizeByResize": 0.12, "Resize": 0.12, "WithPolarWarping": 0.12}
MOVING = sorted(set(GEOMETRY) - {"TrivialAugment", "RandAugment", "PadToFixedSize", "CropAndPad"})


@pytest.mark.parametrize("name", MOVING)
def test_a_mask_goes_where_its_image_goes(name):
    value = GEOMETRY[name]
    if name == "Pad":
        value = {**value, "pad_cval": 0}
    if name == "AffineCv2":
        value = {**value, "mode": "constant"}
    if name == "TranslateX":
        value = {**value, "mode": "constant"}
    image, mask = squares()
    for seed in range(6):
        picture, moved = augment(image, name, value, seed, mask)
        wrong = np.abs(picture[..., 0] - 100.0 * moved) > 60
        assert wrong.mean() < BLURRED.get(name, 0.06), seed
