"""Images and boxes of a COCO file are samples."""

import json

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.core.progress import Silent
from fivefold.data.audit_reading import read_headers
from fivefold.data.coco import CocoBoxes, CocoSource
from fivefold.data.image_problem import ImageProblem


def targets(source):
    return [source.target(i).tolist() for i in range(len(source))]


def class_names(source):
    return source.labels[0].class_names


def test_two_annotations_are_two_labels(write):
    source = CocoSource(write([(0, 1), (0, 4), (1, 4)], images=2), level=1)
    assert class_names(source) == ("cat", "dog")
    assert not source.labels[0].exclusive
    assert targets(source) == [[1, 1], [1, 0]]


def test_one_label_each_excludes_the_others(write):
    source = CocoSource(write([(0, 1), (1, 4)], images=2), level=1)
    assert source.labels[0].exclusive
    assert source.sample_ids == ("0.png", "1.png")


def test_a_category_outside_the_map_drops_the_label_and_not_the_image(write):
    source = CocoSource(write([(0, 1), (1, 4), (2, 6)], images=3), category_map={1: 0, 4: 1})
    assert targets(source) == [[1, 0], [0, 1], [0, 0]]
    assert source.warnings[0].endswith("1 annotations have no class: they label nothing")
    assert source.warnings[1] == "1 image has no label: kept, with none of the classes true"


def test_background_is_true_where_nothing_else_is(write):
    path = write([(0, 1), (0, 2), (1, 1)], images=3)
    source = CocoSource(path, category_map={1: "none", 2: "crack"}, background="none")
    assert class_names(source) == ("crack", "none")
    assert targets(source) == [[1, 0], [0, 1], [0, 1]]
    assert source.labels[0].exclusive
    assert source.warnings == ()


def test_a_background_that_the_file_lacks_becomes_the_first_class(write):
    source = CocoSource(write([(0, 1)], images=2), category_map={1: "crack"}, background="none")
    assert class_names(source) == ("none", "crack")
    assert targets(source) == [[0, 1], [1, 0]]


def test_captions_are_labels_where_there_are_no_categories(write):
    captions = [{"image_id": 0, "caption": "crack, root"}, {"image_id": 1, "caption": "root"}]
    source = CocoSource(write(captions, images=2, categories=[]))
    assert class_names(source) == ("crack", "root")
    assert targets(source) == [[1, 1], [0, 1]]
    assert "labels are captions" in source.warnings[0]


def test_captions_of_another_type_are_no_labels(write):
    captions = [
        {"image_id": 0, "caption": "crack", "type": "class_labels"},
        {"image_id": 1, "caption": "a long text", "type": "remark"},
    ]
    source = CocoSource(write(captions, images=2, categories=[]))
    assert class_names(source) == ("crack",)
    assert targets(source) == [[1], [0]]


def test_boxes_with_an_area_have_to_be_asked_for(write):
    path = write([{"image_id": 0, "category_id": 1, "bbox": [1, 2, 10, 12]}, (1, 4)], images=2)
    with pytest.raises(DataError, match=r"without an area, got 1 with one\n.*crops") as error:
        CocoSource(path)
    assert error.value.slug == "data/boxes"
    assert targets(CocoSource(path, boxes="labels", level=1)) == [[0, 1], [1, 0]]


def test_a_second_file_is_validated_on(write):
    train = write([(0, 1), (1, 4)], images=2)
    images = [{"id": 0, "file_name": "other.png"}]
    val = write([(0, 2)], images=images, name="val.json")
    source = CocoSource(train, validation=val, category_map={1: "dog", 2: "dog", 4: "cat"})
    assert targets(source) == [[0, 1], [1, 0], [0, 1]]
    assert [list(map(list, pair)) for pair in source.fold_lists] == [[[0, 1], [2]]]


def test_an_image_of_both_files_is_refused(write):
    train, val = write([(0, 1)], images=1), write([(0, 1)], images=1, name="val.json")
    with pytest.raises(DataError, match=r"expected each image once, got '0.png' twice") as error:
        CocoSource(train, validation=val)
    assert error.value.slug == "data/duplicate-id"


def test_a_class_that_training_never_saw_is_refused(write):
    cats = [{"id": 1, "name": "cat"}]
    train = write([(0, 1)], images=1, categories=cats)
    images = [{"id": 0, "file_name": "other.png"}]
    both = [*cats, {"id": 2, "name": "dog"}]
    val = write([(0, 2)], images=images, categories=both, name="val.json")
    with pytest.raises(DataError, match=r"val.json: expected .* has too, got 'dog'") as error:
        CocoSource(train, validation=val)
    assert error.value.slug == "data/unseen-class"


OUTSIDE = [
    "../secret.png",
    "a/../../secret.png",
    "/etc/passwd",
    "C:\\secret.png",
    "C:/secret.png",
    "\\\\host\\share\\x.png",
    "..",
    "x/..",
    "link/secret.png",
    "0.png\0.jpg",
]


