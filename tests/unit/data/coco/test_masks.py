"""Annotations of a COCO file draw masks."""

import tracemalloc

import numpy as np
import pytest

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.data.coco import CocoMasks
from fivefold.data.image_problem import ImageProblem

TWO = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def box_of(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


def entry(image, category, segmentation, **more):
    return {"image_id": image, "category_id": category, "segmentation": segmentation, **more}


def where(mask, value=1):
    """Tell the box around all pixels of a value: left, top, right, bottom."""
    rows, columns = np.nonzero(mask == value)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_each_class_has_a_plane_and_objects_of_one_are_joined(write):
    annotations = [
        entry(0, 1, box_of(0, 0, 5, 4)),
        entry(0, 2, box_of(3, 2, 9, 8)),
        entry(0, 1, box_of(0, 4, 5, 6)),
        entry(2, 2, {"size": [20, 30], "counts": [0, 20, 580]}),
    ]
    source = CocoMasks(write(annotations, images=3, categories=TWO))
    assert source.masks == MaskKind(2, exclusive=False)
    assert source.labels[0].class_names == ("cat", "dog")
    mask = source.mask(0)
    assert mask.shape == (20, 30, 2)
    assert where(mask[..., 0]) == (0, 0, 5, 6)
    assert where(mask[..., 1]) == (3, 2, 9, 8)
    assert where(source.mask(2)[..., 1]) == (0, 0, 1, 20)
    assert not source.mask(1).any()
    assert source.targets([0, 1, 2]).tolist() == [[1, 1], [0, 0], [0, 1]]
    assert [source.is_positive(i) for i in range(3)] == [True, False, True]
    np.testing.assert_array_equal(source.fetch(0).decode(None).mask, mask)


@pytest.mark.parametrize("turned", [False, True])
def test_of_exclusive_classes_the_smaller_object_lies_on_top(turned, write):
    annotations = [entry(0, 1, box_of(0, 0, 10, 10)), entry(0, 2, box_of(2, 2, 5, 5))]
    path = write(annotations[:: -1 if turned else 1], images=1, categories=TWO)
    source = CocoMasks(path, background="ground")
    assert source.masks == MaskKind(3, exclusive=True)
    assert source.labels[0].class_names == ("ground", "cat", "dog")
    mask = source.mask(0)[..., 0]
    assert where(mask, 2) == (2, 2, 5, 5)
    assert np.count_nonzero(mask == 1) == 100 - 9
    assert np.count_nonzero(mask == 0) == 600 - 100


@pytest.mark.parametrize("background", [None, "ground"])
def test_many_objects_take_no_more_memory_than_few(background, write):
    objects = [entry(0, 1 + k % 2, box_of(k % 9, k % 7, 15, 12)) for k in range(200)]
    peaks = []
    for annotations in (objects[:2], objects):
        path = write(annotations, images=1, categories=TWO)
        source = CocoMasks(path, background=background)
        source.mask(0)
        tracemalloc.start()
        source.mask(0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 30 * 600, "30 of the 200 planes"


def test_a_category_that_is_the_background_is_nothing(write):
    annotations = [entry(0, 1, box_of(0, 0, 10, 10)), entry(0, 2, box_of(2, 2, 5, 5))]
    source = CocoMasks(write(annotations, images=1, categories=TWO), background="cat")
    assert source.labels[0].class_names == ("cat", "dog")
    assert where(source.mask(0)[..., 0]) == (2, 2, 5, 5)


@pytest.mark.parametrize("background", [None, "ground"])
def test_crowds_and_boxes_without_an_outline_are_ignored(background, write):
    annotations = [
        entry(0, 1, box_of(0, 0, 5, 5)),
        entry(0, 1, {"size": [20, 30], "counts": [0, 60, 540]}, iscrowd=1),
        entry(0, 1, [], bbox=[20, 10, 4, 3]),
    ]
    path = write(annotations, images=1, categories=TWO[:1])
    source = CocoMasks(path, background=background)
    mask = source.mask(0)[..., 0]
    assert where(mask, 1) == (0, 0, 5, 5)
    ignored = mask == IGNORED
    assert np.count_nonzero(ignored) == 60 - 15 + 12
    assert ignored[10:13, 20:24].all()
    assert source.warnings == (
        f"{path}: 1 annotations have a box and no outline: what lies in these boxes is ignored "
        "where nothing is outlined",
    )


def test_an_image_of_crowds_alone_is_no_positive(write):
    annotations = [entry(0, 1, box_of(0, 0, 5, 5)), entry(1, 1, box_of(0, 0, 5, 5), iscrowd=1)]
    source = CocoMasks(write(annotations, images=2, categories=TWO[:1]))
    assert [source.is_positive(i) for i in range(2)] == [True, False]


def test_categories_may_be_mapped(write):
    annotations = [entry(0, 1, box_of(0, 0, 5, 4)), entry(0, 4, box_of(10, 0, 12, 2))]
    source = CocoMasks(write(annotations, images=1), level=1)
    assert source.labels[0].class_names == ("cat", "dog")
    assert where(source.mask(0)[..., 1]) == (0, 0, 5, 4)
    source = CocoMasks(write(annotations, images=1), category_map={1: "pet"})
    assert source.labels[0].class_names == ("pet",)
    assert where(source.mask(0)[..., 0]) == (0, 0, 5, 4)
    assert source.warnings[0].endswith("1 annotations have no class: they draw nothing")


def test_a_second_file_is_validated_on(write):
    def one(name, category):
        annotations = [entry(0, category, box_of(0, 0, category, 4))]
        images = [{"id": 0, "file_name": name}]
        return write(annotations, images=images, categories=TWO, name=f"{name}.json")

    source = CocoMasks(one("a.png", 1), validation=one("b.png", 2))
    assert [list(part) for part in source.fold_lists[0]] == [[0], [1]]
    assert where(source.mask(1)[..., 1]) == (0, 0, 2, 4)


def test_an_image_of_another_size_than_the_file_says_is_told(write):
    images = [{"id": 0, "file_name": "a.png", "height": 40, "width": 60}]
    path = write([entry(0, 1, box_of(0, 0, 5, 4))], images=images, categories=TWO)
    with pytest.raises(ImageProblem, match=r"mask_size: .*coco.json: expected the height and wid"):
        CocoMasks(path).mask(0)


def test_run_lengths_of_another_size_are_told(write):
    wrong = entry(0, 1, {"size": [2, 3], "counts": [6]}, id=77)
    source = CocoMasks(write([wrong], images=1, categories=TWO))
    expected = r"mask_not_drawn: .*coco.json: annotation 77: expected run lengths of 20 x 30 pixels"
    with pytest.raises(ImageProblem, match=expected):
        source.mask(0)


def test_a_file_without_outlines_is_refused(write):
    path = write([entry(0, 1, [], bbox=[0, 0, 5, 5])], images=1, categories=TWO)
    expected = r"expected annotations that outline objects, got none and 1 boxes"
    with pytest.raises(DataError, match=expected) as error:
        CocoMasks(path)
    assert error.value.slug == "data/no-outlines"


def test_a_label_of_a_whole_image_draws_nothing_and_is_refused(write):
    annotations = [entry(0, 1, box_of(0, 0, 5, 5), id=3), entry(1, 1, None, id=9)]
    path = write(annotations, images=2, categories=TWO)
    expected = r"annotation 9: expected an outline or a box, got neither, as in 1 of 2"
    with pytest.raises(DataError, match=expected):
        CocoMasks(path)


def test_a_damaged_outline_is_told_with_its_line(write):
    path = write([entry(0, 1, [[1, 2, 3]])], images=1, categories=TWO)
    expected = r"coco.json:\d+: annotations\[0\].segmentation: expected polygons, or a mask in run"
    with pytest.raises(DataError, match=expected):
        CocoMasks(path)


def test_what_is_drawn_is_part_of_the_content(write):
    first = CocoMasks(write([entry(0, 1, box_of(0, 0, 5, 5))], images=1, categories=TWO))
    other = CocoMasks(write([entry(0, 1, box_of(0, 0, 5, 6))], images=1, categories=TWO))
    again = CocoMasks(write([entry(0, 1, box_of(0, 0, 5, 5), id=5)], images=1, categories=TWO))
    assert first.fetch(0).digest == again.fetch(0).digest != other.fetch(0).digest
    assert first.stamp(0).partition("+")[2] == again.stamp(0).partition("+")[2]
