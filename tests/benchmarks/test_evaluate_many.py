import json
import subprocess
import sys

from benchmarks.arms import ROOT
from benchmarks.rows.evaluate_many import rows_of


def test_predictions_are_measured_without_torch():
    code = "import sys; from benchmarks.evaluate_many import main; main()"
    code += "; print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, "600", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, loaded = done.stdout.splitlines()
    sample = json.loads(found)
    assert loaded == "False"
    assert (sample["samples"], sample["classes"]) == (600, 7)
    value, low, high = sample["metrics"]["accuracy"]
    assert low < value < high


def test_rows_tell_time_and_memory():
    sample = {"seconds": 12.5, "cpu_seconds": 20, "drawn": 9e8, "peak": 1.5e9, "others": 0.1}
    seconds, memory = rows_of(1_000_000, [sample])
    assert (seconds.ours, memory.ours) == (12.5, 1500)
    assert [seconds.verdict, memory.verdict] == ["reached", "reached"]
    assert seconds.notes[0] == "20.0 s of a processor; 900 MB are the predictions"


def test_runs_that_failed_are_not_run():
    assert {row.verdict for row in rows_of(1_000_000, [{}])} == {"not run"}
