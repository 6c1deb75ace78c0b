import io

import matplotlib as mpl
import pytest
from PIL import Image

from fivefold.core.figures import drawn, plain


def draw(figure):
    axes = figure.subplots()
    axes.plot([1, 2], [3, 5])
    axes.set_title("cost in $, 中 \ue000")  # no formula, and letters that the font has not


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_drawing_has_the_same_bytes_and_leaves_nothing_behind(kind):
    before = dict(mpl.rcParams)
    first = drawn(draw, (3, 2), kind, settings={"axes.spines.left": False})
    assert drawn(draw, (3, 2), kind, settings={"axes.spines.left": False}) == first
    assert dict(mpl.rcParams) == before


def test_settings_and_room_change_what_is_drawn():
    pictures = {
        drawn(draw, (3, 2), settings={}),
        drawn(draw, (3, 2), settings={"axes.edgecolor": "#ff0000"}),
        drawn(draw, (3, 2), settings={}, pad=0.5),
    }
    assert len(pictures) == 3
    assert {Image.open(io.BytesIO(one)).size for one in pictures} == {(450, 300)}


def test_names_are_made_drawable_on_one_line():
    assert plain("a\nb\u202ec") == "a\ufffdb\ufffdc"
    assert plain("x" * 29) == "x" * 27 + "…"
    assert plain("x" * 29, room=40) == "x" * 29
