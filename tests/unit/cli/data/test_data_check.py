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
