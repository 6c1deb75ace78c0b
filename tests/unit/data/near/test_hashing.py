import io

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn
from shapes import NAMES, draw
from sklearn.datasets import load_digits, load_sample_images

from fivefold.data.near.hashing import NO_HASH, hash_of, look_alike, thumbnail_of

LIMIT = 4


@pytest.fixture(scope="module")
def photographs():
    return [
        np.ascontiguousarray(photo[y : y + 200, x : x + 200])
        for photo in load_sample_images().images
        for y in (0, 200)
        for x in (0, 200, 400)
    ]


def bits_apart(first, second):
    return (hash_of(first) ^ hash_of(second)).bit_count()


def alike(first, second):
    return bool(look_alike(thumbnail_of(first)[None], thumbnail_of(second)[None], LIMIT)[0])


def near(first, second):
    return bits_apart(first, second) <= LIMIT and alike(first, second)


def as_jpeg(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: as_jpeg(x, 90),
        lambda x: as_jpeg(x, 60),
        lambda x: cv2.resize(x, (100, 100), interpolation=cv2.INTER_AREA),
        lambda x: cv2.resize(x, (300, 300), interpolation=cv2.INTER_CUBIC),
        lambda x: np.repeat(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2),
        lambda x: cv2.GaussianBlur(x, (3, 3), 0),
    ],
    ids=["jpeg 90", "jpeg 60", "half", "enlarged", "grey", "blurred"],
)
def test_a_photograph_that_was_saved_anew_is_near(photographs, change):
    assert all(near(photo, change(photo)) for photo in photographs)


def test_photographs_of_the_same_scene_are_not_near(photographs):
    pairs = [(a, b) for i, a in enumerate(photographs) for b in photographs[:i]]
    assert not any(near(a, b) for a, b in pairs)


def test_different_drawings_and_digits_are_not_near():
    rng = np.random.default_rng(0)
    drawings = [np.asarray(draw(name, rng)) for name in NAMES for _ in range(100)]
    digits = [np.uint8(x * 15)[:, :, None] for x in load_digits().images[:300]]
    for pictures in (drawings, digits):
        hashes = np.array([hash_of(p) for p in pictures], dtype=np.uint64)
        close = np.argwhere(np.triu(np.bitwise_count(hashes[:, None] ^ hashes) <= LIMIT, 1))
        assert not any(alike(pictures[i], pictures[j]) for i, j in close)


def test_hash_bits_are_the_signs_of_low_frequencies(photographs):
    grey = np.asarray(cv2.resize(photographs[0], (32, 32), interpolation=cv2.INTER_AREA), int)
    lowest = dctn(grey @ np.array([299, 587, 114]) // 1000, type=2)[:8, :8].ravel()[1:]
    expected = "".join("01"[int(v > np.median(lowest))] for v in lowest) + "1"
    assert f"{hash_of(photographs[0]):064b}" == expected


def test_a_picture_with_nothing_on_it_has_no_hash():
    assert hash_of(np.full((20, 30, 3), 117, np.uint8)) == NO_HASH
    assert hash_of(np.random.default_rng(0).integers(116, 119, (64, 64, 1), np.uint8)) == NO_HASH


def test_brightness_and_contrast_do_not_make_another_picture(photographs):
    darker = (photographs[1] * 0.7 + 20).astype(np.uint8)
    assert near(photographs[1], darker)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_pictures_of_any_number_of_channels_have_a_hash(channels):
    image = np.random.default_rng(0).integers(0, 255, (40, 50, channels), np.uint8)
    assert hash_of(image) != NO_HASH
    assert thumbnail_of(image).shape == (256,)
