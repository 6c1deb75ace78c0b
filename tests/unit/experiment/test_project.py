import shutil
from pathlib import Path

import pytest

from fivefold.core.errors import ConfigError
from fivefold.experiment.project import Project, find_experiment

FIXTURE = Path(__file__).parents[2] / "fixtures" / "musket_project"


@pytest.fixture
def root(tmp_path):
    shutil.copytree(FIXTURE, tmp_path / "project")
    return tmp_path / "project"


def names(root, paths):
    return [path.relative_to(root / "experiments").as_posix() for path in paths]


def test_experiments_are_found_at_any_depth(root):
    assert names(root, Project.open(root).experiments()) == ["first", "nested/second", "third"]


def test_below_an_experiment_others_do_not_count(root):
    (root / "experiments" / "first" / "trial0").mkdir()
    (root / "experiments" / "first" / "trial0" / "config.yaml").write_text("lr: 0.1\n")
    assert names(root, Project.open(root).experiments()) == ["first", "nested/second", "third"]


def test_without_names_those_are_meant_that_have_no_summary(root):
    project = Project.open(root)
    (root / "experiments" / "first" / "summary.yaml").touch()
    assert names(root, project.left()) == ["nested/second", "third"]
    for name in ("nested/second", "third"):
        (root / "experiments" / name / "summary.yaml").touch()
    assert len(project.left()) == 3


def test_names_keep_their_order_and_count_once(root):
    project = Project.open(root)
    assert names(root, project.choose(["third", "first", "third"])) == ["third", "first"]
    assert names(root, project.choose(["nested/second/"])) == ["nested/second"]


def test_patterns_name_all_that_match(root):
    project = Project.open(root)
    assert names(root, project.choose(["*i*", "nested/*"])) == ["first", "third", "nested/second"]
    assert names(root, project.choose(["*"])) == ["first", "nested/second", "third"]


def test_no_name_at_all_is_refused(root):
    with pytest.raises(ConfigError, match=r"expected an experiment of .*, got ''") as error:
        Project.open(root).choose([])
    assert error.value.slug == "cli/no-such-experiment"


def test_an_unknown_name_is_refused_with_the_closest(root):
    with pytest.raises(ConfigError, match=r"expected an experiment of .*, got 'frist'") as error:
        Project.open(root).choose(["frist", "x*", "third"])
    assert error.value.slug == "cli/no-such-experiment"
    assert error.value.problems[0].hint == "did you mean 'first'?"
    assert error.value.problems[1].hint == "there are first, nested/second, third"


@pytest.mark.parametrize("name", ["nothing", "experiments/first"])
def test_a_folder_without_experiments_is_no_project(root, name):
    with pytest.raises(
        ConfigError, match="expected a project, a folder with experiments/"
    ) as error:
        Project.open(root / name)
    assert error.value.slug == "cli/no-project"


def test_a_project_without_experiments_is_told(tmp_path):
    (tmp_path / "experiments").mkdir()
    with pytest.raises(ConfigError, match=r"expected experiments with a config.yaml each") as error:
        Project.open(tmp_path).left()
    assert error.value.slug == "cli/no-experiments"


@pytest.mark.parametrize("place", ["", "experiments", "experiments/nested", "experiments/first"])
def test_the_project_around_a_folder_is_found(root, place):
    assert Project.around(root / place).root == root


def test_a_project_within_another_ones_experiments_is_its_own(root):
    inner = root / "experiments" / "inner"
    (inner / "experiments" / "x").mkdir(parents=True)
    assert Project.around(inner).root == inner


def test_an_experiment_is_found_by_its_name(root, monkeypatch):
    for place in (root, root / "experiments", root / "experiments" / "first"):
        monkeypatch.chdir(place)
        found = find_experiment("nested/second")
        assert (found / "config.yaml").resolve().parent == root / "experiments/nested/second"
    monkeypatch.chdir(root / "experiments")
    assert find_experiment("first") == Path("first")
    assert find_experiment("nobody") == Path("nobody")


def test_outside_of_projects_a_path_is_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_experiment("first") == Path("first")
