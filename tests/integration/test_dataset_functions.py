"""`dataset: {name: arguments}`: a function of a module gives the data set, as in Musket."""

import csv
from pathlib import Path

import pytest
from runs import CONFIG, write_experiment
from shapes import draw_folders

from fivefold.config import load, parse
from fivefold.core.errors import ConfigError, DataError, UnsafeInputError
from fivefold.experiment.experiment import Experiment

FIXTURE = Path(__file__).parents[1] / "fixtures/musket/dataset_function.yaml"
CODE = """\
from musket_core.datasets import CategoryClassificationDataSet, FolderDataSet


def get_train(images, table):
    return CategoryClassificationDataSet(images, table, "image", "class")


def get_more(folder="more"):
    return FolderDataSet(None, folder)


def nothing():
    return 3
"""


def project(folder, keys):
    """Write a project of Musket's: data in `data`, code in `modules`."""
    experiment = folder / "experiments/first"
    experiment.mkdir(parents=True)
    (folder / "common.yaml").write_text("lr: 0.01\n")
    (folder / "modules").mkdir()
    (folder / "modules/my_data.py").write_text(CODE)
    draw_folders(folder / "data/images", 4)
    draw_folders(folder / "data/more", 1, seed=3)
    images = sorted((folder / "data/images").rglob("*.png"))
    with (folder / "data/train.csv").open("w", newline="") as file:
        rows = [[p.relative_to(folder / "data/images").as_posix(), p.parent.name] for p in images]
        csv.writer(file).writerows([["image", "class"], *rows])
    config = CONFIG.replace("dataset: {folder: shapes}\n", "")
    (experiment / "config.yaml").write_text(config + keys)
    return experiment


def test_a_musket_file_is_read_as_written():
    config = load(FIXTURE)
    assert config.not_yet() == []
    assert (config.dataset.function, config.dataset.args) == ("get_train", ("images", "train.csv"))
    assert (config.extra_train_data.function, config.extra_train_data.args) == (
        "get_more",
        {"folder": "more"},
    )


def test_a_project_of_musket_s_finds_its_data(tmp_path):
    keys = "dataset: {get_train: [images, train.csv]}\nextra_train_data: {get_more: }\n"
    source = Experiment.load(project(tmp_path, keys), allow_imports=True).source()
    assert len(source) == 12 + 3
    assert source.labels[0].class_names == ("circle", "square", "triangle")
    assert len(source.train_only) == 3


def test_it_may_be_written_out_and_started_elsewhere(tmp_path):
    write_experiment(
        tmp_path,
        config=CONFIG.replace("{folder: shapes}", "{function: get_more, args: {folder: shapes}}")
        + "imports: [my_data]\ndatasets_path: pictures\n",
    )
    (tmp_path / "my_data.py").write_text(CODE)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "shapes").rename(tmp_path / "pictures/shapes")
    assert len(Experiment.load(tmp_path, allow_imports=True).source()) == 24
    with pytest.raises(UnsafeInputError, match="imports names code to run: my_data"):
        Experiment.load(tmp_path)


def opened(folder, keys):
    return Experiment.load(project(folder, keys), allow_imports=True)


def test_what_is_no_data_set_is_told(tmp_path):
    run = opened(tmp_path / "a", "dataset: {get_trian: []}\n")
    with pytest.raises(ConfigError, match="dataset: expected a function of a module") as error:
        run.source()
    assert "did you mean 'get_train'?" in str(error.value)
    run = opened(tmp_path / "b", "dataset: {nothing: []}\n")
    with pytest.raises(DataError, match="dataset: nothing: expected a data set, got int"):
        run.source()
    run = opened(tmp_path / "c", "dataset: {get_train: 3}\n")
    with pytest.raises(DataError, match="dataset: get_train: expected a data set, got TypeError"):
        run.source()


@pytest.mark.parametrize("text", ["{foler: shapes}", "{foldr: a}", "{csvs: a}", "{pyhton: a.py:B}"])
def test_a_mistyped_key_is_no_function(text):
    with pytest.raises(ConfigError, match="unknown key") as error:
        parse(f"dataset: {text}")
    assert "did you mean" in str(error.value)


def test_only_a_function_takes_a_list():
    with pytest.raises(ConfigError, match="`args` that are a mapping"):
        parse("dataset: {python: 'a.py:B', args: [1]}")
