"""Training on tar files in place, also where neither memory nor the cache can hold the pixels."""

import os
import subprocess
import sys

import pytest
from tar_files import cats_and_dogs, png, write_tar

from fivefold import Experiment

CONFIG = """
architecture: test_resnet
weights: none
shape: [32, 32, 3]
folds_count: 2
metrics: [accuracy]
stages: [{epochs: 2}]
"""
pytestmark = pytest.mark.slow


def trained(folder, dataset, cache="true"):
    folder.mkdir()
    (folder / "config.yaml").write_text(f"{CONFIG}dataset: {dataset}\ncache: {cache}\n")
    Experiment.load(folder).fit()
    return {
        path.name: path.read_bytes()
        for path in sorted((folder / "weights").iterdir())
        if path.suffix == ".safetensors"
    }


def test_shards_are_trained_on_like_the_images_in_them(tmp_path):
    cats_and_dogs(tmp_path / "tars", shards=2, per_shard=8)
    dataset = "{shards: '../tars/train-{000000..000001}.tar'}"
    first = trained(tmp_path / "one", dataset)
    assert len(first) == 2
    assert trained(tmp_path / "two", dataset, cache="false") == first


def test_names_that_lead_outside_write_nothing_outside(tmp_path):
    members = [
        pair
        for k in range(12)
        for pair in ((f"../../../evil/{k}.png", png(k)), (f"../../../evil/{k}.cls", str(k % 2)))
    ]
    write_tar(tmp_path / "tars" / "a.tar", members)
    trained(tmp_path / "run", "{shards: ../tars/a.tar}")
    there = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert there <= {"run", "tars"}
    assert not list(tmp_path.parent.glob("**/evil*"))


SIDE = 96
BIG = f"""
architecture: test_resnet
weights: none
shape: [{SIDE}, {SIDE}, 3]
folds_count: 2
metrics: [accuracy]
stages: [{{epochs: 1}}]
dataset: {{shards: ../a.tar}}
cache: 0.001
"""
PEAK = """
import logging, resource, sys
from functools import partial
from pathlib import Path

import torch

import fivefold.build.pixels as pixels
from fivefold import Experiment

logging.basicConfig()
torch.set_num_threads(1)
pixels.Kept = partial(pixels.Kept, byte_limit=1_000_000)
Experiment.load(Path(sys.argv[1])).fit()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_of_training(folder, count):
    """Train on so many images that neither memory nor the cache may keep; gives bytes."""
    some = [png(k, (SIDE, SIDE)) for k in range(20)]
    members = (
        pair
        for k in range(count)  # bytes behind the picture make contents differ
        for pair in ((f"{k}.png", some[k % 20] + b"%d" % k), (f"{k}.cls", str(k % 2)))
    )
    write_tar(folder / "a.tar", members)
    (folder / "run").mkdir()
    (folder / "run" / "config.yaml").write_text(BIG)
    command = [sys.executable, "-c", PEAK, str(folder / "run")]
    env = {**os.environ, "FIVEFOLD_CACHE": str(folder / "cache")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "every epoch decodes them again" in done.stderr
    return int(done.stdout.split()[-1]) * 1024


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    few, many = 400, 4000
    growth = peak_of_training(tmp_path / "many", many) - peak_of_training(tmp_path / "few", few)
    # all of the further pixels are 100 MB, and all of their files as many
    assert growth < 0.2 * (many - few) * SIDE * SIDE * 3
