"""Maps of samples, by one model or by the mean of several."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from torch import nn

from fivefold.core.maps import HALF, Maps, to_map
from fivefold.core.masks import MaskKind
from fivefold.core.types import Head
from fivefold.data.batches import Batch
from fivefold.data.samples import SampleTable
from fivefold.engine.map_files import map_samples
from fivefold.engine.predictor import Place

CELL, ORGANS = Head("", "sigmoid", ("cell",)), Head("", "softmax", ("none", "liver", "heart"))


class Fake(nn.Module):
    """Says of each class so many times the red of a pixel, less what is the middle of it."""

    def __init__(self, head, slope):
        super().__init__()
        self.heads, self.slope = (head,), slope

    def forward(self, images):
        values = (images[:, :1].float() - 127) * self.slope
        return torch.cat([values * (k + 1) for k in range(self.heads[0].num_classes)], dim=1)


def batches(head, count=5):
    rng = np.random.default_rng(0)
    planes = MaskKind.of_head(head).planes
    images = rng.integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    masks = rng.integers(0, 2, (count, 6, 8, planes), dtype=np.uint8)
    return (
        [
            Batch(np.arange(s, e), images[s:e], None, masks[s:e])
            for s, e in ((0, 2), (2, 4), (4, count))
        ],
        images,
        masks,
    )


def table(head, count=5):
    ids = tuple(f"n{i}" for i in range(count))
    kind = MaskKind.of_head(head)
    return SampleTable(ids, np.arange(count), None, (), ids, [""] * count, masks=kind)


def expected(head, slope, images):
    values = (images[..., :1].astype(np.float64) - 127) * slope
    logits = np.concatenate([values * (k + 1) for k in range(head.num_classes)], axis=-1)
    return softmax(logits, axis=-1) if head.activation == "softmax" else expit(logits)


@pytest.mark.parametrize("head", [CELL, ORGANS])
@pytest.mark.parametrize("slopes", [[0.01], [0.01, -0.05, 0.1]])
def test_maps_and_scores_are_those_of_the_mean_of_all_models(tmp_path, head, slopes):
    given, images, masks = batches(head)
    models, path, seen = [Fake(head, slope) for slope in slopes], tmp_path / "x.maps", []
    scores = map_samples(models, given, table(head), range(5), Place(-1, 2), seen.append, path)
    mean = np.mean([expected(head, slope, images) for slope in slopes], axis=0)
    maps = Maps(path)
    assert (maps.fold, maps.stage, seen) == (-1, 2, [2, 2, 1])
    for i, (name, found, truth) in enumerate(maps.pairs()):
        assert name == f"n{i}"
        off = found.astype(int) - to_map(mean[i].astype(np.float32))
        assert np.abs(off).max() <= 1  # float32 against float64
        np.testing.assert_array_equal(truth, masks[i])
        np.testing.assert_allclose(scores.soft_said[i], mean[i].sum(axis=(0, 1)), rtol=1e-4)
    said = mean > 0.5 if head is CELL else mean == mean.max(axis=-1, keepdims=True)
    if head is CELL:
        np.testing.assert_array_equal(scores.said[:, 0], said.sum(axis=(1, 2))[:, 0])


@pytest.mark.parametrize("steps", [[0], [-1, 0, 1]])
def test_a_map_says_of_one_half_what_scores_say(tmp_path, steps):
    images = np.full((1, 2, 3, 3), 127, np.uint8)  # which gives logits of 0
    images[0, 0, : len(steps), 0] += np.array(steps).astype(np.uint8)
    batch = Batch(np.arange(1), images, None, np.ones((1, 2, 3, 1), np.uint8))
    path = tmp_path / "x.maps"
    models = [Fake(CELL, 1.0)]
    scores = map_samples(models, [batch], table(CELL, 1), range(1), Place(0, 0), print, path)
    said = (Maps(path).read("n0") > HALF).sum()
    assert said == scores.said.sum() == steps.count(1)


def test_nothing_is_written_where_nobody_wants_maps(tmp_path):
    given, _, _ = batches(CELL)
    scores = map_samples(
        [Fake(CELL, 0.1)], given, table(CELL), range(5), Place(0, 0), lambda n: n, None
    )
    assert len(scores) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_fails_leaves_no_file(tmp_path):
    given, _, _ = batches(CELL)

    class Broken(Fake):
        def forward(self, images):
            msg = "no"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="no"):
        map_samples(
            [Broken(CELL, 1)], given, table(CELL), range(5), Place(0, 0), print, tmp_path / "x"
        )
    assert list(tmp_path.iterdir()) == []
