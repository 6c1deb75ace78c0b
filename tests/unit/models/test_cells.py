"""Cells of images: cut, classified one by one, joined to one answer."""

import numpy as np
import torch

from fivefold.core.cells import cell_of, each_cell
from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier, probabilities
from fivefold.models.cells import Cells

HEADS = (
    Head("kind", "softmax", ("a", "b", "c")),
    Head("marks", "sigmoid", ("x", "y")),
    Head("size", "none", ("z",)),
)


def test_cells_of_tensors_and_of_arrays_are_the_same():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
    cut = Cells(3, 6, 9).cut(torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    assert cut.shape == (18, 2, 3, 3)
    for i in range(2):
        for k in range(9):
            assert (cut[9 * i + k].numpy() == cell_of(images[i], 3, k)).all()
    assert (each_cell(lambda cell: cell, 3)(images[0]) == images[0]).all()
    means = each_cell(lambda cell: np.full_like(cell, cell.mean()), 3)(images[0])
    assert (cell_of(means, 3, 5) == np.uint8(cell_of(images[0], 3, 5).mean())).all()


def test_joined_logits_are_those_of_the_mean_probabilities():
    logits = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))
    joined = Cells(2, 4, 4).join(logits, HEADS)
    mean = probabilities(logits, HEADS).reshape(2, 4, 6).mean(dim=1)
    torch.testing.assert_close(probabilities(joined, HEADS), mean, rtol=1e-5, atol=1e-6)
    sure = Cells(2, 4, 4).join(torch.full((4, 6), 80.0), HEADS)
    assert sure.isfinite().all()


def test_a_classifier_of_cells_answers_once_for_an_image(tmp_path):
    spec = ModelSpec("tiny", HEADS[:2], (32, 32, 3), crops=2)
    model = build_classifier(spec).eval()
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        whole = probabilities(model(images), model.heads)
        cells = probabilities(model(model.cells.cut(images)), model.heads)
    assert (whole.shape, cells.shape) == ((3, 5), (12, 5))
    torch.testing.assert_close(whole, cells.reshape(3, 4, 5).mean(dim=1), rtol=1e-5, atol=1e-6)
