import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from fivefold.core.errors import DataError
from fivefold.data import coders, rle

MASKS = arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 1)
)


def pixel_by_pixel(pixels):
    """Write runs as a beginner would: walk, and count."""
    words, length = [], 0
    for number, value in enumerate([*pixels, 0], start=1):
        if value:
            length += 1
        elif length:
            words += [str(number - length), str(length)]
            length = 0
    return " ".join(words)


def by_columns(mask):
    return [mask[row, column] for column in range(mask.shape[1]) for row in range(mask.shape[0])]


@given(MASKS)
def test_columns_are_walked_down_one_after_the_other(mask):
    assert rle.rle_encode(mask) == pixel_by_pixel(by_columns(mask))


@given(MASKS)
def test_the_coders_of_musket_core_walk_along_the_rows(mask):
    assert coders.rle_encode(mask) == pixel_by_pixel(mask.ravel())


@given(MASKS)
def test_any_mask_comes_back(mask):
    for form in (rle, coders):
        back = form.rle_decode(form.rle_encode(mask), mask.shape)
        assert (back.dtype, back.shape) == (np.uint8, mask.shape)
        np.testing.assert_array_equal(back, mask)


@given(MASKS)
def test_any_mask_comes_back_from_gaps(mask):
    text = coders.mask2rle_relative(mask * 255, *mask.shape)
    back = coders.rle2mask_relative(text, *mask.shape)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, mask * 255)


def published_rle2mask(text, width, height):
    """Read gaps as the competition's own function does: one run after the other."""
    mask = np.zeros(width * height)
    numbers = [int(word) for word in text.split()]
    place = 0
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        place += gap
        mask[place : place + length] = 255
        place += length
    return mask.reshape(width, height)


@given(MASKS)
def test_gaps_mean_what_the_published_reader_takes_them_for(mask):
    text = coders.mask2rle_relative(mask)
    np.testing.assert_array_equal(published_rle2mask(text, *mask.shape), mask * 255)


@given(MASKS)
def test_parts_are_the_connected_ones_in_the_order_of_their_first_pixels(mask):
    # SciPy numbers parts by their first pixel, row by row.
    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    expected = [rle.rle_encode(parts == number) for number in range(1, count + 1)]
    assert rle.multi_rle_encode(mask) == expected
    assert rle.multi_rle_encode(mask[:, :, None] > 0) == expected


@given(MASKS)
def test_parts_laid_over_each_other_are_the_mask(mask):
    texts = rle.multi_rle_encode(mask)
    total = rle.masks_as_image([*texts, float("nan")], mask.shape)
    assert (total.dtype, total.shape) == (np.int16, (*mask.shape, 1))
    np.testing.assert_array_equal(total[:, :, 0], mask)
    each = rle.masks_as_images([*texts, None], mask.shape)
    assert [(one.dtype, one.shape) for one in each] == [(np.float32, mask.shape)] * len(texts)
    np.testing.assert_array_equal(sum(each, np.zeros(mask.shape)), mask)


def test_the_first_pixel_is_number_one_and_sizes_are_those_of_musket():
    assert rle.rle_encode(np.array([[1, 0], [1, 1]])) == "1 2 4 1"
    assert coders.rle_encode(np.array([[1, 0], [1, 1]])) == "1 1 3 2"
    assert coders.mask2rle_relative(np.array([[0, 1], [1, 0], [0, 1]])) == "1 2 2 1"
    assert rle.rle_decode("").shape == (768, 768)
    assert rle.masks_as_image([]).shape == (768, 768, 1)
    assert coders.rle2mask_relative("-1", 3, 2).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "pairs of start and length"),
        ("1 x", "pairs of start and length"),
        ("-1 2", "pairs of start and length"),
        ("1 9999999999999", "pairs of start and length"),
        ("0 1", "runs of at least 1 pixel inside 6 pixels"),
        ("2 0", "runs of at least 1 pixel inside 6 pixels"),
        ("6 2", "runs of at least 1 pixel inside 6 pixels"),
        ("1 3 2 1", "runs that share no pixel"),
    ],
)
def test_other_text_is_refused_and_shown(text, expected):
    for form in (rle, coders):
        with pytest.raises(DataError, match=f"run-length text: expected {expected}") as error:
            form.rle_decode(text, (2, 3))
        assert error.value.slug == "data/rle"
        assert repr(text) in str(error.value)


@pytest.mark.parametrize("mask", [np.zeros(4), np.zeros((2, 2, 3)), np.array([[None]])])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(DataError, match=r"mask: expected shape \[H, W\] or \[H, W, 1\]"):
        rle.rle_encode(mask)


def test_a_mask_of_another_shape_than_was_said_is_refused():
    with pytest.raises(DataError, match=r"expected shape \[width, height\] \(3, 2\), got \(2, 3\)"):
        coders.mask2rle_relative(np.zeros((2, 3)), 3, 2)


def test_masks_in_parts_are_as_in_one(monkeypatch):
    rng = np.random.default_rng(0)
    masks = [rng.random((13, 17)) < share for share in (0.0, 0.3, 0.7, 1.0)]
    whole = [rle.rle_encode(mask) for mask in masks]
    monkeypatch.setattr(rle, "_PART", 20)
    assert [rle.rle_encode(mask) for mask in masks] == whole
