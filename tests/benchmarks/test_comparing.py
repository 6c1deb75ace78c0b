import random

from benchmarks.comparing import write_run
from fivefold import compare
from fivefold.core.layout import RunFolder
from fivefold.experiment.summary import read_summary


def test_made_up_runs_are_finished_experiments(tmp_path):
    rng = random.Random(0)
    for name, has_manifest in (("a", True), ("b", False)):
        write_run(tmp_path / "runs" / name, rng, has_manifest=has_manifest)
        assert read_summary(RunFolder.of(tmp_path / "runs" / name)).completed
    found = compare(tmp_path / "runs")
    assert {one.status for one in found.experiments} == {"finished"}
    assert found.sorted_by == "val_macro_f1"
    assert all("epoch" in one.metrics for one in found.experiments)
