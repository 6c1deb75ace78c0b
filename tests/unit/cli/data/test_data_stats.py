import json

import pytest
from PIL import Image

from fivefold.cli.app import run


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for name, count, size in (("cat", 6, (30, 20)), ("dog", 2, (50, 40))):
        (root / name).mkdir(parents=True)
        for k in range(count):
            Image.new("RGB", size, (k, 0, 0)).save(root / name / f"{k}.png")
    (root / "dog" / "empty.jpg").write_bytes(b"")
    return root


def test_classes_sizes_formats_and_imbalance_are_counted(photos, capsys):
    assert run(["data", "stats", str(photos), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["unusable"], found["imbalance"]) == (8, 1, 3.0)
    assert found["outputs"] == [{"name": "", "classes": {"cat": 6, "dog": 2}}]
    assert found["pixels"]["width"] == {"min": 30, "median": 30, "max": 50}
    assert found["formats"] == {"PNG": 8}


def test_a_table_is_shown_and_a_picture_drawn(photos, tmp_path, capsys):
    picture = tmp_path / "classes.png"
    command = ["data", "stats", str(photos), "-o", str(picture)]
    assert run(command) == 0
    told = capsys.readouterr()
    assert "cat" in told.out
    assert "75.0%" in told.out
    assert "3 times the smallest" in told.err
    assert "8 images, 1 that cannot be used as far as headers tell: `fivefold data ch" in told.err
    with Image.open(picture) as drawn:
        assert drawn.width > 600
    assert run(command) == 2
    assert "expected a name that is free" in capsys.readouterr().err
    assert run([*command, "--force"]) == 0


def test_a_coco_file_is_counted(photos, tmp_path, capsys):
    names = ["cat/0.png", "cat/1.png", "dog/0.png"]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(names)],
        "annotations": [{"id": k, "image_id": k, "category_id": k // 2} for k in range(3)],
        "categories": [{"id": k, "name": name} for k, name in enumerate(("cat", "dog"))],
    }
    (tmp_path / "three.json").write_text(json.dumps(document))
    command = ["data", "stats", str(tmp_path / "three.json"), "--images", str(photos), "--json"]
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["imbalance"]) == (3, 2.0)
    assert found["outputs"][0]["classes"] == {"cat": 2, "dog": 1}


def test_the_data_of_a_config_are_counted(photos, tmp_path, capsys):
    config = tmp_path / "run" / "config.yaml"
    config.parent.mkdir()
    text = "architecture: resnet18\nstages: [{epochs: 1}]\ndataset: {folder: ../photos}\n"
    config.write_text(text)
    for named in (config, config.parent):
        assert run(["data", "stats", str(named), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["images"] == 8
    assert [path.name for path in config.parent.iterdir()] == ["config.yaml"]


def test_data_without_an_image_that_can_be_used_are_refused(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("path,class\na.png,cat\nb.png,dog\n")
    assert run(["data", "stats", str(tmp_path / "t.csv")]) == 3
    assert "expected at least 1 usable image of 2 listed, got 0: 2 missing" in (
        capsys.readouterr().err
    )


def test_no_picture_is_drawn_among_the_images(photos, capsys):
    picture = photos / "cat" / "classes.png"
    assert run(["data", "stats", str(photos), "-o", str(picture)]) == 2
    assert "expected a place apart from the images, got one inside" in capsys.readouterr().err
    assert not picture.exists()
