"""What the classes of a fold are weighed by."""

from types import SimpleNamespace

import numpy as np
import pytest

from fivefold.config import parse
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.data.samples import SampleTable
from fivefold.engine.fold_data import FoldData

STAGE = "architecture: Unet\nbackbone: resnet18\nstages: [{epochs: 1}]\n"


def data_of(masks, kind, rows):
    ids = tuple(f"n{i}" for i in range(len(masks)))
    table = SampleTable(ids, np.arange(len(ids)), None, (), ids, [""] * len(ids), masks=kind)
    images = SimpleNamespace(mask=lambda row: masks[row])
    return FoldData(table, images, rows, [])


@pytest.mark.parametrize("kind", [MaskKind(3, exclusive=True), MaskKind(2, exclusive=False)])
def test_pixels_of_each_class_are_counted_in_the_training_masks_where_they_count(kind):
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3 if kind.exclusive else 2, (5, 6, 7, kind.planes), dtype=np.uint8)
    masks[rng.random(masks.shape) < 0.2] = IGNORED
    masks[4] = IGNORED
    stage = parse(STAGE).resolve()[0]
    counts, pixels = data_of(masks, kind, [0, 2, 4]).counts_for(stage)
    chosen = masks[[0, 2, 4]].reshape(-1, kind.planes)
    chosen = chosen[(chosen != IGNORED).all(axis=1)]
    assert pixels == len(chosen) > 0
    if kind.exclusive:
        assert counts.tolist() == np.bincount(chosen[:, 0], minlength=3).tolist()
    else:
        assert counts.tolist() == chosen.sum(axis=0).tolist()
