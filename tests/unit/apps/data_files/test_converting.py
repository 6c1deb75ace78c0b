import csv
import json
import string
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import draw_folders

from fivefold.apps.data_files.converting import write_as_named
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.experiment.named_data import Reading, open_data


def converted(path, output, reading=None, **options):
    opened = open_data(path, reading or Reading())
    every = np.ones(len(opened.source), dtype=bool)
    return write_as_named(opened, every, output, progress=Silent(), **options)


def said(source):
    """Collect what a source says: each image's classes by name."""
    names = np.asarray(source.labels[0].class_names, dtype=object)
    targets = [source.target(k) for k in range(len(source))]
    found = {i: set(names[t > 0]) for i, t in zip(source.sample_ids, targets, strict=True)}
    return dict(sorted(found.items()))


@pytest.fixture
def photos(tmp_path):
    return draw_folders(tmp_path / "photos", 2)


def test_a_folder_goes_through_all_forms_and_comes_back(photos, tmp_path):
    converted(photos, tmp_path / "a.json")
    converted(tmp_path / "a.json", tmp_path / "b.csv", Reading(images=photos))
    converted(tmp_path / "b.csv", tmp_path / "back", Reading(images=photos))
    before, after = (
        open_data(photos, Reading()).source,
        open_data(tmp_path / "back", Reading()).source,
    )
    assert said(before) == said(after)
    assert before.labels == after.labels
    for name in before.sample_ids:
        assert (tmp_path / "back" / name).read_bytes() == (photos / name).read_bytes()


def test_a_coco_file_has_sizes_and_labels_without_an_area(photos, tmp_path):
    written = converted(photos, tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["images"][0] == {
        "id": 1,
        "file_name": "circle/000.png",
        "width": 32,
        "height": 32,
    }
    assert found["annotations"][-1]["category_id"] == 3
    assert found["annotations"][-1]["bbox"] == [0, 0, 0, 0]
    assert [c["name"] for c in found["categories"]] == ["circle", "square", "triangle"]
    assert written.section == "dataset: {coco: a.json, images: photos}"


NAME = st.text(string.ascii_letters + string.digits + " ,;|$\"'é中#%", min_size=1, max_size=6)
CLASS = NAME.filter(lambda name: name == name.strip())
IMAGE = NAME.map(lambda name: f"x{name}.png")


@settings(deadline=None, max_examples=40)
@given(
    labels=st.dictionaries(IMAGE, st.sets(CLASS, max_size=3), min_size=1, max_size=6),
    more=CLASS,
)
def test_nothing_is_lost_between_a_table_and_a_coco_file(labels, more):
    labels = {**labels, "z.png": {more}}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = sorted(set().union(*labels.values()))
        document = {
            "images": [{"id": k, "file_name": i} for k, i in enumerate(labels)],
            "annotations": [
                {"image_id": k, "category_id": names.index(name)}
                for k, own in enumerate(labels.values())
                for name in own
            ],
            "categories": [{"id": k, "name": name} for k, name in enumerate(names)],
        }
        (root / "a.json").write_text(json.dumps(document))
        for image in labels:
            (root / image).touch()
        written = converted(root / "a.json", root / "b.csv")
        sign = (
            None
            if "separator" not in written.section
            else json.loads("{" + written.section.partition("separator: ")[2].join(['"s": ', ""]))[
                "s"
            ]
        )
        converted(root / "b.csv", root / "c.json", Reading(separator=sign))
        first, last = (open_data(root / name, Reading()).source for name in ("a.json", "c.json"))
        assert said(first) == said(last) == dict(sorted(labels.items()))
        assert first.labels == last.labels


def test_a_table_keeps_its_other_columns_and_gets_the_sign_that_is_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("n,path,tags\n1,x.png,a|b\n2,y.png,a\n3,z.png,\n")
    written = converted(
        tmp_path / "a.csv", tmp_path / "b.csv", Reading(separator="|"), separator="$"
    )
    with (tmp_path / "b.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["n", "path", "tags"],
        ["1", "x.png", "a$b"],
        ["2", "y.png", "a"],
        ["3", "z.png", ""],
    ]
    assert written.section == 'dataset: {csv: b.csv, separator: "$"}'


def test_columns_that_have_no_place_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("n,path,tag\n1,x.png,a\n2,y.png,b\n")
    written = converted(tmp_path / "a.csv", tmp_path / "b.json")
    assert written.warnings == ("a COCO file has no place for the columns n",)


def test_a_class_without_images_is_named(tmp_path):
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "category_id": 1}],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    written = converted(tmp_path / "a.json", tmp_path / "b.csv")
    assert written.warnings == ("no image has the class 'b'",)


@pytest.mark.parametrize("link", ["copy", "hard", "symbolic"])
def test_files_come_into_a_new_folder_as_asked(photos, tmp_path, link):
    converted(photos, tmp_path / "new", link=link)
    before, after = photos / "circle/000.png", tmp_path / "new/circle/000.png"
    assert after.read_bytes() == before.read_bytes()
    assert after.is_symlink() == (link == "symbolic")
    assert (after.stat().st_ino == before.stat().st_ino) == (link != "copy")
    assert not list(tmp_path.glob(".tmp-*"))


