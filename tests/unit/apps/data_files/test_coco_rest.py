import json

import pytest
from PIL import Image

from fivefold.apps.data_files.coco_rest import left_behind
from fivefold.cli.app import run
from fivefold.experiment.named_data import Reading, open_data

PLAIN = {
    "images": [{"id": k, "file_name": f"{k}.png", "width": 4, "height": 4} for k in range(4)],
    "annotations": [{"id": k, "image_id": k, "category_id": k % 2} for k in range(4)],
    "categories": [{"id": 0, "name": "cat", "supercategory": ""}, {"id": 1, "name": "dog"}],
}
RICH = {
    "info": {"year": 2026},
    "licenses": [{"id": 1}],
    "images": [one | {"coco_url": "https://example.org", "license": 1} for one in PLAIN["images"]],
    "annotations": [
        PLAIN["annotations"][0] | {"bbox": [0, 0, 2, 3], "segmentation": [[0, 0, 2, 0, 2, 3]]},
        PLAIN["annotations"][1] | {"bbox": [0, 0, 2, 3], "score": 0.5, "area": 6},
        PLAIN["annotations"][2] | {"bbox": [0, 0, 0, 0], "segmentation": [], "iscrowd": 0},
        PLAIN["annotations"][3],
    ],
    "categories": [one | {"supercategory": "pet"} for one in PLAIN["categories"]],
}
TOLD = (
    "left behind of all.json: info, licenses, supercategories, 2 boxes, 1 outline, "
    "'coco_url', 'license' of images, 'score' of annotations"
)


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(4):
        Image.new("RGB", (4, 4), (k, 0, 0)).save(folder / f"{k}.png")

    def written(document):
        (folder / "all.json").write_text(json.dumps(document))
        return folder / "all.json"

    return written


def test_everything_that_is_no_class_of_an_image_is_told(write):
    opened = open_data(write(RICH), Reading(boxes_as_labels=True))
    assert list(left_behind(opened)) == [TOLD]


def test_where_there_is_nothing_else_nothing_is_said(write, tmp_path):
    assert list(left_behind(open_data(write(PLAIN), Reading()))) == []
    (tmp_path / "photos" / "t.csv").write_text("path,class\n0.png,a\n1.png,b\n")
    assert list(left_behind(open_data(tmp_path / "photos" / "t.csv", Reading()))) == []


def test_of_a_file_that_was_written_here_nothing_is_left_behind(write, tmp_path, capsys):
    first, second = str(tmp_path / "photos" / "own.json"), str(tmp_path / "again.csv")
    assert run(["data", "convert", str(write(PLAIN)), "-o", first]) == 0
    assert run(["data", "convert", first, "-o", second]) == 0
    assert "left behind" not in capsys.readouterr().err


def test_what_kind_captions_are_is_no_rest(write):
    caption = {"id": 1, "image_id": 0, "caption": "a,b", "type": "class_labels"}
    opened = open_data(write({**PLAIN, "annotations": [caption]}), Reading())
    assert list(left_behind(opened)) == []


@pytest.mark.parametrize("output", ["new.csv", "new.json", "new"])
@pytest.mark.parametrize("command", ["convert", "sample"])
def test_both_commands_say_it_once(write, tmp_path, capsys, output, command):
    path = write(RICH)
    words = ["data", command, str(path), "-o", str(tmp_path / output), "--boxes-as-labels"]
    assert run(words) == 0
    assert capsys.readouterr().err.count(f"warning: {TOLD}\n") == 1
