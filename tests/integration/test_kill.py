import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from digests import digests_of
from shapes import draw_folders
from zygote import is_at_work

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
ema: 0.9
metrics: [accuracy, macro_f1]
primary_metric: val_accuracy
augmentation: {Fliplr: 0.5, Affine: {rotate: [-20, 20]}}
callbacks:
  EarlyStopping: {monitor: val_loss, patience: 2}
  ReduceLROnPlateau: {monitor: val_loss, patience: 1, factor: 0.5}
testSplit: 0.1
stages:
  - epochs: 2
    freeze_encoder: true
    schedule: OneCycle
    callbacks: {EarlyStopping: {monitor: val_loss, patience: 2}}
  - {epochs: 3, unfreeze_encoder: true, optimizer: {SGD: {momentum: 0.9}}}
dataset: {folder: ../data}
"""


def hashes(folder):
    return digests_of(folder, (p for p in folder.rglob("*") if p.name not in NOT_COMPARED))


def kill_and_compare(tmp_path, kills, seed, jobs):
    """Break runs at random moments and hold their files against an unbroken run's."""
    draw_folders(tmp_path / "data", 30)
    (tmp_path / "config.yaml").write_text(CONFIG)
    numbers = map(str, (kills, seed, jobs))
    told = subprocess.run(
        [sys.executable, FIXTURES / "zygote.py", tmp_path / "config.yaml", *numbers],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    outcome = json.loads(told.stdout.splitlines()[-1])
    assert outcome["kills"] == kills
    whole = hashes(tmp_path / "whole")
    assert len([name for name in whole if Path(name).match("weights/best-*.safetensors")]) == 10
    for number in range(outcome["ended"]):
        assert hashes(tmp_path / f"broken-{number}") == whole
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0])
def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_bytes(tmp_path, seed):
    kill_and_compare(tmp_path, 20, seed, jobs=1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forks there only")
def test_folds_at_once_end_with_the_same_bytes_whichever_process_is_killed(tmp_path):
    outcome = kill_and_compare(tmp_path, 8, seed=1, jobs=2)
    assert 0 < outcome["lost"] < 8


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of a parent's end there")
def test_processes_of_a_killed_command_are_at_rest_within_three_seconds(tmp_path):
    draw_folders(tmp_path / "data", 30)
    config = CONFIG.replace("architecture: tiny", "architecture: resnet10t")
    config = f"{config[: config.index('stages:')]}stages: [{{epochs: 2000}}]\n"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(f"{config}dataset: {{folder: ../data}}\n")
    command = [sys.executable, "-m", "fivefold", "fit", tmp_path / "run", "--jobs", "2"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process = psutil.Process(started.pid)
    while len(workers := process.children(recursive=True)) < 2 and started.poll() is None:
        time.sleep(0.02)
    started.kill()
    told = started.communicate()[1]
    until = time.monotonic() + 3
    while (busy := [worker for worker in workers if is_at_work(worker)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.02)
    assert len(workers) == 2, told
    assert busy == []