def test_ids_of_a_table_get_their_endings(photos, tmp_path):
    (tmp_path / "a.csv").write_text("id,label\ncircle/000,one\nsquare/001,two\n")
    converted(tmp_path / "a.csv", tmp_path / "new", Reading(images=photos))
    found = sorted(
        p.relative_to(tmp_path / "new").as_posix() for p in (tmp_path / "new").rglob("*.png")
    )
    assert found == ["one/circle/000.png", "two/square/001.png"]
    converted(tmp_path / "a.csv", tmp_path / "a.json", Reading(images=photos))
    assert '"file_name": "circle/000.png"' in (tmp_path / "a.json").read_text()


def refused(kind, path, output, reading=None, **options):
    before = sorted(p.name for p in output.parent.iterdir())
    with pytest.raises(kind) as caught:
        converted(path, output, reading, **options)
    assert sorted(p.name for p in output.parent.iterdir()) == before
    return str(caught.value), getattr(caught.value, "problems", [caught.value])[0].slug


def test_a_folder_with_something_in_it_stays_as_it_is(photos, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine").touch()
    text, slug = refused(ConfigError, photos, tmp_path / "new")
    assert "expected a new folder, got one with something in it" in text
    assert slug == "cli/output-exists"


def test_a_folder_among_the_images_is_refused(photos):
    text, slug = refused(ConfigError, photos, photos / "new")
    assert "expected a folder apart from the images, got one inside" in text
    assert slug == "cli/output-in-data"


def test_images_of_several_classes_have_no_folder(photos, tmp_path):
    (tmp_path / "a.csv").write_text("path,tags\ncircle/000.png,a|b\nsquare/001.png,a\n")
    text, slug = refused(
        DataError, tmp_path / "a.csv", tmp_path / "new", Reading(images=photos, separator="|")
    )
    assert "circle/000.png: expected one class for a folder of classes, got a and b" in text
    assert slug == "data/several-labels"


def test_files_that_are_not_there_are_named_before_any_is_copied(photos, tmp_path):
    (tmp_path / "a.csv").write_text("path,tag\ncircle/000.png,a\nno.png,b\n")
    text, slug = refused(DataError, tmp_path / "a.csv", tmp_path / "new", Reading(images=photos))
    assert "expected a file for each image, got none for 1: 'no.png'" in text
    assert slug == "data/missing-file"


@pytest.mark.parametrize("name", [".hidden", "a/b", "x" * 300])
def test_a_class_that_names_no_folder_is_refused(photos, tmp_path, name):
    (tmp_path / "a.csv").write_text(f"path,tag\ncircle/000.png,{name}\nsquare/000.png,b\n")
    text, slug = refused(DataError, tmp_path / "a.csv", tmp_path / "new", Reading(images=photos))
    assert "expected classes that a folder can be named after" in text
    assert slug == "data/class-name"


def test_a_name_that_a_listing_leaves_out_is_refused(photos, tmp_path):
    (photos / "circle/a.txt").write_bytes(b"x")
    (tmp_path / "a.csv").write_text("path,tag\ncircle/a.txt,a\nsquare/000.png,b\n")
    text, slug = refused(DataError, tmp_path / "a.csv", tmp_path / "new", Reading(images=photos))
    assert "expected names that a listing of a folder takes, got 'a/circle/a.txt'" in text
    assert slug == "data/name-left-out"


def test_names_with_blanks_around_them_are_not_put_into_a_table(photos, tmp_path):
    (photos / "circle/ b.png ").write_bytes(b"x")
    text, slug = refused(DataError, photos, tmp_path / "a.csv")
    assert slug != "data/name-not-text" or "without blanks around them" in text
    (photos / " c").mkdir()
    (photos / " c/a.png").touch()
    text, slug = refused(DataError, photos, tmp_path / "a.csv")
    assert "expected classes whose names begin and end with a sign, got ' c'" in text


def test_another_disk_takes_no_hard_links(photos, tmp_path, monkeypatch):
    def link(source, target):
        raise OSError(18, "Invalid cross-device link", source)

    monkeypatch.setattr("os.link", link)
    text, slug = refused(ConfigError, photos, tmp_path / "new", link="hard")
    assert "hard links stay on one disk: use --link copy" in text
    assert slug == "cli/link"


def test_a_name_that_is_no_text_is_not_put_into_a_coco_file(photos, tmp_path):
    (photos / "circle/\udcff.png").touch()
    text, slug = refused(DataError, photos, tmp_path / "a.json")
    assert "expected names in UTF-8" in text
    assert slug == "data/name-not-text"


def test_an_output_says_by_its_name_what_it_is(photos, tmp_path):
    text, slug = refused(ConfigError, photos, tmp_path / "a.xml")
    assert "expected a name such as x.csv, x.json or x for a folder, got 'a.xml'" in text
    assert slug == "cli/output-name"
