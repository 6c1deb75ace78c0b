import pytest

from fivefold.config import load
from fivefold.core.errors import ConfigError, DataError, UnsafeInputError
from fivefold.core.progress import Silent
from fivefold.experiment.datasets import open_inputs, open_source


def source_of(root, section, **options):
    root.mkdir(exist_ok=True)
    (root / "config.yaml").write_text(f"dataset: {section}\n")
    options = {"allow_imports": False, "progress": Silent()} | options
    return open_source(load(root / "config.yaml"), **options)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("{folder: data}", "folder"),
        ("{folder: ./weights/mine}", "folder"),
        ("{folder: .}", "folder"),
        ("{folder: ..}", "folder"),
        ("{csv: labels.csv, images: data}", "images"),
    ],
)
def test_a_users_images_may_not_lie_where_the_run_writes(tmp_path, section, key):
    sentence = f"dataset.{key}: expected a folder that no run writes into"
    with pytest.raises(ConfigError, match=sentence) as error:
        source_of(tmp_path / "experiment", section)
    assert error.value.slug == "config/own-folder"


def test_a_config_without_data_says_what_to_write(tmp_path):
    (tmp_path / "config.yaml").write_text("lr: 0.1\n")
    config = load(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match=r"dataset: required, but not set\n    for example"):
        open_source(config, allow_imports=False, progress=Silent())


def test_python_data_need_consent(tmp_path):
    with pytest.raises(UnsafeInputError, match=r"dataset\.python names code to run") as error:
        source_of(tmp_path, "{python: mine.py:Shapes}")
    assert error.value.slug == "unsafe/imports"


def test_python_data_run_with_consent(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\nclass Shapes:\n"
        "    def __init__(self, count):\n        self.count = count\n\n"
        "    def __len__(self):\n        return self.count\n\n"
        "    def __getitem__(self, i):\n"
        "        return np.zeros((4, 4, 3), np.uint8), i % 2\n"
    )
    section = "{python: mine.py:Shapes, args: {count: 6}}"
    assert len(source_of(tmp_path, section, allow_imports=True)) == 6


def test_a_table_finds_images_beside_itself(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "labels.csv").write_text("image,label\na.png,x\nb.png,y\n")
    source = source_of(tmp_path / "experiment", "{csv: ../there/labels.csv}")
    assert source.path(0).endswith("there/a.png")


def test_inputs_are_a_folder_a_table_or_files(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text("image\nb.png\n")
    assert list(open_inputs(tmp_path).sample_ids) == ["a.png", "b.png"]
    assert list(open_inputs(tmp_path / "list.csv").sample_ids) == ["b.png"]
    assert len(open_inputs([tmp_path / "a.png"])) == 1


def test_images_of_a_table_to_predict_may_be_elsewhere(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "b.png").touch()
    table = tmp_path / "list.csv"
    table.write_text("Datei;Art\nb.png;x\n")
    with pytest.raises(DataError, match="call the column of file names 'image'") as error:
        open_inputs(table)
    assert error.value.slug == "data/columns"
    assert open_inputs([table], tmp_path / "there").path(0) == str(tmp_path / "there" / "b.png")
    with pytest.raises(DataError, match="expected a CSV table beside --images") as error:
        open_inputs(tmp_path, tmp_path / "there")
    assert error.value.slug == "data/not-a-table"
