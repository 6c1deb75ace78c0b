import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from shapes import draw_folders

FIXTURES = Path(__file__).parents[1] / "fixtures"

# Times and process numbers differ between any two runs.
NOT_COMPARED = {"manifest.json", "audit.json", "quarantine.jsonl", ".lock"}

CONFIG = """
architecture: tiny
weights: none
shape: [32, 32, 3]
dropout: 0.2
batch: 16
optimizer: Adam
lr: 0.01
schedule: OneCycle
metrics: [accuracy, macro_f1]
primary_metric: val_accuracy
augmentation: {Fliplr: 0.5, Affine: {rotate: [-20, 20]}}
callbacks:
  EarlyStopping: {monitor: val_loss, patience: 2}
  ReduceLROnPlateau: {monitor: val_loss, patience: 1, factor: 0.5}
testSplit: 0.1
stages:
  - {epochs: 2, freeze_encoder: true}
  - {epochs: 3, unfreeze_encoder: true, optimizer: {SGD: {momentum: 0.9}}}
dataset: {folder: ../data}
"""


def hashes(folder):
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in NOT_COMPARED)
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0])
def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_bytes(tmp_path, seed):
    draw_folders(tmp_path / "data", 30)
    (tmp_path / "config.yaml").write_text(CONFIG)
    told = subprocess.run(
        [sys.executable, FIXTURES / "zygote.py", tmp_path / "config.yaml", "20", str(seed)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    outcome = json.loads(told.stdout.splitlines()[-1])
    assert outcome["kills"] == 20
    whole = hashes(tmp_path / "whole")
    assert len([name for name in whole if name.endswith(".safetensors")]) == 10
    for number in range(outcome["ended"]):
        assert hashes(tmp_path / f"broken-{number}") == whole
