"""What an experiment takes from the `common.yaml` of its project."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.config import InvalidConfigError, find_project, find_shared, load, parse
from fivefold.config.document import read
from fivefold.config.nodes import plain
from fivefold.config.shared_keys import MERGED, merged
from fivefold.core.errors import ConfigError

PROJECT = Path(__file__).parents[2] / "fixtures" / "musket_project"


def experiment(name):
    return load(PROJECT / "experiments" / name / "config.yaml")


def write_project(tmp_path, common, own, name="a"):
    folder = tmp_path / "experiments" / name
    folder.mkdir(parents=True)
    (tmp_path / "common.yaml").write_text(common)
    (folder / "config.yaml").write_text(own)
    return folder


def test_keys_that_an_experiment_lacks_come_from_common():
    config = experiment("first")
    assert (config.architecture, config.shape, config.batch) == ("ResNet18", (32, 32, 3), 8)
    assert config.lr == 0.01
    assert config.augmentation == (("Fliplr", 0.5),)


def test_callbacks_are_joined_and_the_experiments_options_win():
    """Of one that both name, the experiment's options count, whole."""
    assert experiment("first").callbacks == (
        ("EarlyStopping", {"patience": 4}),
        ("ReduceLROnPlateau", {"patience": 3, "factor": 0.5}),
    )


def test_empty_callbacks_take_those_of_common():
    names = [name for name, _ in experiment("nested/second").callbacks]
    assert names == ["ReduceLROnPlateau", "EarlyStopping"]


def test_other_keys_and_lists_are_never_joined():
    config = experiment("nested/second")
    assert config.batch == 16
    assert config.augmentation == (("Flipud", 0.5),)
    third = experiment("third")
    assert [name for name, _ in third.callbacks] == ["TerminateOnNaN"]
    assert [(stage.epochs, stage.lr) for stage in third.stages] == [(1, 0.1)]


def test_paths_of_common_start_at_its_own_folder():
    folder = experiment("nested/second").dataset.folder
    directory = PROJECT / "experiments" / "nested" / "second"
    assert folder == "../../../data/shapes"
    assert Path(os.path.normpath(directory / folder)) == PROJECT / "data" / "shapes"


def test_every_path_is_moved_and_nothing_else(tmp_path):
    (tmp_path / "net.pth").touch()
    common = (
        "dataset: {csv: table.csv, images: /photos, image_column: file}\n"
        "weights: net.pth\nstages: [{epochs: 1, initial_weights: x/best-0.0.weights}]\n"
    )
    config = load(write_project(tmp_path, common, "lr: 0.1\n"))
    assert config.dataset.csv == "../../table.csv"
    assert config.dataset.images == "/photos"
    assert config.dataset.image_column == "file"
    assert config.weights == "../../net.pth"
    assert config.stages[0].initial_weights == "../../x/best-0.0.weights"


def test_paths_of_data_start_at_datasets_path_whoever_sets_it(tmp_path):
    data = "dataset: {folder: birds}\nextra_train_data: {python: more.py:More}\n"
    both = load(write_project(tmp_path / "both", data + "datasets_path: data\n", "lr: 1\n"))
    assert (both.datasets_path, both.dataset.folder) == ("../../data", "birds")
    assert both.extra_train_data.python == "../../more.py:More"
    own = load(write_project(tmp_path / "own", data, "datasets_path: pictures\n"))
    assert (own.datasets_path, own.dataset.folder) == ("pictures", "birds")


@pytest.mark.parametrize("weights", ["imagenet", "none"])
def test_names_of_weights_are_no_paths(tmp_path, weights):
    assert load(write_project(tmp_path, f"weights: {weights}\n", "lr: 0.1\n")).weights == weights


def test_problems_name_the_file_that_the_key_came_from(tmp_path):
    folder = write_project(tmp_path, "lr: 0.1\nbatch: 0\nlos: x\n", "\n\nepochz: 1\nshape: 3\n")
    with pytest.raises(InvalidConfigError, match="batch: expected") as error:
        load(folder)
    assert {problem.where for problem in error.value.problems} == {
        f"{tmp_path}/common.yaml:2:8",
        f"{tmp_path}/common.yaml:3:1",
        f"{folder}/config.yaml:3:1",
        f"{folder}/config.yaml:4:8",
    }
    wheres = [problem.where for problem in error.value.problems]
    assert wheres == sorted(wheres)


def test_warnings_name_it_too(tmp_path, caplog):
    load(write_project(tmp_path, "lr: 0.1\nresume: true\n", "batch: 4\n"))
    assert f"{tmp_path}/common.yaml:2:9: resume: has no effect" in caplog.text


