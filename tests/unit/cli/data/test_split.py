import json

import pytest
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 5)
    return tmp_path


def test_a_folder_is_split_and_the_section_to_train_on_is_told(here, capsys):
    assert run(["data", "split", "photos", "-o", "part.csv"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split() == ["class", "train", "test"]
    assert out.splitlines()[-1].split() == ["all", "12", "3"]
    assert "dataset: {csv: part_train.csv, images: photos}" in err
    assert (here / "part_test.csv").read_text().count("\n") == 4


def test_folds_are_told_as_a_config_names_them(here, capsys):
    assert run(["data", "split", "photos", "-o", "five.csv", "--folds", "5"]) == 0
    assert "folds_from: five.csv\nfolds_count: 5" in capsys.readouterr().err


def test_copies_stay_together_unless_they_are_ignored(here, capsys):
    for name in ("circle", "square", "triangle"):
        (here / f"photos/{name}/copy.png").write_bytes(
            (here / f"photos/{name}/000.png").read_bytes()
        )
    assert run(["data", "split", "photos", "-o", "part.csv", "--folds", "3"]) == 0
    assert "3 images stay with others: exact copies, or the same group" in capsys.readouterr().err
    lines = dict(line.split(",", 1) for line in (here / "part.csv").read_text().splitlines())
    assert lines["circle/copy.png"] == lines["circle/000.png"]
    assert run(["data", "split", "photos", "-o", "b.csv", "--folds", "3", "--ignore-copies"]) == 0
    assert "stay with others" not in capsys.readouterr().err


def test_images_that_are_not_there_are_told(here, capsys):
    (here / "a.csv").write_text("path,class\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(8)))
    assert run(["data", "split", "a.csv", "-o", "b.csv", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "warning: 8 of 8 images cannot be read: no copies of them are known" in err
    assert "--ignore-copies" in err
    found = json.loads(out)
    assert found["parts"]["test"] == {"images": 2, "classes": {"a": 1, "b": 1}}
    assert found["seed"] == 42


@pytest.mark.parametrize("name", ["part.csv", "part_test.csv", "part.split.json"])
def test_no_file_is_replaced_without_force(here, capsys, name):
    (here / name).write_text("mine")
    assert run(["data", "split", "photos", "-o", "part.csv"]) == 2
    assert f"{name}: expected a name that is free" in capsys.readouterr().err
    assert (here / name).read_text() == "mine"
    assert len(list(here.iterdir())) == 2
    assert run(["data", "split", "photos", "-o", "part.csv", "--force"]) == 0


@pytest.mark.parametrize("text", ["a", "0;1", "-1", "0,,1"])
def test_folds_that_are_no_numbers_are_refused(here, capsys, text):
    assert (
        run(["data", "split", "photos", "-o", "a.csv", "--folds", "3", "--train-folds", text]) == 2
    )
    assert "expected fold numbers such as 0,1,4, got" in capsys.readouterr().err


def test_groups_are_for_tables(here, capsys):
    assert run(["data", "split", "photos", "-o", "a.csv", "--group-column", "path"]) == 2
    assert "--group-column: expected a column of the table" in capsys.readouterr().err


def test_the_sign_between_labels_of_a_coco_file_is_told(here, capsys):
    names = [f"circle/{k:03}.png" for k in range(5)]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(names)],
        "annotations": [
            {"image_id": k, "category_id": c} for k in range(5) for c in (1, 2)[: 1 + k % 2]
        ],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b|c"}],
    }
    (here / "a.json").write_text(json.dumps(document))
    assert run(["data", "split", "a.json", "--images", "photos", "-o", "b.csv"]) == 0
    assert 'images: photos, separator: ";"}' in capsys.readouterr().err
    assert "circle/001.png,a;b|c,t" in (here / "b.csv").read_text()
