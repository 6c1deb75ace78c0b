"""The learning-rate finder under Musket's names."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from runs import fitted, write_experiment

from fivefold import classification
from fivefold.core.errors import DataError
from fivefold.engine.lr_finder import LRFinder


def arrays(count=24):
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), np.arange(count) % 3


def test_it_can_be_sent_over_arrays(tmp_path):
    torch.set_num_threads(1)
    write_experiment(tmp_path)
    cfg = classification.parse(tmp_path)
    finder = cfg.lr_find(start_lr=1e-4, end_lr=1e-2, epochs=2)
    images, numbers = arrays()
    found = finder.find(images, numbers, start_lr=1e-3, end_lr=1e-1, batch_size=4, epochs=2)
    assert isinstance(found, LRFinder)
    assert finder.lrs == found.lrs
    assert len(found.lrs) == 2 * 24 / 4
    assert found.lrs[0] == 1e-3
    assert finder.plot_loss(1, 0) is plt.gcf()
    plt.close("all")
    assert {"find", "losses", "lrs", "plot_loss", "plot_loss_change", "suggest"} <= set(dir(finder))
    again = finder.find(images / 255.0, np.eye(3)[numbers], 1e-3, 1e-1, 4, 2)
    assert again.lrs == found.lrs
    np.testing.assert_allclose(again.losses, found.losses, rtol=1e-3)
    assert not (tmp_path / "data").exists()


def test_a_later_stage_begins_with_the_trained_weights(tmp_path):
    run = fitted(tmp_path)
    before = sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file())
    cfg = classification.parse(tmp_path)
    finder = cfg.lr_find(stage=1, epochs=1, end_lr=1e-3)
    finder.find(*arrays(), end_lr=1e-3)
    assert before == sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file())
    assert run.folder.bundle(0, 0).exists()


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    torch.set_num_threads(1)
    write_experiment(tmp_path)
    finder = classification.parse(tmp_path).lr_find(epochs=1, end_lr=1e-3)
    images, numbers = arrays()
    with pytest.raises(DataError, match=r"find: expected at least 2 images .*, got 24 and 3"):
        finder.find(images, numbers[:3])
    with pytest.raises(DataError, match="expected a class number from 0 to 2, got 5"):
        finder.find(images, numbers + 5)