@pytest.mark.parametrize("key", ["file_name", "path"])
@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_the_folder_is_read(write, tmp_path, name, key):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "link").symlink_to(tmp_path, target_is_directory=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    path = write([(0, 1)], images=[{"id": 0, "file_name": "a.png"} | {key: name}])
    with pytest.raises(UnsafeInputError, match="paths that lead out of it") as error:
        CocoSource(path, tmp_path / "images")
    assert error.value.slug == "unsafe/outside-folder"


@pytest.mark.parametrize("name", ["%2e%2e/secret.png", "....//x.png", "http://host/x.png", "~/x"])
def test_names_that_mean_nothing_are_files_that_are_not_there(write, tmp_path, name):
    source = CocoSource(write([(0, 1)], images=[{"id": 0, "file_name": name}]))
    with pytest.raises(ImageProblem, match="there is no such file"):
        source.image(0)


def test_an_absolute_path_inside_the_folder_is_named_from_there(write, tmp_path):
    path = write([(0, 1)], images=1)
    document = json.loads(path.read_text())
    document["images"][0]["path"] = str(tmp_path / "0.png")
    path.write_text(json.dumps(document))
    assert CocoSource(path).sample_ids == ("0.png",)


def test_boxes_are_cut_out_and_stay_with_their_image(write):
    boxes = [
        {"id": 7, "image_id": 0, "category_id": 1, "bbox": [2, 3, 10, 12]},
        {"id": 8, "image_id": 0, "category_id": 4, "bbox": [0, 0, 9, 9]},
        {"id": 9, "image_id": 1, "category_id": 4, "bbox": [0, 0, 3, 9]},
        {"id": 10, "image_id": 1, "category_id": 4, "bbox": [0, 0, 0, 0]},
    ]
    source = CocoBoxes(write(boxes, images=2), level=1)
    assert source.sample_ids == ("0.png#7", "0.png#8")
    assert source.groups == ("0.png", "0.png")
    assert source.excluded == (("1.png#9", "small-box"), ("1.png#10", "no-box"))
    assert targets(source) == [[0, 1], [1, 0]]
    whole = CocoSource(write(boxes, images=2), boxes="labels").image(0)
    assert np.array_equal(source.image(0), whole[3:15, 2:12])


def test_every_box_has_an_id_of_its_own_whatever_annotations_have(write):
    box, lower = {"image_id": 0, "bbox": [0, 0, 9, 9]}, {"image_id": 0, "bbox": [5, 5, 9, 9]}
    some = [{**box, "id": 1, "category_id": 1}, {**lower, "category_id": 4}]
    assert CocoBoxes(write(some, images=1)).sample_ids == ("0.png#0", "0.png#1")
    captions = [{**box, "id": 7, "caption": "rust,dent"}, {**lower, "id": 8, "caption": "dent"}]
    found = CocoBoxes(write(captions, images=1, categories=[]))
    assert found.sample_ids == ("0.png#7", "0.png#7.2", "0.png#8")


def test_a_margin_is_added_on_each_side_within_the_image(write):
    box = {"id": 7, "image_id": 0, "category_id": 1, "bbox": [2, 4, 10, 10]}
    path = write([box], images=1)
    whole = CocoSource(path, boxes="labels").image(0)
    assert np.array_equal(CocoBoxes(path, margin=0.5).image(0), whole[0:19, 0:17])


def test_crops_are_of_their_files_format_so_no_ending_is_wrong(write):
    box = {"image_id": 0, "category_id": 1, "bbox": [1, 2, 10, 12]}
    source = CocoBoxes(write([box], images=1))
    assert source.fetch(0).decode(None).kind == "PNG"
    row = read_headers(source, Silent())[0]
    assert row.status == "used"
    assert row.look.startswith("PNG ")


def test_a_box_outside_of_its_image_is_a_bad_sample(write):
    box = {"id": 7, "image_id": 0, "category_id": 1, "bbox": [100, 4, 10, 10]}
    with pytest.raises(ImageProblem, match="its box lies outside of the image of 30 x 20"):
        CocoBoxes(write([box], images=1)).image(0)


def test_a_file_without_boxes_has_nothing_to_cut(write):
    with pytest.raises(DataError, match="expected boxes of at least 8 pixels to cut out") as error:
        CocoBoxes(write([(0, 1)], images=1))
    assert error.value.slug == "data/no-boxes"


def test_the_line_of_a_path_that_leads_out_is_told(write, tmp_path):
    (tmp_path / "images").mkdir()
    images = [{"id": k, "file_name": name} for k, name in enumerate(("a.png", "../b.png"))]
    path = write([(0, 1), (1, 2)], images=images)
    line = 1 + path.read_text()[: path.read_text().index('"../b.png"')].count("\n")
    found = rf"coco.json:{line - 2}: images\[1\].file_name: expected images inside"
    with pytest.raises(UnsafeInputError, match=found):
        CocoSource(path, tmp_path / "images")
    second = write([(0, 1)], images=[{"id": 0, "file_name": "../c.png"}], name="val.json")
    first = write([(0, 1)], images=[{"id": 0, "file_name": "a.png"}])
    with pytest.raises(UnsafeInputError, match=r"val.json:\d+: images\[0\].file_name"):
        CocoSource(first, tmp_path / "images", validation=second)
