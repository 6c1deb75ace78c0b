import os
import subprocess
import sys

import pytest

from fivefold.core import cores
from fivefold.core.cores import threads_per_fold, usable_cores


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000\n"}, 4),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "900000 100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
    ],
)
def test_a_containers_share_limits_the_cores(tmp_path, monkeypatch, files, expected):
    write(tmp_path, files)
    monkeypatch.setattr(cores, "_CGROUP", tmp_path)
    monkeypatch.setattr(cores, "_allowed", lambda: 4)
    assert usable_cores() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such masks")
def test_an_affinity_mask_limits_the_cores():
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "from fivefold.core.cores import usable_cores; print(usable_cores())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("num_folds", "cores_", "expected"), [(5, 2, 1), (5, 16, 3), (1, 8, 8), (8, 8, 1)]
)
def test_folds_share_the_cores(num_folds, cores_, expected):
    assert threads_per_fold(num_folds, cores_) == expected
