"""A fit whose images go through augmenters of pixels of every kind."""

import pytest
import torch
from runs import CONFIG, write_experiment

from fivefold.experiment.experiment import Experiment

MANY = (
    CONFIG
    + """
augmentation:
  - Multiply: {mul: [0.8, 1.2], per_channel: 0.5}
  - SomeOf:
      n: [1, 3]
      random_order: true
      children:
        - KMeansColorQuantization: {n_colors: [4, 8]}
        - AddToHueAndSaturation: [-20, 20]
        - MotionBlur: 5
        - AdditiveGaussianNoise: {scale: [0, 10], per_channel: true}
        - CoarseDropout: {p: 0.1, size_percent: 0.2}
        - Superpixels: {p_replace: 0.3, n_segments: 30}
        - SimplexNoiseAlpha: {first: {EdgeDetect: 1.0}}
        - Snowflakes: {}
        - JpegCompression: [50, 90]
        - CLAHE: {clip_limit: [1, 4]}
"""
)


@pytest.mark.slow
def test_the_number_of_threads_changes_no_weight(tmp_path):
    torch.set_num_threads(1)
    for threads in (1, 3):
        folder = tmp_path / str(threads)
        folder.mkdir()
        config = f"{MANY}num_workers: {threads}\n"
        Experiment.load(write_experiment(folder, per_class=6, config=config)).fit(folds=[0])
    first, other = (
        {p.name: p.read_bytes() for p in (tmp_path / name / "weights").glob("*.safetensors")}
        for name in ("1", "3")
    )
    assert first
    assert first == other
