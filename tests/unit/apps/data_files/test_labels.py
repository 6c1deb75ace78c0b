import csv
import json

import pytest
from shapes import draw_folders

from fivefold.apps.data_files.labels import list_folders, list_table, write_labels
from fivefold.core.errors import ConfigError, DataError
from fivefold.data import CsvSource
from fivefold.experiment.named_data import Reading


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def written(listed, folder, **options):
    return write_labels(listed, folder / "t.csv", folder / "t.json", **options)


def test_number_of_a_class_is_its_place_among_the_sorted_names(tmp_path):
    photos = touch(tmp_path / "p", "eel/1.png", "cat-2/1.png", "cat/2.png", "cat/10.png", "dog/a")
    found = written(list_folders([photos]), tmp_path)
    assert rows_of(tmp_path / "t.csv") == [
        ["path", "class"],
        ["cat/10.png", "cat"],
        ["cat/2.png", "cat"],
        ["cat-2/1.png", "cat-2"],
        ["dog/a", "dog"],
        ["eel/1.png", "eel"],
    ]
    assert json.loads((tmp_path / "t.json").read_text()) == found.class_map
    assert found.class_map == {"cat": 0, "cat-2": 1, "dog": 2, "eel": 3}
    assert found.counts == {"cat": 2, "cat-2": 1, "dog": 1, "eel": 1}


def test_what_lies_deeper_in_a_class_is_taken_only_on_request(tmp_path):
    photos = touch(tmp_path / "p", "a/1.png", "a/in/2.png", "b/3.png", "loose.png", ".hidden")
    shallow = list_folders([photos])
    assert list(shallow.paths) == ["a/1.png", "b/3.png"]
    assert shallow.left_out == {"deeper-folder": 1, "outside-class-folders": 1, "hidden": 1}
    assert list(list_folders([photos], recursive=True).paths) == [
        "a/1.png",
        "a/in/2.png",
        "b/3.png",
    ]


def test_only_deeper_images_are_refused_with_the_option_that_takes_them(tmp_path):
    photos = touch(tmp_path / "p", "a/in/2.png")
    with pytest.raises(DataError, match=r"got only deeper ones\n    --recursive takes") as caught:
        list_folders([photos])
    assert caught.value.slug == "data/no-classes"


def test_paths_of_several_roots_start_with_the_root(tmp_path):
    touch(tmp_path, "one/cat/1.png", "one/dog/1.png", "two/cat/1.png", "two/ant/1.png")
    listed = list_folders([tmp_path / "one", tmp_path / "two"])
    assert listed.images_dir == tmp_path.resolve()
    assert list(listed.paths) == [
        "two/ant/1.png",
        "one/cat/1.png",
        "two/cat/1.png",
        "one/dog/1.png",
    ]
    assert [listed.cells[k] for k in listed.cell_of] == ["ant", "cat", "cat", "dog"]


@pytest.mark.parametrize("second", ["one", "one/cat"])
def test_roots_inside_each_other_are_refused(tmp_path, second):
    touch(tmp_path, "one/cat/x/1.png")
    with pytest.raises(ConfigError, match="expected folders apart from each other") as caught:
        list_folders([tmp_path / "one", tmp_path / second])
    assert caught.value.problems[0].slug == "cli/same-folder"


def test_a_folder_named_after_several_classes_is_one_row_each(tmp_path):
    photos = touch(tmp_path / "p", "cat$dog/1.png", "cat/2.png")
    found = written(list_folders([photos]), tmp_path, separator="$", columns=("filepath", "tag"))
    assert rows_of(tmp_path / "t.csv")[:2] == [["filepath", "tag"], ["cat/2.png", "cat"]]
    assert found.class_map == {"cat": 0, "dog": 1}
    assert found.counts == {"cat": 2, "dog": 1}


def test_a_table_keeps_one_row_for_an_image_with_several_tags(tmp_path):
    (tmp_path / "in.csv").write_text("tag,filepath\ndog$cat,1.png\neel,2.png\n,3.png\n")
    listed = list_table(tmp_path / "in.csv", Reading(separator="$"))
    found = written(listed, tmp_path, separator="$")
    assert rows_of(tmp_path / "t.csv") == [
        ["filepath", "tag"],
        ["1.png", "cat$dog"],
        ["2.png", "eel"],
        ["3.png", ""],
    ]
    assert found.class_map == {"cat": 0, "dog": 1, "eel": 2}


def test_the_table_is_read_back_as_the_folder_is(tmp_path):
    draw_folders(tmp_path / "p", 2)
    written(list_folders([tmp_path / "p"]), tmp_path)
    source = CsvSource(tmp_path / "t.csv", tmp_path / "p")
    assert list(source.sample_ids) == [
        f"{name}/{k:03}.png" for name in ("circle", "square", "triangle") for k in (0, 1)
    ]
    assert source.labels[0].class_names == ("circle", "square", "triangle")


def test_a_name_that_is_no_text_is_refused_and_nothing_is_written(tmp_path):
    photos = touch(tmp_path / "p", "a/1.png", "a/\udcff.png")
    with pytest.raises(DataError, match=r"expected names in UTF-8, got .*udcff") as caught:
        written(list_folders([photos]), tmp_path)
    assert caught.value.slug == "data/name-not-text"
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("separator", ["", "a", '"', "\n"])
def test_a_letter_is_no_separator(tmp_path, separator):
    photos = touch(tmp_path / "p", "a/1.png")
    with pytest.raises(ConfigError, match=r"expected a sign such as \$ or \|, got") as caught:
        written(list_folders([photos]), tmp_path, separator=separator)
    assert caught.value.problems[0].slug == "cli/separator"