def test_overrides_win_over_both(tmp_path):
    folder = write_project(tmp_path, "batch: 2\nlr: 0.1\n", "lr: 0.2\n")
    config = load(folder, ["batch=3", "lr=0.3"])
    assert (config.batch, config.lr) == (3, 0.3)


def test_synonyms_of_one_key_are_one_key(tmp_path):
    config = load(write_project(tmp_path, "batch_size: 2\nfolds: 3\n", "batch: 4\n"))
    assert (config.batch, config.folds_count) == (4, 3)


@pytest.mark.parametrize(("common", "own"), [("", "lr: 0.5\n"), ("lr: 0.5\n", "# all in common\n")])
def test_either_file_may_be_empty(tmp_path, common, own):
    assert load(write_project(tmp_path, common, own)).lr == 0.5


def test_common_that_is_no_mapping_is_told_with_its_name(tmp_path):
    folder = write_project(tmp_path, "- lr\n", "lr: 0.1\n")
    with pytest.raises(ConfigError, match=r"common.yaml:1:1: expected a mapping of keys") as error:
        load(folder)
    assert error.value.slug == "config/syntax"


def test_what_is_recorded_is_the_whole_config(tmp_path):
    folder = write_project(tmp_path, "batch: 2\n", "lr: 0.2\n")
    assert load(folder).as_mapping() == {"lr": 0.2, "batch": 2}
    assert load(folder).text == "lr: 0.2\n"


def test_a_text_takes_nothing_from_anywhere(tmp_path):
    folder = write_project(tmp_path, "batch: 2\n", "lr: 0.2\n")
    assert parse("lr: 0.1\n", str(folder / "config.yaml")).batch == 16


def test_outside_of_experiments_nothing_is_shared(tmp_path):
    (tmp_path / "common.yaml").write_text("batch: 2\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.yaml").write_text("lr: 0.1\n")
    assert find_shared(tmp_path / "a" / "config.yaml") is None
    assert load(tmp_path / "a").batch == 16


def test_the_nearest_project_counts(tmp_path):
    inner = tmp_path / "experiments" / "p"
    folder = write_project(inner, "batch: 2\n", "lr: 0.1\n")
    (tmp_path / "common.yaml").write_text("batch: 3\n")
    assert find_project(folder / "config.yaml") == inner
    assert load(folder).batch == 2


def test_paths_are_told_from_the_working_folder(tmp_path, monkeypatch):
    write_project(tmp_path, "batch: 0\n", "lr: 0.1\n")
    monkeypatch.chdir(tmp_path / "experiments")
    with pytest.raises(InvalidConfigError, match=r"^\.\./common\.yaml:1:8: batch: expected"):
        load(Path("a"))


def test_only_a_marked_project_has_modules(tmp_path):
    folder = tmp_path / "experiments" / "a"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("lr: 0.1\n")
    (tmp_path / "modules").mkdir()
    for name in ("b.py", "a.py", "__init__.py", "notes.txt"):
        (tmp_path / "modules" / name).touch()
    assert load(folder).modules == ()
    assert not load(folder).runs_code
    (tmp_path / "project.yaml").touch()
    assert [path.name for path in load(folder).modules] == ["a.py", "b.py"]
    assert load(folder).runs_code


KEYS = st.sampled_from([*sorted(MERGED), "lr", "stages", "augmentation"])
VALUES = st.sampled_from(["null", "{}", "[]", "[1]", "{x: 1}", "{y: 2}", "{x: 3, z: 4}", "5"])
MAPPINGS = st.dictionaries(KEYS, VALUES)


def expected_value(key, own, shared):
    """Musket's rule for one key, in plain values."""
    if key not in own:
        return shared[key]
    if key not in shared or key not in MERGED:
        return own[key]
    if own[key] in (None, {}, []):
        return shared[key]
    both = isinstance(own[key], dict) and isinstance(shared[key], dict)
    return {**shared[key], **own[key]} if both else own[key]


@given(MAPPINGS, MAPPINGS)
def test_merging_follows_the_rule_for_every_key(own, shared):
    def node(values):
        text = "".join(f"{key}: {value}\n" for key, value in values.items()) or "{}"
        return read(text, "x")[0]

    first, second = plain(node(own)), plain(node(shared))
    found = plain(merged(node(own), node(shared)))
    assert found == {key: expected_value(key, first, second) for key in {**first, **second}}


def test_a_common_that_is_no_file_is_an_error_and_not_left_out(tmp_path):
    config = write_project(tmp_path, "batch: 4\n", "lr: 0.1\n")
    (tmp_path / "common.yaml").unlink()
    assert find_shared(config / "config.yaml") is None
    (tmp_path / "common.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match=r"common\.yaml: expected a config file, got nothing"):
        load(config / "config.yaml")
