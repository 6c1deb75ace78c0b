"""What annotations draw, pixel by pixel as COCO's own tools draw it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fivefold.core.errors import DataError
from fivefold.data.coco.outlines import (
    Outline,
    counts_of_plane,
    counts_of_text,
    draw_polygon,
    plane_of_counts,
    read_outline,
    text_of_counts,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "coco_polygons.json"
CASES = json.loads(GOLDEN.read_text())
"""Polygons, and their masks as pycocotools 2.0.11 (BSD) gives them."""


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_polygons_cover_what_cocos_own_tools_say(case):
    outline = read_outline([case["polygon"]])
    expected = read_outline({"size": case["size"], "counts": case["counts"]})
    size = tuple(case["size"])
    np.testing.assert_array_equal(outline.drawn(size), expected.drawn(size))


@pytest.mark.parametrize("case", CASES[:20], ids=range(20))
def test_compressed_run_lengths_are_written_as_cocos_own_tools_write_them(case):
    counts = counts_of_text(case["counts"])
    assert text_of_counts(counts) == case["counts"]
    size = tuple(case["size"])
    np.testing.assert_array_equal(counts_of_plane(plane_of_counts(counts, size)), counts)


@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_a_plane_comes_back_from_its_run_lengths(plane):
    counts = counts_of_plane(plane)
    np.testing.assert_array_equal(plane_of_counts(counts, plane.shape) > 0, plane)
    np.testing.assert_array_equal(counts_of_text(text_of_counts(counts)), counts)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_numbers_of_any_size_come_back_from_their_text(numbers):
    counts = np.array(numbers)
    np.testing.assert_array_equal(counts_of_text(text_of_counts(counts)), counts)


def test_a_rectangle_covers_its_pixels():
    plane = np.zeros((8, 10), dtype=np.uint8)
    draw_polygon(np.array([[2, 1], [7, 1], [7, 5], [2, 5]]), plane)
    expected = np.zeros((8, 10))
    expected[1:5, 2:7] = 1
    np.testing.assert_array_equal(plane, expected)


def test_several_polygons_are_one_object():
    outline = read_outline([[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 4, 1, 4, 3, 1, 3]])
    expected = np.zeros((4, 5))
    expected[:2, :2] = expected[1:3, 1:4] = 1
    np.testing.assert_array_equal(outline.drawn((4, 5)), expected)


def test_uncompressed_run_lengths_go_down_the_columns():
    outline = read_outline({"size": [2, 3], "counts": [1, 2, 3]})
    np.testing.assert_array_equal(outline.drawn((2, 3)), [[0, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    "given",
    [
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, "6"]],
        [[1, 2, 3, 4, 5, float("nan")]],
        [[1, 2, 3, 4, 5, 1e300]],
        [1, 2, 3, 4, 5, 6],
        "polygon",
        {"size": [2, 3]},
        {"size": [2], "counts": [6]},
        {"size": [0, 3], "counts": [0]},
        {"size": [2, 3], "counts": [-1, 7]},
        {"counts": "abc"},
    ],
)
def test_what_is_no_outline_is_refused(given):
    with pytest.raises(ValueError, match=r"polygons of at least 3 points, or \{size"):
        read_outline(given)


@pytest.mark.parametrize("nothing", [None, []])
def test_nothing_is_no_outline(nothing):
    assert read_outline(nothing) is None


def test_run_lengths_have_the_size_of_their_image():
    outline = Outline((), "06", (2, 3))
    with pytest.raises(DataError, match=r"run lengths of 3 x 2 pixels \(height x width\), got 2 x"):
        outline.drawn((3, 2))


@pytest.mark.parametrize("counts", [[1, 2], [1, 2, 4]])
def test_run_lengths_are_of_all_pixels(counts):
    outline = read_outline({"size": [2, 3], "counts": counts})
    with pytest.raises(DataError, match=rf"run lengths of 6 pixels in all, got {sum(counts)}"):
        outline.drawn((2, 3))


@pytest.mark.parametrize("text", ["", "Q", "\x01", "äöü", "ooooooooooo0"])
def test_damaged_texts_are_told(text):
    with pytest.raises(DataError, match="run lengths in COCO's own text, got"):
        counts_of_text(text)


def test_a_polygon_that_goes_round_the_world_is_refused():
    outline = read_outline([[0, 0, 9e7, 0, 0, 9e7]])
    with pytest.raises(DataError, match="polygons in or near their image, got one of 270,000,000"):
        outline.drawn((4, 4))


def test_a_polygon_may_leave_its_image():
    outline = read_outline([[-1e5, 1, 1e5, 1, 1e5, 3, -1e5, 3]])
    expected = np.zeros((5, 4))
    expected[1:3] = 1
    np.testing.assert_array_equal(outline.drawn((5, 4)), expected)
