import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.data.image_problem import ImageProblem
from fivefold.data.pixels import pixels_of, to_channels, to_uint8


def photo(height=20, width=30, seed=0):
    """Smooth colours, so that lossy formats stay close."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / (5 + seed)), np.cos(columns / 7), np.sin((rows + columns) / 9)]
    return np.stack([(120 + 100 * wave).astype(np.uint8) for wave in waves], axis=-1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[True, False]]), [[255, 0]]),
        (np.array([[0.0, 0.5, 1.0]]), [[0, 128, 255]]),
        (np.array([[0.0, 1.4, 200.0]]), [[0, 1, 200]]),
        (np.array([[0, 7, 255]]), [[0, 7, 255]]),
        (np.array([[0, 257, 65535]]), [[0, 1, 255]]),
        (np.array([[0, 257]], dtype=np.uint16), [[0, 1]]),
    ],
)
def test_numbers_of_every_kind_are_scaled_by_one_rule(values, expected):
    assert to_uint8(values).tolist() == expected


@pytest.mark.parametrize("values", [[[-1.0]], [[256.0]], [[np.inf]], [[-1]], [[70_000]]])
def test_numbers_out_of_range_are_refused(values):
    with pytest.raises(ImageProblem, match="expected 0 to"):
        to_uint8(np.array(values))


def test_channels_are_converted_by_the_usual_weights():
    rgb = photo()
    grey = to_channels(rgb, 1)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[:, :, 0] - rgb @ weights).max() <= 1
    assert to_channels(grey, 3).shape == rgb.shape
    assert to_channels(rgb, 3) is rgb


def test_a_wrong_number_of_channels_is_named():
    with pytest.raises(DataError, match="shape: expected an image with 3 channels, got 4") as error:
        to_channels(np.zeros((2, 2, 4), np.uint8), 3)
    assert error.value.slug == "data/channels"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "CMYK", "1", "P"])
def test_strips_give_what_the_whole_gives(mode, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (61, 40, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).convert("RGB" if mode in ("CMYK", "P") else "RGBA")
    image = image.quantize(50) if mode == "P" else image.convert(mode)
    if mode == "P":
        image.info["transparency"] = bytes(range(0, 250, 5))
    whole = pixels_of(image)
    monkeypatch.setattr("fivefold.data.pixels._STRIP", 7 * 40)
    assert np.array_equal(pixels_of(image), whole)


@pytest.mark.parametrize("top", [1.0, 255.0, 65535])
def test_parts_are_scaled_as_the_whole(top, monkeypatch):
    values = np.random.default_rng(0).random((31, 17)) * top
    values = np.rint(values).astype(np.int32) if top == 65535 else values.astype(np.float32)
    whole = to_uint8(values)
    monkeypatch.setattr("fivefold.data.pixels._STRIP", 10)
    assert np.array_equal(to_uint8(values), whole)
