"""`fivefold fit` with several experiments, projects and limits of time."""

import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
from fake_summary import SPREAD, FakeSummary

from fivefold.cli import app
from fivefold.cli.arguments import seconds
from fivefold.core.errors import DataError

CONFIG = "folds_count: 2\nstages: [{epochs: 1}]\n"
STAGES = ({"val_accuracy": SPREAD},)


class FakeExperiment:
    """Fails, stops or finishes by its folder's name."""

    calls: ClassVar[list] = []
    config = types.SimpleNamespace(resolve=tuple, as_mapping=dict, makes_masks=False)

    def __init__(self, path):
        self.name = Path(path).name

    @classmethod
    def load(cls, path, overrides=(), *, allow_imports, progress):
        return cls(path)

    def fit(self, **options):
        self.calls.append((self.name, options))
        if self.name == "bad":
            msg = "bad/photos: expected images, got none"
            raise DataError(msg)
        if self.name == "defect":
            msg = "boom"
            raise RuntimeError(msg)
        if self.name == "slow":
            return FakeSummary(folds=(), stages=(), completed=False, stopped=True)
        return FakeSummary(stages=STAGES)

    def summarise(self):
        self.calls.append((self.name, "summarise"))
        return FakeSummary(stages=STAGES, fresh=False)


@pytest.fixture
def calls(monkeypatch):
    opening = types.ModuleType("fivefold.experiment.opening")
    opening.open_experiment = FakeExperiment.load
    report = types.ModuleType("fivefold.apps.report")
    report.write_report = lambda folder: folder.report_path.write_text("page")
    report.write_pictures = lambda folder: []
    monkeypatch.setitem(sys.modules, opening.__name__, opening)
    monkeypatch.setitem(sys.modules, report.__name__, report)
    explaining = types.ModuleType("fivefold.apps.explain")
    explaining.explain_mistakes = lambda experiment: 0
    monkeypatch.setitem(sys.modules, explaining.__name__, explaining)
    FakeExperiment.calls = []
    return FakeExperiment.calls


@pytest.fixture
def project(tmp_path):
    for name in ("a", "bad", "b"):
        (tmp_path / "experiments" / name).mkdir(parents=True)
        (tmp_path / "experiments" / name / "config.yaml").write_text(CONFIG)
    return tmp_path


def names(calls):
    return [name for name, _ in calls]


def table_of(out):
    lines = out.splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith("experiment ")]
    return [line.split() for line in lines[start + 2 :]]


def test_one_that_fails_leaves_the_others_to_run(calls, project, capsys):
    places = [project / "experiments" / name for name in ("a", "bad", "b")]
    assert app.run(["fit", *map(str, places)]) == 3
    out, err = capsys.readouterr()
    assert names(calls) == ["a", "bad", "b"]
    assert [row[:2] for row in table_of(out)] == [
        [str(places[0]), "finished"],
        [str(places[1]), "failed,"],
        [str(places[2]), "finished"],
    ]
    assert "val_accuracy 0.9500 ± 0.0100" in " ".join(table_of(out)[0])
    assert "failed, exit code 3" in " ".join(table_of(out)[1])
    assert "error: bad/photos" in err or "bad/photos: expected images, got none" in err
    assert f"{places[1]} (2 of 3)" in err
    assert f"some are left; to go on: fivefold fit {places[1]}\n" in err


def test_a_defect_in_one_is_written_beside_it_and_the_others_run(calls, project, capsys):
    (project / "experiments" / "bad").rename(project / "experiments" / "defect")
    assert app.run(["fit", "--project", str(project)]) == 1
    assert names(calls) == ["a", "b", "defect"]
    assert list((project / "experiments" / "defect" / "logs").glob("error-*.txt"))


def test_a_project_means_all_that_are_not_finished(calls, project):
    assert app.run(["fit", "--project", str(project), "--set", "lr=0.1"]) == 3
    assert names(calls) == ["a", "b", "bad"]


