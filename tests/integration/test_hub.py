"""A data set of the hub's kind is trained on, read in any order or as a stream."""

import datasets
import pytest
from shapes import draw_folders

from fivefold import Experiment

CONFIG = """
architecture: test_resnet
weights: none
shape: [32, 32, 3]
folds_count: 2
metrics: [accuracy]
stages: [{{epochs: 2}}]
dataset: {{hub: ../photos, streamed: {streamed}}}
"""
pytestmark = pytest.mark.slow


def trained(folder, streamed):
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG.format(streamed=str(streamed).lower()))
    Experiment.load(folder).fit()
    weights = sorted((folder / "weights").glob("*.safetensors"))
    return [path.read_bytes() for path in weights]


def test_a_stream_trains_the_same_weights(tmp_path, cache_folder, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    draw_folders(tmp_path / "photos", 6)
    first = trained(tmp_path / "one", streamed=False)
    assert len(first) == 2
    assert trained(tmp_path / "two", streamed=True) == first
