from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fivefold.cli import app
from fivefold.cli.train import show_summary

SPREAD = {"mean": 0.95, "std": 0.01, "min": 0.9375, "max": 0.9625}


@dataclass
class FakeSummary:
    """What `Experiment.fit` returns, as far as the command line reads it."""

    fresh: bool = True
    folds: tuple = (0, 1)
    primary_metric: str = "val_accuracy"
    stages: tuple = (
        {"val_accuracy": SPREAD, "loss": SPREAD},
        {"val_accuracy": SPREAD, "val_loss": SPREAD},
    )
    oof: dict = field(default_factory=lambda: {"accuracy": 0.9512, "loss": 0.2})
    holdout: dict = field(default_factory=dict)
    seconds: float = 65
    report_path: Path = Path("x/report.html")
    pictures: tuple = (Path("x/pictures/curves.png"),)


def test_summary_shows_validation_of_each_stage_and_out_of_fold(capsys):
    show_summary(FakeSummary())
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["metric", "stage", "0", "stage", "1", "out-of-fold"]
    assert "0.9500 ± 0.0100 (0.9375 to 0.9625)" in lines[2]
    assert lines[2].split()[0] == "val_accuracy"
    assert lines[2].split()[-1] == "0.9512"
    assert lines[3].split()[:2] == ["val_loss", "-"]
    assert "picture  x/pictures/curves.png\nreport   x/report.html\n" in out
    assert err == "finished in 1 min 5 s\n"


def test_finished_experiment_says_so(capsys):
    show_summary(FakeSummary(fresh=False, holdout={"accuracy": 0.5}))
    out, err = capsys.readouterr()
    assert err == "already finished: nothing to do\n"
    assert "holdout" in out
    assert "0.5000" in out


def test_experiment_without_a_config_is_refused(capsys, tmp_path):
    pytest.importorskip("fivefold.experiment.musket_api", reason="needs the experiment layer")
    assert app.run(["fit", str(tmp_path)]) == 2
    assert "config.yaml" in capsys.readouterr().err
