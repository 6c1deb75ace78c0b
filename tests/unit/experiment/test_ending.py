from dataclasses import replace

from fivefold.core.layout import RunFolder
from fivefold.experiment.musket.ending import ending
from fivefold.experiment.summary import Summary


def spread(mean, std):
    return {"mean": mean, "std": std, "min": mean - std, "max": mean + std}


FOUND = Summary(
    folds=(0, 1),
    completed=True,
    primary_metric="val_accuracy",
    stages=(
        {"loss": spread(0.5, 0.1), "val_accuracy": spread(0.75, 0.05)},
        {"val_accuracy": spread(0.875, 0.025), "val_loss": spread(0.25, 0.01)},
    ),
    oof={"accuracy": 0.8765},
    fresh=True,
    seconds=75.0,
)


def test_the_table_has_each_stage_and_all_samples_the_primary_metric_first(tmp_path):
    told = list(ending(FOUND, RunFolder.of(tmp_path)))
    head, first, second = (line.split("  ") for line in told[:3])
    assert [cell.strip() for cell in head if cell] == [
        "mean ± std of folds", "stage 0", "stage 1", "out-of-fold"
    ]  # fmt: skip
    assert [cell.strip() for cell in first if cell.strip()] == [
        "val_accuracy", "0.7500 ± 0.0500", "0.8750 ± 0.0250", "0.8765"
    ]  # fmt: skip
    assert [cell.strip() for cell in second if cell.strip()] == [
        "val_loss", "-", "0.2500 ± 0.0100", "-"
    ]  # fmt: skip
    assert len({len(line) for line in told[:3]}) == 1
    report = f"report: `fivefold report {tmp_path}` writes it, with pictures"
    summary = f"summary: {tmp_path / 'summary.yaml'}"
    assert told[3:] == ["folds: 0, 1", summary, report, "finished in 1 min 15 s"]


def test_what_is_special_is_told(tmp_path):
    folder = RunFolder.of(tmp_path)
    part = replace(FOUND, completed=False, stopped=True, reused={"0.0": "a"}, validated=(9, 12))
    told = "\n".join(ending(part, folder))
    assert "stage 0 on 9; stage 1 on 12: do not compare their numbers\n" in told
    assert "reused: 1 of 4 stages\nsome folds are left; `fit` without `foldsToExecute`" in told
    assert told.endswith("stopped after 1 min 15 s")
    folder.report_path.write_text("")
    told = list(ending(replace(FOUND, fresh=False), folder))
    assert (told[0], told[-1]) == (
        "already finished: nothing to do", f"report: {folder.report_path}"
    )  # fmt: skip
    nothing = Summary(folds=(), completed=False, primary_metric="", stages=(), oof={})
    assert list(ending(nothing, folder)) == [
        "stopped: no fold is finished yet; the next `fit` goes on"
    ]
