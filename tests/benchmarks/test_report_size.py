import json
import subprocess
import sys

from benchmarks.arms import ROOT
from benchmarks.report_size import make_run
from benchmarks.rows.report_size import rows_of


def test_a_run_is_made_and_reported_without_torch(tmp_path):
    make_run(tmp_path / "run", samples=200, classes=8)
    command = [sys.executable, "-m", "benchmarks.report_size", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["torch"] is False
    assert found["pictures"] > 50
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert found["bytes"] == len(page.encode())
    assert "could not be read" not in page
    assert "over 5 folds" in page


def test_rows_tell_time_and_size():
    sample = {"cpu_seconds": 4.0, "pictures": 9, "bytes": 8e6, "torch": False, "others": 0.1}
    rows = rows_of(10_000, 100, [{**sample, "process_seconds": s} for s in (5.0, 6.0, 9.0)])
    assert [row.ours for row in rows] == [6.0, 8.0]
    assert [row.verdict for row in rows] == ["reached", "reached"]


def test_a_report_that_loads_torch_does_not_count():
    sample = {"cpu_seconds": 4.0, "pictures": 9, "bytes": 8e6, "torch": True}
    rows = rows_of(10_000, 100, [{**sample, "process_seconds": 5.0}])
    assert {row.void for row in rows} == {"torch was loaded"}


def test_runs_that_failed_are_not_run():
    assert {row.verdict for row in rows_of(10_000, 100, [{}])} == {"not run"}
