import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.datasets import load_sample_image

from fivefold.data.looks import (
    FORMATS,
    LONGEST,
    PIXELS,
    TRAITS,
    Look,
    look_of_numbers,
    look_of_text,
    measured,
)

kinds = st.builds(
    lambda name, traits: "+".join([name, *(t for t in TRAITS if t in traits)]),
    st.sampled_from((PIXELS, *FORMATS)),
    st.sets(st.sampled_from(TRAITS)),
)
looks = st.one_of(
    st.builds(Look, kinds),
    st.builds(Look, kinds, st.integers(0, 255), st.integers(0, 255), st.integers(-1, 9999)),
    st.just(Look()),
)


@given(looks)
def test_a_look_survives_being_text_and_numbers(look):
    assert look_of_text(str(look)) == look
    assert look_of_numbers(*look.numbers) == look
    assert all(-(2**15) <= number < 2**15 for number in look.numbers)


def test_what_is_no_look_is_refused():
    with pytest.raises(ValueError, match=r"expected a look such as .*, got 'JP2 1 2 3'"):
        look_of_text("JP2 1 2 3")


def test_the_numbers_are_those_of_numpy_and_scipy():
    grey = np.random.default_rng(3).integers(0, 256, (150, 200), dtype=np.uint8)
    look = measured("PNG+grey", np.repeat(grey[:, :, None], 3, axis=2))
    edges = ndimage.laplace(grey.astype(int), mode="mirror")
    assert look == Look(
        "PNG+grey", round(grey.mean()), round(grey.std()), min(round(edges.var()), 9999)
    )


def test_blur_shows_as_less_sharpness_whatever_the_size():
    photo = load_sample_image("flower.jpg")
    sharp = measured("JPEG", photo).sharpness
    found = [
        measured("JPEG", ndimage.gaussian_filter(photo, (sigma, sigma, 0))).sharpness
        for sigma in (2, 4, 8)
    ]
    assert sharp > found[0] > found[1] > found[2]
    assert found[2] < sharp / 10
    twice = np.repeat(np.repeat(photo, 2, axis=0), 2, axis=1)
    assert measured("JPEG", twice).sharpness == pytest.approx(sharp, rel=0.1)


@pytest.mark.parametrize(("side", "judged"), [(95, False), (96, True), (LONGEST + 1, True)])
def test_sharpness_of_small_images_is_not_judged(side, judged):
    image = np.random.default_rng(0).integers(0, 256, (10, side, 3), dtype=np.uint8)
    assert (measured("PNG", image).sharpness >= 0) == judged


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels_is_looked_at(channels):
    image = np.full((4, 5, channels), 77, np.uint8)
    assert measured(PIXELS, image) == Look(PIXELS, 77, 0)


def test_a_line_of_pixels_is_looked_at():
    assert measured("PNG", np.zeros((1, 5000, 3), np.uint8)) == Look("PNG", 0, 0, 0)
