import json

import pytest
from PIL import Image
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
    assert "dataset: {csv: part.csv, images: photos, split_column: split}" in err
    assert (here / "part_test.csv").read_text().count("\n") == 4


def test_folds_are_told_as_a_config_names_them(here, capsys):
    assert run(["data", "split", "photos", "-o", "five.csv", "--folds", "5"]) == 0
    told = "dataset: {csv: five.csv, images: photos, fold_column: fold}\nfolds_count: 5"
    assert told in capsys.readouterr().err


def test_names_of_columns_are_told_as_a_config_needs_them(here, capsys):
    rows = [f"{n}/{k:03}.png,{n},{k % 4}" for n in ("circle", "square") for k in range(5)]
    (here / "a.csv").write_text("picture,kind,site\n" + "\n".join(rows))
    named = ["--image-column", "picture", "--label-column", "kind", "--group-column", "site"]
    command = ["data", "split", "a.csv", "--images", "photos", *named]
    assert run([*command, "-o", "b.csv", "--folds", "2", "--column", "part"]) == 0
    assert (
        "dataset: {csv: b.csv, images: photos, image_column: picture, label_column: kind, "
        "group_column: site, fold_column: part}\nfolds_count: 2"
    ) in capsys.readouterr().err
    command += ["-o", "c.csv", "--folds", "2", "--train-folds", "0"]
    assert run(command) == 0
    assert "dataset: {csv: c_train.csv, images: photos, image_column" in capsys.readouterr().err


def test_near_duplicates_stay_together_unless_they_are_ignored(here, capsys):
    for name in ("circle", "square", "triangle"):
        with Image.open(here / f"photos/{name}/000.png") as image:
            image.resize((48, 48), Image.Resampling.BICUBIC).save(here / f"photos/{name}/near.png")
    command = ["data", "split", "photos", "--folds", "3", "--json"]
    assert run([*command, "-o", "part.csv"]) == 0
    assert json.loads(capsys.readouterr().out)["tied"] == 6
    lines = dict(line.split(",", 1) for line in (here / "part.csv").read_text().splitlines())
    for name in ("circle", "square", "triangle"):
        assert lines[f"{name}/near.png"] == lines[f"{name}/000.png"]
    assert run([*command, "-o", "b.csv", "--ignore-near"]) == 0
    assert json.loads(capsys.readouterr().out)["tied"] == 0


def test_copies_stay_together_unless_they_are_ignored(here, capsys):
    for name in ("circle", "square", "triangle"):
        (here / f"photos/{name}/copy.png").write_bytes(
            (here / f"photos/{name}/000.png").read_bytes()
        )
    assert run(["data", "split", "photos", "-o", "part.csv", "--folds", "3"]) == 0
    assert (
        "6 images are 3 groups that stay together: copies, near duplicates, or by --group-column"
        in capsys.readouterr().err
    )
    lines = dict(line.split(",", 1) for line in (here / "part.csv").read_text().splitlines())
    assert lines["circle/copy.png"] == lines["circle/000.png"]
    assert run(["data", "split", "photos", "-o", "b.csv", "--folds", "3", "--ignore-copies"]) == 0
    assert "stay together" not in capsys.readouterr().err


def test_images_that_are_not_there_are_told(here, capsys):
    (here / "a.csv").write_text("path,class\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(8)))
    assert run(["data", "split", "a.csv", "-o", "b.csv", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "warning: 8 of 8 images are missing, such as '0', '1', '2', …\n    no copies of" in err
    assert "    if they are somewhere else: --images DIR" in err
    found = json.loads(out)
    assert found["unreadable"] == {"missing": 8}
    assert found["parts"]["test"] == {"images": 2, "classes": {"a": 1, "b": 1}}
    assert found["seed"] == 42


def test_broken_images_are_told_from_missing_ones(here, capsys):
    (here / "photos/circle/empty.png").write_bytes(b"")
    whole = (here / "photos/circle/000.png").read_bytes()
    (here / "photos/square/cut.png").write_bytes(whole[: len(whole) // 2])
    command = ["data", "split", "photos", "-o"]
    assert run([*command, "part.csv"]) == 0
    err = capsys.readouterr().err
    told = "warning: 2 of 17 images cannot be read, namely 'circle/empty.png', 'square/cut.png': "
    assert told + "1 empty, 1 cut off\n" in err
    assert "they stay in what is written: training will\n    quarantine them" in err
    assert "--images" not in err
    assert "missing" not in err
    assert "circle/empty.png" in (here / "part.csv").read_text()
    assert run([*command, "exact.csv", "--ignore-near"]) == 0
    assert "cannot be read" not in capsys.readouterr().err  # what decodes nothing knows of nothing


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
    assert "--group-column: expected no such option with a folder" in capsys.readouterr().err


def test_only_a_column_of_groups_that_is_not_named_is_told_of(here, capsys):
    rows = [f"{n}/{k:03}.png,{n},{k % 4}" for n in ("circle", "square") for k in range(5)]
    (here / "a.csv").write_text("path,class,patient\n" + "\n".join(rows))
    command = ["data", "split", "a.csv", "--images", "photos", "--folds", "2", "-o"]
    assert run([*command, "b.csv"]) == 0
    told = "nothing is read from the column 'patient': --group-column would use it"
    assert told in capsys.readouterr().err
    assert run([*command, "c.csv", "--group-column", "patient"]) == 0
    assert "patient': " not in capsys.readouterr().err


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
    assert 'images: photos, separator: ";", split_column: split}' in capsys.readouterr().err
    assert "circle/001.png,a;b|c,t" in (here / "b.csv").read_text()
