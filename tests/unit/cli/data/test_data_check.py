import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fivefold.cli.app import run


def photo(seed, size=(160, 120)):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (10, 14, 3), dtype=np.uint8)
    large = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)).astype(int)
    noisy = large + rng.integers(-25, 26, large.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for k in range(8):
            photo(100 * number + k).save(root / name / f"{k}.png")
    return root


def spoil(root):
    photo(50).filter(ImageFilter.GaussianBlur(6)).save(root / "cat" / "blurred.png")
    Image.eval(photo(51), lambda v: v // 20).save(root / "cat" / "night.png")
    photo(52).save(root / "cat" / "misnamed.jpg", "PNG")
    (root / "dog" / "empty.png").write_bytes(b"")
    shutil.copy(root / "dog" / "0.png", root / "dog" / "copy.png")
    shutil.copy(root / "dog" / "1.png", root / "cat" / "both.png")
    photo(101).resize((100, 75)).save(root / "dog" / "small.png")


def checked(root, *options, capsys):
    code = run(["data", "check", str(root), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_every_finding_is_there_with_its_samples(photos, capsys):
    spoil(photos)
    code, found = checked(photos, capsys=capsys)
    ids = {one["name"]: one["ids"] for one in found["findings"]}
    assert code == 0
    assert ids["blurred"] == ["cat/blurred.png"]
    assert ids["dark"] == ["cat/night.png"]
    assert ids["misnamed"] == ["cat/misnamed.jpg"]
    assert ids["empty"] == ["dog/empty.png"]
    assert ids["copies"] == ["dog/0.png", "dog/copy.png"]
    assert ids["label_conflict"] == ["cat/both.png", "dog/1.png"]
    assert (found["listed"], found["used"], found["quarantined"]) == (23, 20, 3)


def test_good_data_have_no_finding(photos, capsys):
    code, found = checked(photos, capsys=capsys)
    assert (code, found["findings"], found["refusals"]) == (0, [], [])
    assert run(["data", "check", str(photos)]) == 0
    assert "nothing is wrong" in capsys.readouterr().err


def test_pictures_and_a_list_are_written_only_where_asked(photos, tmp_path, capsys):
    spoil(photos)
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "found"
    assert run(["data", "check", str(photos), "-o", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert {"check.json", "blurred.png", "copies.png", "empty.png", "label_conflict.png"} <= names
    with Image.open(out / "blurred.png") as sheet:
        assert sheet.width > 500
    assert sorted(p for p in tmp_path.rglob("*") if out not in (p, *p.parents)) == before
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(["data", "check", str(photos), "-o", str(out)]) == 2
    assert "expected a new or an empty folder" in capsys.readouterr().err
    assert run(["data", "check", str(photos), "-o", str(out), "--force"]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_what_training_refuses_ends_with_3(photos, capsys):
    for path in list((photos / "dog").iterdir())[2:]:
        path.unlink()
    code, found = checked(photos, capsys=capsys)
    assert code == 3
    assert "class 'dog' has 2 samples" in found["refusals"][0]


def test_headers_tell_formats_but_no_copies(photos, capsys):
    spoil(photos)
    _, found = checked(photos, "--headers-only", capsys=capsys)
    assert {one["name"] for one in found["findings"]} == {"empty", "misnamed"}
    assert found["headers_only"]


def test_what_the_listing_warns_of_is_not_called_nothing(photos, capsys):
    photo(900).save(photos / "cat" / "é.png")
    photo(901).save(photos / "cat" / "e\u0301.png")
    assert run(["data", "check", str(photos)]) == 0
    told = "".join(capsys.readouterr())
    assert "warning: 1 name differs from another one only in case or Unicode form" in told
    assert "nothing is wrong" not in told


def test_a_misspelled_class_is_told(photos, capsys):
    (photos / "doog").mkdir()
    shutil.move(photos / "cat", photos / "doggy")
    for k in range(30):
        photo(500 + k, (20, 20)).save(photos / "doggy" / f"more{k}.png")
    shutil.move(photos / "doog", photos / "dogy")
    for k in range(5):
        photo(700 + k).save(photos / "dogy" / f"{k}.png")
    _, found = checked(photos, capsys=capsys)
    slips = [one for one in found["findings"] if one["name"] == "misspelled"]
    assert slips[0]["examples"] == ["'dogy': did you mean 'doggy'?"]


def test_nothing_there_is_told(tmp_path, capsys):
    assert run(["data", "check", str(tmp_path / "none")]) == 3
    assert "got nothing" in capsys.readouterr().err


def test_images_beside_a_folder_are_refused(photos, capsys):
    assert run(["data", "check", str(photos), "--images", str(photos)]) == 2
    assert "--images: expected no such option with a folder" in capsys.readouterr().err


def test_where_the_pictures_are_is_told(photos, tmp_path, capsys):
    spoil(photos)
    out = tmp_path / "found"
    assert run(["data", "check", str(photos)]) == 0
    assert "-o DIR draws them" in capsys.readouterr().err
    assert run(["data", "check", str(photos), "-o", str(out)]) == 0
    told = capsys.readouterr().err
    assert f"{out}: check.json names every image; contact sheets: empty.png" in told


def test_a_config_says_how_many_folds_there_are_and_what_near_is(photos, tmp_path, capsys):
    photo(101).resize((100, 75)).save(photos / "dog" / "small.png")
    config = tmp_path / "run" / "config.yaml"
    config.parent.mkdir()
    text = "architecture: resnet18\nshape: [64, 64, 3]\nstages: [{epochs: 1}]\n"
    config.write_text(f"{text}dataset: {{folder: ../photos}}\nfolds_count: 9\n")
    code, found = checked(config.parent, capsys=capsys)
    assert code == 3
    assert "class 'cat' has 8 samples, 9 folds need at least 9" in found["refusals"][0]
    code, found = checked(config, "--set", "folds_count=4", capsys=capsys)
    (near,) = found["findings"]
    assert (code, near["name"], near["ids"]) == (
        0,
        "near_duplicates",
        ["dog/1.png", "dog/small.png"],
    )
    settings = ("--set", "folds_count=4", "--set", "near_duplicates=off")
    assert checked(config, *settings, capsys=capsys)[1]["findings"] == []
    assert [path.name for path in config.parent.iterdir()] == ["config.yaml"]


def test_near_duplicates_are_found_in_what_training_would_refuse(photos, capsys):
    (photos / "cow").mkdir()
    photo(101).resize((100, 75)).save(photos / "dog" / "small.png")
    photo(900).save(photos / "cow" / "only.png")
    code, found = checked(photos, capsys=capsys)
    assert code == 3
    assert [one["name"] for one in found["findings"]] == ["near_duplicates"]


def test_a_class_is_absent_from_folds_if_its_images_are_one_picture(photos, capsys):
    (photos / "cow").mkdir()
    for k, side in enumerate((160, 140, 128, 120, 104)):
        photo(900).resize((side, side * 3 // 4)).save(photos / "cow" / f"{k}.png")
    code, found = checked(photos, capsys=capsys)
    absent, near, unseen = sorted(found["findings"], key=lambda one: one["name"])
    assert (code, absent["name"], absent["count"]) == (0, "absent_class", 1)
    assert (unseen["name"], unseen["examples"][0][:14]) == ("unseen_class", "'cow' in fold ")
    assert absent["examples"][0].startswith("'cow' in folds ")
    assert len(absent["examples"][0].split(", ")) == 4
    assert near["ids"] == [f"cow/{k}.png" for k in range(5)]


def coco_of(root):
    """Write a COCO file about photographs; one annotation is of an image that is not listed."""
    names = [f"{name}/{k}.png" for name in ("cat", "dog") for k in range(8)]
    images = [
        {"id": k, "file_name": name, "width": 160, "height": 120} for k, name in enumerate(names)
    ]
    labels = [{"id": k, "image_id": k, "category_id": 1 + (k > 7)} for k in range(16)]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    document = {"images": images, "annotations": labels, "categories": categories}
    path = root.parent / "photos.json"
    path.write_text(json.dumps(document))
    return path


def test_a_coco_file_is_checked(photos, capsys):
    (photos / "dog" / "3.png").write_bytes(b"")
    code, found = checked(coco_of(photos), "--images", str(photos), capsys=capsys)
    assert (code, found["used"], found["quarantined"]) == (0, 15, 1)
    (empty,) = found["findings"]
    assert (empty["name"], empty["ids"]) == ("empty", ["dog/3.png"])


def test_nothing_is_written_among_the_images(photos, capsys):
    assert run(["data", "check", str(photos), "-o", str(photos / "found")]) == 2
    assert "expected a place apart from the images, got one inside" in capsys.readouterr().err
    assert not (photos / "found").exists()
