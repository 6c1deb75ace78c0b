import csv
import json
import subprocess
import sys

import pytest
from PIL import Image

from benchmarks.arms import ROOT
from benchmarks.many_rows import make_tables
from benchmarks.rows.many_rows import rows_of


def test_tables_name_images_that_are_there(tmp_path):
    make_tables(tmp_path, [50, 1_200])
    with (tmp_path / "50.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["image"] for row in rows) == [f"0000/{k:09}.jpg" for k in range(50)]
    assert all(row["label"] == f"class {int(row['image'][-8:-4]) % 100:02}" for row in rows)
    with Image.open(tmp_path / "images" / "0001" / "000001199.jpg") as image:
        assert image.size == (32, 32)


def test_a_table_is_gone_through_without_torch(tmp_path):
    make_tables(tmp_path, [600])
    code = (
        "import sys; from benchmarks.many_rows import main; main(); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path), "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, loaded = done.stdout.splitlines()
    assert loaded == "False"
    assert list(json.loads(found)["steps"]) == ["read", "audit", "split", "count"]


def sample(seconds, megabytes, kept):
    sample = {"seconds": seconds, "peak": megabytes * 1e6, "kept": kept, "steps": {}}
    return {**sample, "others": seconds / 100}


def test_rows_tell_time_memory_and_how_they_grow():
    samples = {
        1_000: [sample(1, 50, 10_000)],
        10_000: [sample(2, 60, 100_000), sample(4, 60, 100_000)],
        100_000: [sample(31, 900, 10_000_000), sample(35, 900, 10_000_000)],
    }
    rows = rows_of(samples)
    assert [row.ours for row in rows] == [33, 900, 11, pytest.approx(110)]
    assert [row.verdict for row in rows] == ["reached", "reached", "reached", "missed"]
    assert len(rows[0].raw) == 5
    assert rows[0].notes[-1] == "other processes kept up to 0.3 cores busy meanwhile"


def test_rows_of_runs_that_failed_are_not_run():
    rows = rows_of({1_000: [{}], 10_000: [{}], 100_000: [{}]})
    assert {row.verdict for row in rows} == {"not run"}
