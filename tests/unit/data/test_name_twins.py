"""Names that some systems take for one file."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fivefold.data.coco import CocoSource
from fivefold.data.folder import FolderSource
from fivefold.data.name_twins import told_twins


def test_of_many_the_first_two_are_shown_whatever_the_process_hashes():
    names = [f"{letter}{k}.png" for letter in "baAB" for k in range(20)]
    (warning,) = told_twins(names, lambda a, b: f"lines {a} and {b}")
    assert warning.startswith("40 names differ from others only in case")
    assert warning.endswith("such as 'b0.png' and 'B0.png' (lines 0 and 60)")


def test_forms_that_look_the_same_are_shown_by_their_signs():
    (warning,) = told_twins(["é.png", "e\u0301.png"])
    assert warning.endswith(r"such as '\xe9.png' and 'e\u0301.png'")


@given(st.lists(st.text("aAbé\u00c9e\u0301", max_size=3), unique=True))
def test_every_further_name_of_a_kind_counts(names):
    kinds = {unicodedata.normalize("NFC", name).casefold() for name in names}
    count = len(names) - len(kinds)
    told = told_twins(names)
    assert len(told) == bool(count)
    assert not told or told[0].startswith(f"{count} name")


@pytest.mark.parametrize("pair", [("\u00e9.png", "e\u0301.png"), ("a.png", "A.png")])
def test_folders_and_coco_files_tell_them(tmp_path, pair):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "photos" / name / "1.png")
    for name in pair:
        Image.new("RGB", (4, 4)).save(tmp_path / "photos" / "cat" / name)
    (told,) = FolderSource(tmp_path / "photos").warnings
    assert told.startswith("1 name differs from another one only in case or Unicode form, such as")
    images = [{"id": k, "file_name": f"photos/cat/{name}"} for k, name in enumerate(pair)]
    labels = [{"image_id": k, "category_id": 1} for k in range(2)]
    document = {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "x"}]}
    (tmp_path / "coco.json").write_text(json.dumps(document))
    assert "1 name differs from another one" in CocoSource(tmp_path / "coco.json").warnings[0]
