import io

import numpy as np
import pytest
from PIL import Image

from fivefold.engine.matrix_picture import MOST, draw_matrix

BLUE, RED, PAPER = (11, 110, 153), (200, 55, 45), (247, 247, 247)


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def drawn(counts, cell):
    """Read the colours of cells from the corner of each, where no number is."""
    size = len(counts)
    picture = opened(draw_matrix(counts, [f"class {i}" for i in range(size)]))
    left, top = picture.shape[1] - 8 - size * cell, 8
    return picture[top : top + size * cell : cell, left : left + size * cell : cell]


def test_right_is_blue_and_wrong_is_red_by_its_share_of_the_row():
    colors = drawn(np.array([[5, 0, 0], [0, 0, 7], [0, 0, 0]]), 40)
    assert tuple(colors[0, 0]) == BLUE
    assert tuple(colors[1, 2]) == RED
    assert tuple(colors[2, 2]) == tuple(colors[0, 1]) == PAPER


@pytest.mark.parametrize("classes", [1, 2, 20, 57, 100, MOST])
def test_it_fits_a_thousand_pixels_however_many_classes(classes):
    counts = np.eye(classes, dtype=np.int64) * 10**6
    picture = opened(draw_matrix(counts, ["a long name " * 20] * classes))
    assert max(picture.shape[:2]) <= 1000
    cell = min(800 // classes, 40)
    assert (drawn(counts, cell)[np.arange(classes), np.arange(classes)] == BLUE).all()
