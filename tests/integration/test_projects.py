"""Musket's layout of a project, really trained: one `common.yaml`, several experiments."""

import json

import pytest
import tiny  # noqa: F401  registers the net
from runs import CONFIG
from shapes import draw_folders

from fivefold import classification, compare
from fivefold.cli import app
from fivefold.config import load
from fivefold.core.errors import StateError, UnsafeInputError
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.summary import read_summary

pytestmark = pytest.mark.slow

OWN = {
    "broken": "dataset: {folder: nowhere}\n",
    "low": "lr: 0.001\n",
    "high": "lr: 0.03\nbatch: 8\n",
}


@pytest.fixture
def project(tmp_path):
    draw_folders(tmp_path / "shapes", 6)
    (tmp_path / "common.yaml").write_text(CONFIG.replace("lr: 0.01\n", ""))
    for name, text in OWN.items():
        (tmp_path / "experiments" / name).mkdir(parents=True)
        (tmp_path / "experiments" / name / "config.yaml").write_text(text)
    return tmp_path


def test_a_project_is_trained_compared_and_gone_on_with(project, capsys, monkeypatch):
    monkeypatch.chdir(project)
    assert app.run(["fit", "--project", ".", "--jobs", "1"]) == 3
    out, err = capsys.readouterr()
    assert "nowhere" in err
    assert "some are left; to go on: fivefold fit experiments/broken\n" in err
    states = [line.split()[:2] for line in out.splitlines() if line.startswith("experiments/")]
    assert states == [
        ["experiments/broken", "failed,"],
        ["experiments/high", "finished"],
        ["experiments/low", "finished"],
    ]

    found = compare(project)
    status = {one.path: one.status for one in found.experiments}
    assert status == {
        "experiments/high": "finished",
        "experiments/low": "finished",
        "experiments/broken": "unfinished",
    }
    by_path = {one.path: one for one in found.experiments}
    for name in ("high", "low"):
        experiment = Experiment.load(project / "experiments" / name)
        last = read_summary(experiment.folder).stages[-1]
        metrics = by_path[f"experiments/{name}"].metrics
        assert {metric: metrics[metric] for metric in last} == last
        assert metrics["epoch"]["mean"] <= 1
        recorded = json.loads(experiment.folder.manifest_path.read_text())["config"]
        assert (recorded["architecture"], recorded["dataset"]["folder"]) == ("tiny", "../../shapes")
        assert "batch" in found.parameters

    assert app.run(["fit", "--name", "low", "--project", "."]) == 0
    assert "already finished" in capsys.readouterr().err
    assert app.run(["predict", "experiments/low", "shapes", "-o", "labels.csv"]) == 0
    assert app.run(["report", "experiments/low"]) == 0
    page = (project / "experiments" / "low" / "report.html").read_text("utf-8")
    assert "What it leaves out comes from common.yaml" in page


def test_a_changed_common_is_a_changed_config(project):
    path = project / "experiments" / "low"
    Experiment.load(path).fit(folds=[0])
    common = project / "common.yaml"
    common.write_text(common.read_text().replace("epochs: 2", "epochs: 3"))
    with pytest.raises(StateError, match=r"stages\.1\.epochs: 2 -> 3") as error:
        Experiment.load(path).fit()
    assert error.value.slug == "state/config-changed"


def test_modules_of_a_project_are_run_with_consent(project):
    (project / "modules").mkdir()
    (project / "modules" / "own_project_parts.py").write_text(
        "from fivefold.losses import losses\n\n"
        "@losses.add(inputs='softmax')\n"
        "def own_project_loss(logits, targets):\n"
        '    """Mean of all."""\n'
        "    return ((logits - targets) ** 2).mean()\n"
    )
    path = project / "experiments" / "low"
    (path / "config.yaml").write_text("lr: 0.01\nloss: own_project_loss\n")
    with pytest.raises(UnsafeInputError, match="modules names code to run: own_project_parts"):
        Experiment.load(path)
    summary = Experiment.load(path, allow_imports=True).fit(folds=[0])
    assert summary.folds == (0,)


def test_musket_names_of_a_project(project, monkeypatch):
    monkeypatch.chdir(project)
    cfg = classification.parse("low")
    assert cfg.get_project_path().resolve() == project
    assert cfg.directory().resolve() == project / "experiments" / "low"
    assert load(cfg.directory()).lr == 0.001
