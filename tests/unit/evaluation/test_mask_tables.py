"""Scores of masks as a table."""

import numpy as np

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.evaluation.mask_tables import mask_rows


def test_each_class_has_its_pixels_and_what_they_are_worth():
    hits, said, true = (
        np.array([[3, 0], [0, 0]]),
        np.array([[5, 1], [0, 0]]),
        np.array([[4, 0], [0, 2]]),
    )
    soft = np.zeros((2, 2))
    found = MaskScores(
        ("b", "a"),
        (Head("", "sigmoid", ("cell", "edge")),),
        hits,
        said,
        true,
        np.array([10, 8]),
        soft,
        soft,
        np.array([0.25, 1.5]),
    )
    header, *rows = mask_rows(found)
    assert header[:3] == ["id", "pixels", "log_loss"]
    assert header[3:8] == ["true_cell", "predicted_cell", "both_cell", "iou_cell", "dice_cell"]
    assert header[8:] == [name.replace("cell", "edge") for name in header[3:8]]
    assert [",".join(row) for row in rows] == [
        "b,10,0.250000,4,5,3,0.500000,0.666667,0,1,0,0.000000,0.000000",
        "a,8,1.500000,0,0,0,,,2,0,0,0.000000,0.000000",
    ]
