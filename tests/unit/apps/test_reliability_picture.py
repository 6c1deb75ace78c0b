import io

import numpy as np
from fake_run import fake_predictions
from matplotlib.figure import Figure
from PIL import Image

from fivefold.apps.report.reliability_picture import _draw_one, draw_reliability
from fivefold.core.types import Head
from fivefold.evaluation.calibration import calibration, calibration_of

HEADS = (Head("$k_1$", "softmax", ("a", "b", "c")), Head("中", "sigmoid", ("x", "y")))


def picture(heads, folds):
    found = fake_predictions(np.arange(60), heads)
    content = draw_reliability(calibration_of(found, np.arange(60) % folds))
    assert content == draw_reliability(calibration_of(found, np.arange(60) % folds))
    return Image.open(io.BytesIO(content))


def colors_of(image):
    return {tuple(c) for c in np.asarray(image.convert("RGB")).reshape(-1, 3)[::7].tolist()}


def test_before_is_orange_and_after_is_blue():
    assert {(213, 94, 0), (0, 114, 178)} <= colors_of(picture(HEADS[:1], 5))


def test_each_head_has_a_row():
    one, two = picture(HEADS[:1], 5), picture(HEADS, 5)
    assert (two.width, two.height) == (one.width, 2 * one.height)


def test_one_fold_shows_only_what_is_known():
    colors = colors_of(picture(HEADS, 1))
    assert (213, 94, 0) in colors
    assert (0, 114, 178) not in colors


def test_numbers_are_above_what_is_drawn():
    figure = Figure(figsize=(4, 5))
    axes, below = figure.subplots(2)
    found = fake_predictions(np.arange(60), HEADS[:1])
    _draw_one(axes, below, calibration(found), "blue", "raw")
    figure.canvas.draw()
    (text,) = axes.texts
    (title,) = [one for one in (axes.title, axes._left_title) if one.get_text()]
    box, over = text.get_window_extent(), title.get_window_extent()
    assert text.get_text().startswith("calibration error ")
    assert axes.get_window_extent().y1 < box.y0 < box.y1 < over.y0