def test_names_choose_in_their_order(calls, project):
    assert app.run(["fit", "--project", str(project), "--name", "b,a"]) == 0
    assert names(calls) == ["b", "a"]
    assert app.run(["fit", "--project", str(project), "--name", "b*"]) == 3


def test_one_chosen_experiment_runs_as_if_it_was_named(calls, project, capsys):
    assert app.run(["fit", "--project", str(project), "--name", "bad"]) == 3
    assert "experiment " not in capsys.readouterr().out


def test_an_unknown_name_trains_nothing(calls, project, capsys):
    assert app.run(["fit", "--project", str(project), "--name", "a,c"]) == 2
    assert "--name: expected an experiment of" in capsys.readouterr().err
    assert calls == []


def test_experiments_and_a_project_exclude_each_other(calls, project, capsys):
    assert app.run(["fit", "x", "--project", str(project)]) == 2
    assert "expected either experiments or a project" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "expected"),
    [("", ["a", "b", "bad"]), ("experiments", ["a", "b", "bad"]), ("experiments/a", ["a"])],
)
def test_without_a_name_the_working_folder_decides(
    calls, project, monkeypatch, place, expected, capsys
):
    monkeypatch.chdir(project / place)
    code = app.run(["fit"])
    found = [Path.cwd().name if name == "" else name for name in names(calls)]
    assert (code, found) == (3 if "bad" in expected else 0, expected)


def test_a_folder_without_anything_asks_for_an_experiment(calls, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert app.run(["fit"]) == 2
    assert "name an experiment" in capsys.readouterr().err


def test_the_limit_of_time_is_for_all_together(calls, project, capsys):
    (project / "experiments" / "b").rename(project / "experiments" / "slow")
    command = ["fit", "--project", str(project), "--name", "a,slow", "--time", "1h"]
    assert app.run(command) == 0
    limits = [options["time_limit"] for _, options in calls]
    assert 3599 < limits[1] <= limits[0] <= 3600
    out, err = capsys.readouterr()
    assert [row[1] for row in table_of(out)] == ["finished", "stopped"]
    slow = project / "experiments" / "slow"
    assert f"stopped: no fold is finished yet; to go on: fivefold fit {slow}\n" in err
    assert f"some are left; to go on: fivefold fit {slow}\n" in err


def test_no_other_experiment_begins_once_time_is_over(calls, project, capsys):
    assert app.run(["fit", "--project", str(project), "--name", "a,b", "--time", "0"]) == 0
    assert names(calls) == ["a"]
    assert table_of(capsys.readouterr().out)[1][1:] == ["not", "begun", "0", "s"]


def test_a_stopped_run_goes_on_with_the_same_options(calls, project, capsys):
    (project / "experiments" / "b").rename(project / "experiments" / "slow")
    slow = project / "experiments" / "slow"
    command = ["fit", str(slow), "--time", "1", "--folds", "1,0", "--set", "lr=0.1", "--no-reuse"]
    assert app.run(command) == 0
    words = f"fivefold fit {slow} --set lr=0.1 --folds 1,0 --no-reuse"
    assert capsys.readouterr().err.endswith(f"to go on: {words}\n")


def test_only_a_report_trains_nothing(calls, project, capsys):
    (project / "experiments" / "a" / "report.html").write_text("old")
    assert app.run(["fit", str(project / "experiments" / "a"), "--only-report"]) == 0
    assert calls == [("a", "summarise")]
    assert (project / "experiments" / "a" / "report.html").read_text() == "page"
    assert "already finished" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, None), ("-1", None), ("90", 90), ("1.5m", 90), ("2h", 7200), ("3s", 3), ("0", 0)],
)
def test_time_spans_are_read(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-5", "1d", "inf", "nan", "1e400"])
def test_what_is_no_time_span_is_refused(calls, text, capsys):
    assert app.run(["fit", "x", f"--time={text}"]) == 2
    assert "expected seconds, or a number with s, m or h behind it" in capsys.readouterr().err
    assert calls == []
