import io

import numpy as np
import pytest
from PIL import Image
from pixels import change_with, rough_picture, smooth_picture
from sklearn.cluster import KMeans

IMAGE = smooth_picture()


def colours(image):
    return len(np.unique(image.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("count", [2, 5, 16])
def test_few_colours_are_left(count):
    changed = change_with("KMeansColorQuantization", {"n_colors": count, "to_colorspace": "RGB"})(
        IMAGE
    )
    assert colours(changed) <= count
    pixels = IMAGE.reshape(-1, 3).astype(float)
    best = KMeans(count, n_init=3, random_state=0).fit(pixels).inertia_
    assert ((changed.reshape(-1, 3) - pixels) ** 2).sum() < 1.3 * best


def test_colours_are_found_on_a_smaller_image_and_in_another_space():
    large = smooth_picture(200, 300)
    options = {"n_colors": 4, "to_colorspace": "Lab", "max_size": 64}
    changed = change_with("KMeansColorQuantization", options)(large)
    assert colours(changed) <= 4
    assert np.abs(changed.astype(float) - large).mean() < 45


def test_fewer_colours_than_asked_for_are_kept():
    two = np.where(np.arange(12).reshape(3, 4, 1) > 5, [9, 8, 7], [200, 100, 0]).astype(np.uint8)
    options = {"n_colors": 8, "to_colorspace": "RGB"}
    np.testing.assert_array_equal(change_with("KMeansColorQuantization", options)(two), two)


@pytest.mark.parametrize("count", [2, 4, 7])
def test_uniform_leaves_the_middles_of_equal_parts(count):
    changed = change_with("UniformColorQuantization", count)(rough_picture())
    middles = np.rint((np.arange(count) + 0.5) * 256 / count)
    assert set(np.unique(changed)) == set(middles)
    assert np.abs(changed.astype(float) - rough_picture()).max() <= 128 / count + 0.5


def as_jpeg(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).astype(float)


@pytest.mark.parametrize(("compression", "quality"), [(0, 100), (50, 51), (90, 12), (100, 2)])
def test_compression_loses_what_pillows_jpeg_loses(compression, quality):
    changed = change_with("JpegCompression", compression)(IMAGE).astype(float)
    reference = as_jpeg(IMAGE, quality)
    lost, expected = (np.sqrt(((x - IMAGE) ** 2).mean()) for x in (changed, reference))
    assert lost == pytest.approx(expected, rel=0.1, abs=0.3)
    assert np.sqrt(((changed - reference) ** 2).mean()) < max(0.3 * expected, 1.5)


def test_more_compression_loses_more_of_any_channels():
    image = smooth_picture(channels=5)
    lost = [
        np.abs(change_with("JpegCompression", c)(image).astype(int) - image).mean((0, 1))
        for c in (10, 80, 98)
    ]
    assert (lost[0] < lost[1]).all()
    assert (lost[1] < lost[2]).all()
