"""One way from an image to a network's pixels."""

import io
import platform
from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image

from fivefold.augment import resize
from fivefold.core.errors import DataError
from fivefold.data.decode import decode
from fivefold.data.preprocess import Preprocess


def of_size(height, width, channels=3):
    return Preprocess((height, width, channels), partial(resize, height=height, width=width))


def test_every_number_of_the_shape_has_its_own_key():
    keys = {of_size(*shape).key for shape in [(8, 9), (9, 8), (8, 8), (8, 8, 1)]}
    assert len(keys) == 4
    assert of_size(8, 9).key == of_size(8, 9).key


def test_the_record_names_the_libraries_that_decide_pixels():
    record = of_size(8, 9).record
    assert (record["height"], record["width"], record["channels"]) == (8, 9, 3)
    assert {"pillow", "libjpeg_turbo", "opencv", "definition"} <= set(record)


def test_processors_with_other_instructions_have_keys_of_their_own(monkeypatch):
    here = of_size(8, 9).key
    assert "SSE2" in of_size(8, 9).record["instructions"] or platform.machine() != "x86_64"
    monkeypatch.setattr(cv2, "getCPUFeaturesLine", lambda: "SSE SSE2 SSE3 *SSE4.1 *AVX2?")
    assert of_size(8, 9).key != here


def test_pixels_have_the_shape_and_grey_is_made_where_wanted():
    image = np.zeros((20, 30, 3), np.uint8)
    assert of_size(8, 9)(image, "a").shape == (8, 9, 3)
    assert of_size(8, 9, 1)(image, "a").shape == (8, 9, 1)


def test_channels_that_do_not_fit_name_the_sample():
    with pytest.raises(DataError, match="a: expected an image with 4 channels, got 3") as error:
        of_size(8, 9, 4)(np.zeros((2, 2, 3), np.uint8), "a")
    assert error.value.slug == "data/channels"


def test_what_does_not_resize_is_named():
    same = Preprocess((6, 6, 3), lambda image: image)
    with pytest.raises(
        DataError, match=r"a: expected pixels \(6, 6, 3\), got \(8, 9, 3\)"
    ) as error:
        same(np.zeros((8, 9, 3), np.uint8), "a")
    assert error.value.slug == "data/shape"


def picture():
    y, x = np.mgrid[0:200, 0:300]
    return np.stack([x % 256, y, (x * y) % 256], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ((37, 53), [[36, 29, 122], [104, 72, 131], [172, 116, 124], [240, 159, 128]]),
        ((400, 400), [[4, 2, 10], [13, 6, 84], [22, 10, 245], [31, 14, 196]]),
        ((250, 100), [[19, 4, 73], [55, 10, 29], [91, 17, 122], [127, 23, 106]]),
    ],
)
def test_pixels_change_only_together_with_the_number_of_the_definition(size, pixels):
    """Other pixels under an old key would be mixed with those that a cache has.

    Where this fails after a change of decoding or resizing: raise `_DEFINITION`.
    """
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "PNG")
    found = of_size(*size)(decode(file.getvalue(), draft_size=size), "a")
    assert of_size(*size).record["definition"] == 1
    diagonal = found[range(5, 37, 8), range(6, 53, 12)].astype(int).tolist()
    # Processors may round differently, by one.
    assert np.abs(np.subtract(diagonal, pixels)).max() <= 1
