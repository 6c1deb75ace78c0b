import logging
import re
import subprocess
import sys
import types
from typing import ClassVar

import pytest
from fake_summary import FakeSummary

from fivefold.cli import app
from fivefold.cli.results import finish, show_summary, tell_time
from fivefold.core.durable import write_json
from fivefold.core.layout import RunFolder


def test_summary_shows_validation_of_each_stage_and_out_of_fold(capsys):
    show_summary(FakeSummary())
    out, err = capsys.readouterr()
    assert [line.rstrip() for line in out.splitlines()] == [
        "                       stage 0           stage 1    stage 1    stage 1   out-of-",
        "metric              mean ± std        mean ± std   min fold   max fold      fold",
        "─" * 80,
        "val_accuracy   0.9500 ± 0.0100   0.9500 ± 0.0100     0.9375     0.9625    0.9512",
        "val_loss                     -   0.9500 ± 0.0100     0.9375     0.9625    0.2000",
    ]
    assert err == ""


def test_holdout_has_a_column_when_there_is_one(capsys):
    show_summary(FakeSummary(holdout={"accuracy": 0.5}))
    _, header, _, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[-1] == "holdout"
    assert first.split()[-1] == "0.5000"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run folder whose report and pictures are one word each."""
    folder = RunFolder.of(tmp_path)

    def write_report(folder):
        folder.report_path.write_text("page")

    def write_pictures(folder):
        (folder.root / "pictures").mkdir(exist_ok=True)
        (folder.root / "pictures" / "curves.png").touch()

    module = types.ModuleType("fivefold.apps.report")
    module.write_report, module.write_pictures = write_report, write_pictures
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return folder


def test_fresh_run_writes_report_and_pictures_and_names_them(capsys, folder):
    finish(FakeSummary(), folder, "fivefold fit x")
    out, err = capsys.readouterr()
    pictures = folder.root / "pictures" / "curves.png"
    assert out.endswith(f"folds    0, 1\npicture  {pictures}\nreport   {folder.report_path}\n")
    assert err == ""


@pytest.mark.parametrize(
    ("seconds", "stopped", "told"),
    [
        (65.4, False, "finished in 1 min 5 s"),
        (65.4, True, "stopped after 1 min 5 s"),
        (97, False, "finished in 1 min 37 s, of which reading data and training took 1 min 5 s"),
    ],
)
def test_the_time_is_that_of_the_command_and_says_what_training_took(
    capsys, seconds, stopped, told
):
    tell_time(FakeSummary(seconds=65, stopped=stopped), seconds)
    assert capsys.readouterr().err == f"{told}\n"


def test_finished_experiment_says_so_and_is_left_as_it_is(capsys, folder):
    folder.report_path.write_text("old")
    finish(FakeSummary(fresh=False), folder, "fivefold fit x")
    assert capsys.readouterr().err == "already finished: nothing to do\n"
    assert folder.report_path.read_text() == "old"


def test_missing_folds_are_pointed_out(capsys, folder):
    finish(FakeSummary(completed=False), folder, "fivefold fit x")
    assert "some folds are left; to train them: fivefold fit x\n" in capsys.readouterr().err


def test_it_is_said_how_many_stages_were_reused(capsys, folder):
    finish(FakeSummary(reused={"0.0": "a", "1.0": "a"}), folder, "fivefold fit x")
    assert "reused: 2 of 4 stages\n" in capsys.readouterr().err


class FakeExperiment:
    """Remembers how it was opened and asked."""

    calls: ClassVar[list] = []
    config = types.SimpleNamespace(resolve=tuple, as_mapping=dict, makes_masks=False)
    summary = FakeSummary()

    @classmethod
    def load(cls, path, overrides=(), *, allow_imports, progress):
        cls.calls.append((path, list(overrides), allow_imports))
        return cls()

    def fit(self, *, folds=None, jobs=None, reuse=True, time_limit=None):
        self.calls.append((folds, jobs, reuse))
        return self.summary

    def check(self):
        lines = (("data", "10 images"), ("memory", "1 GiB"))
        return types.SimpleNamespace(lines=lines, warnings=("rare class 'x'",))


@pytest.fixture
def calls(monkeypatch):
    module = types.ModuleType("fivefold.experiment.opening")
    module.open_experiment = FakeExperiment.load
    monkeypatch.setitem(sys.modules, module.__name__, module)
    explaining = types.ModuleType("fivefold.apps.explain")
    explaining.explain_mistakes = lambda experiment: 0
    monkeypatch.setitem(sys.modules, explaining.__name__, explaining)
    FakeExperiment.calls = []
    return FakeExperiment.calls


CONFIG = "folds_count: 5\nstages: [{epochs: 1}]\n"


def test_stages_are_reused_unless_that_is_refused(calls, folder, capsys, monkeypatch):
    monkeypatch.setattr(FakeExperiment, "summary", FakeSummary(completed=False))
    folder.config_path.write_text(CONFIG)
    assert app.run(["fit", str(folder.root)]) == 0
    assert calls[-1] == (None, "auto", True)
    assert f"to train them: fivefold fit {folder.root}\n" in capsys.readouterr().err
    assert app.run(["fit", str(folder.root), "--no-reuse"]) == 0
    assert calls[-1] == (None, "auto", False)
    assert f"fivefold fit {folder.root} --no-reuse\n" in capsys.readouterr().err


def test_options_of_fit_arrive(calls, folder):
    folder.config_path.write_text(CONFIG)
    options = ["--set", "lr=1e-3", "--set", "batch=4", "--folds", "3,0,3", "--jobs", "2"]
    options += ["--allow-imports", "--no-reuse"]
    assert app.run(["fit", str(folder.root), *options]) == 0
    assert calls == [(folder.root, ["lr=1e-3", "batch=4"], True), ([3, 0], 2, False)]


def test_the_last_line_tells_the_time_since_the_command_was_started(calls, folder, capsys):
    assert app.run(["fit", str(folder.root)]) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    # The run says of itself that it took 65 seconds, which it did not.
    assert re.fullmatch(
        r"finished in \d+ s, of which reading data and training took 1 min 5 s", last
    )


def test_command_that_goes_on_has_the_same_overrides(calls, folder, capsys, monkeypatch):
    summary = FakeSummary(completed=False)
    monkeypatch.setattr(FakeExperiment, "fit", lambda self, **options: summary)
    options = ["--set", "loss=a + b", "--set", "stages.0.lr=1e-3", "--allow-imports"]
    assert app.run(["fit", str(folder.root), *options]) == 0
    words = f"fivefold fit {folder.root} --set 'loss=a + b' --set stages.0.lr=1e-3 --allow-imports"
    assert f"to train them: {words}\n" in capsys.readouterr().err


@pytest.mark.parametrize("finished", [False, True])
def test_folds_that_there_are_not_are_refused_first(calls, folder, capsys, finished):
    folder.config_path.write_text(CONFIG)
    if finished:
        folder.summary_path.write_text("not even read")
    assert app.run(["fit", str(folder.root), "--folds", "7"]) == 2
    assert capsys.readouterr().err == "folds: expected numbers from 0 to 4, got [7]\n"
    assert app.run(["fit", str(folder.root), "--folds", "2", "--set", "folds_count=2"]) == 2
    assert calls == []


TWO_STAGES = "folds_count: 2\nstages: [{epochs: 1}, {epochs: 1}]\n"


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--from-stage", "2"], 2, "--from-stage: expected from 0 to 1, got 2\n"),
        (
            ["--from-stage", "1"],
            4,
            "{root}: --from-stage: expected stages before 1 to be finished, got others in folds "
            "[0, 1]\n    fit without it trains them\n",
        ),
        (["--from-stage", "1", "--folds", "1"], 4, "finished, got others in folds [1]\n"),
    ],
)
def test_a_stage_whose_predecessors_are_missing_is_refused_first(
    calls, folder, capsys, options, code, text
):
    folder.config_path.write_text(TWO_STAGES)
    assert app.run(["fit", str(folder.root), *options]) == code
    assert text.format(root=folder.root) in capsys.readouterr().err
    assert calls == []


def test_a_run_that_stopped_goes_on_from_the_same_stage(calls, folder, capsys, monkeypatch):
    monkeypatch.setattr(FakeExperiment, "summary", FakeSummary(completed=False, stopped=True))
    monkeypatch.setattr("fivefold.experiment.trained.check_stages_before", lambda *_: None)
    folder.config_path.write_text(TWO_STAGES)
    assert app.run(["fit", str(folder.root), "--from-stage", "1", "--folds", "0"]) == 0
    assert f"fivefold fit {folder.root} --folds 0 --from-stage 1\n" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1"])
def test_no_fold_at_once_is_refused_first(calls, folder, capsys, number):
    folder.config_path.write_text(CONFIG)
    assert app.run(["fit", str(folder.root), "--jobs", number]) == 2
    expected = f"--jobs: expected at least 1 fold at once, got {number}; leave it out"
    assert expected in capsys.readouterr().err
    assert calls == []


def test_wrong_config_is_told_whole_even_with_folds(calls, folder):
    folder.config_path.write_text(CONFIG + "btach: 3\n")
    assert app.run(["fit", str(folder.root), "--folds", "7"]) == 0
    assert len(calls) == 2


def test_check_puts_out_facts_and_says_warnings(calls, capsys):
    assert app.run(["check", "x"]) == 0
    assert capsys.readouterr() == (
        "data    10 images\nmemory  1 GiB\n",
        "warning: rare class 'x'\nready: fivefold fit x\n",
    )


def test_check_says_no_warning_twice(calls, capsys, monkeypatch):
    check = FakeExperiment.check

    def check_loudly(self):
        logging.getLogger("fivefold.data.audit").warning("rare class 'x'")
        return check(self)

    monkeypatch.setattr(FakeExperiment, "check", check_loudly)
    assert app.run(["check", "x", "--set", "a=b c"]) == 0
    assert capsys.readouterr().err == (
        "warning: rare class 'x'\nready: fivefold fit x --set 'a=b c'\n"
    )


def test_warnings_of_an_earlier_start_are_told_in_one_line(calls, folder, capsys, monkeypatch):
    def warn(self, **options):
        for text in ("2 images are broken", "rare class 'x'", "new: timm has changed"):
            logging.getLogger("fivefold.data.audit").warning(text)
        return FakeSummary(completed=False)

    monkeypatch.setattr(FakeExperiment, "fit", warn)
    folder.config_path.write_text(CONFIG)
    write_json(folder.manifest_path, {"warnings": ["2 images are broken", "rare class 'x'"]})
    assert app.run(["fit", str(folder.root)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [
        f"warnings as before: they are in {folder.manifest_path}",
        "warning: new: timm has changed",
    ]
    assert "broken" not in "".join(said)


def test_a_damaged_manifest_is_left_for_the_run_to_tell(calls, folder, capsys):
    folder.config_path.write_text(CONFIG)
    folder.manifest_path.write_text("{")
    assert app.run(["fit", str(folder.root)]) == 0
    assert len(calls) == 2


@pytest.mark.slow
def test_experiment_without_a_config_is_refused(tmp_path):
    start = "from fivefold.cli.app import main; main()"
    command = [sys.executable, "-c", start, "fit", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "config.yaml" in done.stderr
