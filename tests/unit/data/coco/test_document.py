"""A COCO file is refused with the place of what is wrong."""

import json
import re

import pytest

from fivefold.core.errors import DataError
from fivefold.data.coco.document import read_document
from fivefold.data.coco.labelled import read_labelled


def test_entries_come_with_their_places(write):
    document = read_document(write([(0, 1), (1, 4)]))
    assert [image.name for image in document.images] == ["0.png", "1.png", "2.png", "3.png"]
    assert [(a.image_id, a.category_id) for a in document.annotations] == [(0, 1), (1, 4)]
    assert document.categories[0].supercategory == "dog"


def test_a_path_counts_before_a_file_name(write):
    path = write([(0, 1)], images=[{"id": 0, "file_name": "0.png", "path": "other/0.png"}])
    assert read_document(path).images[0].name == "other/0.png"


def test_a_byte_order_mark_is_no_mistake(write):
    path = write([(0, 1)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_document(path).images) == 4


def test_a_box_or_polygon_without_an_area_is_about_the_whole_image(write):
    forms = [
        {"bbox": [0, 0, 0, 0]},
        {"bbox": [5, 5, 0, 3]},
        {"segmentation": []},
        {"segmentation": [[1, 1, 1, 1]]},
        {},
    ]
    path = write([{"image_id": 0, "category_id": 1} | form for form in forms])
    assert [a.box for a in read_document(path).annotations] == [None] * 5


def test_polygons_and_masks_have_the_box_around_them(write):
    forms = [
        {"segmentation": [[2, 3, 6, 3, 6, 9], [1, 4, 2, 5, 3, 4]]},
        {"segmentation": {"size": [20, 30], "counts": [0, 600]}},
    ]
    path = write([{"image_id": 0, "category_id": 1} | form for form in forms])
    boxes = [a.box for a in read_document(path).annotations]
    assert boxes == [(1, 3, 5, 6), (0, 0, 30, 20)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"image_id": True, "category_id": 1}, "image_id: expected the id of an image, got True"),
        ({"image_id": 0.0, "category_id": 1}, "image_id: expected the id of an image, got 0.0"),
        ({"image_id": "0", "category_id": 1}, "image_id: expected the id of an image, got '0'"),
        ({"category_id": 1}, "image_id: expected the id of an image, got nothing"),
        (
            {"image_id": 0, "category_id": 1, "bbox": [0, 0, 1]},
            "bbox: expected [left, top, width, height] in pixels, got nothing",
        ),
        (
            {"image_id": 0, "category_id": 1, "segmentation": ["a"]},
            "segmentation: expected polygons, or a mask in run lengths, got ['a']",
        ),
        (
            {"image_id": 0, "category_id": 1, "bbox": [0, 0, float("nan"), 1]},
            "bbox: expected [left, top, width, height] in pixels, got nan",
        ),
    ],
)
def test_an_entry_of_the_wrong_kind_is_named_with_its_line(write, entry, said):
    path = write([(0, 1), entry])
    line = path.read_text().splitlines().index(' "annotations": [') + 13
    with pytest.raises(DataError, match=re.escape(f"{path}:{line}: annotations[1].{said}")):
        read_document(path)


def test_many_wrong_entries_are_told_at_once(write):
    path = write([{"image_id": None, "category_id": 1}] * 12)
    with pytest.raises(DataError, match="12 entries cannot be used") as error:
        read_document(path)
    assert error.value.slug == "data/coco-entry"
    assert f"{path}: 12 entries cannot be used:\n  {path}:21: annotations[0]" in str(error.value)
    assert str(error.value).count(f"\n  {path}:") == 10
    assert "\n  and 2 more" in str(error.value)


def test_what_is_not_json_is_told_with_line_and_column(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text('{"images": [\n  {"id": 1')
    with pytest.raises(DataError, match=r"expected JSON, got .* line 2 column 10") as error:
        read_document(path)
    assert error.value.slug == "data/not-json"


@pytest.mark.parametrize("text", ["[]", '"x"', "{}", '{"images": {}}', '{"images": []}'])
def test_json_of_another_kind_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(DataError, match="expected a COCO file with the lists") as error:
        read_document(path)
    assert error.value.slug == "data/not-coco"


def test_deep_nesting_is_refused_quickly(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text('{"images": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(DataError, match="recursion limit"):
        read_document(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="expected a readable COCO file, got") as error:
        read_document(tmp_path / "no.json")
    assert error.value.slug == "data/missing-coco"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d["annotations"].append({"image_id": 99, "category_id": 1}),
            "annotations[1].image_id: expected the id of one of the images, got 99",
        ),
        (
            lambda d: d["annotations"].append({"image_id": 0, "category_id": 99}),
            "annotations[1].category_id: expected the id of one of the categories, got 99",
        ),
        (
            lambda d: d["annotations"].append({"image_id": 0}),
            "annotations[1]: expected a `category_id`, got neither that nor a caption",
        ),
        (
            lambda d: d["images"].append({"id": 0, "file_name": "again.png"}),
            "images[4].id: expected each id once, got 0 as in images[0]",
        ),
        (
            lambda d: d["images"].append({"id": 9, "file_name": "0.png"}),
            "images[4].file_name: expected each file once, got '0.png' as in images[0]",
        ),
        (
            lambda d: d["images"].append({"id": 9}),
            "images[4]: expected a `file_name` or a `path`, got neither",
        ),
        (
            lambda d: d["categories"].append({"id": 1, "name": "poodle"}),
            "categories[6].id: expected each id once, got 1 as in categories[0]",
        ),
        (
            lambda d: d["annotations"].append(dict(d["annotations"][0])),
            "annotations[1].id: expected each id once, got 0 as in annotations[0]",
        ),
    ],
)
def test_entries_that_contradict_each_other_are_named(write, change, said):
    path = write([(0, 1)])
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=1))
    with pytest.raises(DataError, match=re.escape(said)) as error:
        read_labelled(path)
    assert error.value.slug == "data/coco-entry"


def test_a_file_without_images_or_categories_is_refused(write):
    for path in (write([], images=0), write([], categories=[])):
        with pytest.raises(DataError, match="expected images and at least one category, got"):
            read_labelled(path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400])
def test_a_polygon_with_what_is_no_place_is_refused(write, number):
    nowhere = {"image_id": 0, "category_id": 1, "segmentation": [[0, 0, number, 0, 1, 1]]}
    with pytest.raises(DataError, match=r"annotations\[0\].segmentation: expected polygons"):
        read_document(write([nowhere]))


def test_a_box_that_is_wrong_on_two_sides_is_told_once(write):
    with pytest.raises(DataError, match=r"annotations\[0\].bbox: expected \[left") as error:
        read_document(write([{"image_id": 0, "category_id": 1, "bbox": [0, 0, None, None]}]))
    assert "entries" not in str(error.value)
    assert error.value.slug == "data/coco-entry"
