import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fivefold.config import load
from fivefold.core.errors import ConfigError, DataError, UnsafeInputError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.experiment.datasets import open_inputs, prepare
from fivefold.experiment.sources import open_source


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


def test_corrections_change_labels_of_any_data_and_are_told(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(2):
            Image.new("RGB", (8, 8), (k, 0, 0)).save(tmp_path / "photos" / name / f"{k}.png")
    fixes = "id;corrected;keep\ncat/0.png;dog;\ndog/1.png;;no\n"
    (tmp_path / "fixes.csv").write_text(fixes)
    source = source_of(tmp_path, "{folder: photos, corrections: fixes.csv}")
    targets = [source.target(i).tolist() for i in range(len(source))]
    assert dict(zip(source.sample_ids, targets, strict=True)) == {
        "cat/0.png": [0, 1],
        "cat/1.png": [1, 0],
        "dog/0.png": [0, 1],
    }
    assert list(source.notes) == ["fixes.csv: 1 label changed, 1 sample left out"]
    assert list(source.excluded) == [("dog/1.png", "corrections")]


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


def test_a_folder_without_images_is_named_with_what_is_in_it(tmp_path):
    expected = re.escape(f"{tmp_path}: expected at least 1 image to predict, got no file at all")
    with pytest.raises(DataError, match=expected) as error:
        open_inputs(tmp_path)
    assert error.value.slug == "data/nothing-to-predict"
    assert error.value.hint.startswith("JPEG, PNG, WEBP, BMP, TIFF, GIF are read, whatever")
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden").touch()
    with pytest.raises(DataError, match="got 1 hidden, 1 not an image by its name\n"):
        open_inputs(tmp_path)


def test_images_of_a_table_to_predict_may_be_elsewhere(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "b.png").touch()
    table = tmp_path / "list.csv"
    table.write_text("Datei;Art\nb.png;x\n")
    with pytest.raises(DataError, match="call the column of file names 'image'") as error:
        open_inputs(table)
    assert error.value.slug == "data/columns"
    assert open_inputs([table], tmp_path / "there").path(0) == str(tmp_path / "there" / "b.png")
    with pytest.raises(DataError, match="expected a table beside --images") as error:
        open_inputs(tmp_path, tmp_path / "there")
    assert error.value.slug == "data/not-a-table"


def test_a_parquet_table_of_images_to_predict_needs_no_labels(tmp_path):
    (tmp_path / "b.png").touch()
    pq.write_table(pa.table({"image": ["b.png"]}), tmp_path / "list.parquet")
    source = open_inputs(tmp_path / "list.parquet")
    assert (list(source.sample_ids), source.labels) == (["b.png"], ())


def prepared(root, cache):
    (root / "config.yaml").write_text(
        f"shape: [8, 8, 3]\ndataset: {{folder: photos}}\nfolds_count: 2\ncache: {cache}\n"
    )
    config = load(root / "config.yaml")
    source = open_source(config, allow_imports=False, progress=Silent())
    return prepare(source, config, RunFolder.of(root / "config.yaml"), Silent())


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(1)
    for k in range(8):
        path = tmp_path / "photos" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return tmp_path


def test_the_second_experiment_decodes_nothing(photos, cache_folder, monkeypatch):
    first = prepared(photos, "true").images
    expected = [first.get(row).copy() for row in range(8)]
    monkeypatch.setattr("fivefold.data.files.decode_sized", None)
    second = prepared(photos, "true").images
    assert all(np.array_equal(second.get(row), expected[row]) for row in range(8))
    assert (first.num_bytes, second.num_bytes) == (0, 0)


@pytest.mark.parametrize("cache", ["false", "0.000001"])
def test_pixels_are_the_same_bits_with_and_without_a_cache(photos, cache_folder, caplog, cache):
    with_cache, without = prepared(photos, "1").images, prepared(photos, cache).images
    assert all(np.array_equal(with_cache.get(row), without.get(row)) for row in range(8))
    assert without.num_bytes == 8 * 192
    assert ("`cache: 0.01` has room" in caplog.text) == (cache != "false")


def test_a_run_says_what_of_its_data_is_worth_a_look(photos, caplog):
    prepared(photos, "false")
    assert "worth a look" not in caplog.text
    dark = Image.fromarray(np.full((60, 90, 3), 2, np.uint8))
    dark.save(photos / "photos" / "a" / "night.png")
    prepared(photos, "false")
    told = "images worth a look: 1 dark, 1 of one colour; `fivefold data check` shows them"
    assert caplog.messages.count(told) == 1
