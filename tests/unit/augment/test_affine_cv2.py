import numpy as np
import pytest
from pictures import augment, here, smooth

from fivefold.augment import check_augmentation


@pytest.mark.parametrize(
    ("order", "number"), [("nearest", 0), ("linear", 1), ("cubic", 3), (0, 0), (1, 1), (2, 3)]
)
@pytest.mark.parametrize(
    ("mode", "word"),
    [("replicate", "edge"), (2, "symmetric"), ("reflect_101", "reflect"), (3, "wrap")],
)
def test_opencv_s_words_mean_affine_s(order, number, mode, word):
    image = smooth()
    options = {"rotate": 20, "scale": 1.1}
    found = augment(image, "AffineCv2", {**options, "order": order, "mode": mode})
    expected = augment(image, "Affine", {**options, "order": number, "mode": word})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"order": 4}, "order: expected nearest (0), linear (1), cubic (2), or a list"),
        ({"order": True}, "order: expected nearest (0)"),
        ({"mode": "edge"}, "mode: expected constant (0), replicate (1), reflect (2)"),
    ],
)
def test_opencv_s_other_words_are_refused(value, sentence):
    (problem,) = check_augmentation([("AffineCv2", value)], here)
    assert sentence in problem.message
