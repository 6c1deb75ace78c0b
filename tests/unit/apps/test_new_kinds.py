"""What `fivefold new` writes for data that are neither a folder of classes nor a CSV table."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tar_files import cats_and_dogs, png, write_tar

from fivefold.apps.new import TableChoice, write_experiment
from fivefold.apps.new.survey import look_at
from fivefold.config import load
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.experiment.sources import open_source


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(8):
        Image.fromarray(np.full((6, 8, 3), n, np.uint8)).save(folder / f"{n}.png")
    return folder


def section_of(tmp_path, data, choice=None):
    """Write a config, and make sure that its data can be opened."""
    choice = choice or TableChoice()
    written = write_experiment(tmp_path / "x", data, table=choice, architecture="resnet18.a1_in1k")
    config = load(written.config_path)
    source = open_source(config, allow_imports=False, progress=Silent())
    assert len(source) == 8
    assert source.labels[0].class_names
    return config.dataset.model_dump(exclude_defaults=True), written.notes


@pytest.mark.usefixtures("photos")
def test_a_parquet_table_and_its_images_are_named(tmp_path):
    rows = {"image": [f"{n}.png" for n in range(8)], "label": ["cat", "dog"] * 4}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    section, notes = section_of(tmp_path, tmp_path / "t.parquet")
    assert section == {
        "parquet": "../t.parquet",
        "images": "../photos",
        "image_column": "image",
        "label_column": "label",
    }
    assert "columns: images in 'image', labels in 'label'" in notes


@pytest.mark.usefixtures("photos")
def test_columns_of_0_and_1_that_were_found_are_named(tmp_path):
    lines = ["image,cat,dog", *(f"{n}.png,{n % 2},{n // 2 % 2}" for n in range(8))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    section, notes = section_of(tmp_path, tmp_path / "t.csv")
    assert section["indicator_columns"] == ("cat", "dog")
    assert "label_column" not in section
    assert "columns: images in 'image', labels in 'cat', 'dog'" in notes


def write_coco(path, box=(0, 0, 0, 0)):
    document = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(8)],
        "annotations": [
            {"id": n, "image_id": n, "category_id": n % 2, "bbox": list(box)} for n in range(8)
        ],
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    }
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("named", [True, False])
def test_a_coco_file_and_its_images_are_named(tmp_path, photos, named):
    data = write_coco(tmp_path / "coco.json")
    section, _ = section_of(tmp_path, data, TableChoice(images=photos if named else None))
    assert section == {"coco": "../coco.json", "images": "../photos"}


@pytest.mark.usefixtures("photos")
def test_boxes_ask_for_an_option(tmp_path):
    data = write_coco(tmp_path / "coco.json", box=(0, 0, 4, 4))
    with pytest.raises(DataError, match="labels of whole images") as error:
        look_at(data)
    assert error.value.slug == "data/boxes"
    assert error.value.hint.startswith("--boxes-as-labels takes them as labels of their images")
    assert error.value.hint.endswith("`boxes: crops` in a config cuts them out")


@pytest.mark.usefixtures("photos")
def test_boxes_become_labels_where_that_is_asked_for(tmp_path):
    data = write_coco(tmp_path / "coco.json", box=(0, 0, 4, 4))
    section, _ = section_of(tmp_path, data, TableChoice(boxes_as_labels=True))
    assert section == {"coco": "../coco.json", "images": "../photos", "boxes": "labels"}
    text = (tmp_path / "x" / "config.yaml").read_text()
    assert "# of their images; `crops` cuts out each as a sample" in text


@pytest.mark.usefixtures("photos")
def test_the_encoding_of_a_table_is_named(tmp_path):
    lines = ["image,label", *(f"{n}.png,{('кот', 'пёс')[n % 2]}" for n in range(8))]
    (tmp_path / "t.csv").write_bytes("\n".join(lines).encode("cp1251"))
    with pytest.raises(DataError, match="--encoding"):
        look_at(tmp_path / "t.csv")
    section, _ = section_of(tmp_path, tmp_path / "t.csv", TableChoice(encoding="cp1251"))
    assert section["encoding"] == "cp1251"
    with pytest.raises(ConfigError, match="--encoding: expected an encoding of texts, got 'x9'"):
        look_at(tmp_path / "t.csv", TableChoice(encoding="x9"))


def test_options_of_other_kinds_of_data_are_refused(photos):
    with pytest.raises(DataError, match="expected a COCO file beside --boxes-as-labels, got none"):
        look_at(photos, TableChoice(boxes_as_labels=True))
    with pytest.raises(DataError, match="expected a table in a file of text beside --encoding"):
        look_at(photos, TableChoice(encoding="cp1251"))


def test_tar_files_are_named_by_their_pattern(tmp_path):
    pattern = cats_and_dogs(tmp_path / "tars")
    section, _ = section_of(tmp_path, pattern)
    assert section == {"shards": "../tars/train-{000000..000001}.tar"}
    (tmp_path / "x" / "config.yaml").unlink()
    section, _ = section_of(tmp_path, pattern, TableChoice(None, "png", ("cls",), "|"))
    assert (section["image_column"], section["label_column"]) == ("png", "cls")
    assert section["separator"] == "|"


def test_tar_files_without_labels_are_refused(tmp_path):
    data = write_tar(tmp_path / "t.tar", [("0.png", png(0)), ("1.png", png(1))])
    with pytest.raises(DataError, match="expected labels, got only images") as error:
        look_at(data)
    assert error.value.slug == "data/no-labels"


def test_options_of_tables_are_refused_beside_other_data(tmp_path, photos):
    data = write_coco(tmp_path / "coco.json")
    message = r"a table beside --separator, got no table\n    a COCO file needs no --separator"
    with pytest.raises(DataError, match=message) as error:
        look_at(data, TableChoice(images=photos, separator="|"))
    assert error.value.slug == "data/not-a-table"
    pattern = cats_and_dogs(tmp_path)
    with pytest.raises(DataError, match="beside --images, got tar files"):
        look_at(pattern, TableChoice(images=photos))
    with pytest.raises(DataError, match="beside a second --label-column, got tar files"):
        look_at(pattern, TableChoice(label_columns=("a", "b")))


def test_other_data_say_which_key_to_write(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "dataset_info.json").touch()
    message = r"got a data set of the package `datasets`\n    write `dataset: {hub: saved}`"
    with pytest.raises(DataError, match=message) as error:
        look_at(tmp_path / "saved")
    assert error.value.slug == "data/not-data"
    (tmp_path / "t.jsonl").touch()
    with pytest.raises(DataError, match=r"ending in '.jsonl'\n    `dataset: {python: file.py:Na"):
        look_at(tmp_path / "t.jsonl")


def test_a_name_of_the_hub_is_told_what_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = (
        "got nothing there\n    for a data set of the Hugging Face hub write into a config of your "
    )
    with pytest.raises(DataError, match=f"{told}own: `dataset: {{hub: user/flowers}}`") as error:
        look_at(Path("user/flowers"))
    assert error.value.slug == "data/not-data"


def test_a_misspelled_folder_is_no_name_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("photos/catz", "flowers"):
        with pytest.raises(DataError, match=name) as error:
            look_at(Path(name))
        assert "hub" not in str(error.value)


@pytest.mark.usefixtures("photos")
def test_columns_that_might_be_labels_too_are_told(tmp_path):
    lines = ["image,species,stain", *(f"{n}.png,{'ab'[n % 2]},{'xy'[n // 4]}" for n in range(8))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    section, notes = section_of(tmp_path, tmp_path / "t.csv")
    assert section["label_column"] == "species"
    assert "nothing is read from 'stain': --label-column names other labels" in notes
