import csv

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.data import coders, rle
from fivefold.data.csv_text import read_table
from fivefold.data.image_problem import ImageProblem
from fivefold.data.run_lengths import (
    FORMS,
    RunLengthSource,
    Runs,
    decoded,
    encoded,
    with_parts,
)

SIZE = (6, 9)


def planes_of(rng, count):
    return [rng.random(SIZE) < 0.3 for _ in range(count)]


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for k, name in enumerate("abcd"):
        pixels = np.full((*SIZE, 3), 40 * k, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def table_of(tmp_path, rows, header=("ImageId", "EncodedPixels")):
    path = tmp_path / "train.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return read_table(path)


def opened(tmp_path, images, rows, header=("ImageId", "EncodedPixels"), runs=None, **keys):
    asked = runs or Runs("EncodedPixels")
    return RunLengthSource(table_of(tmp_path, rows, header), images, asked, keys)


@pytest.mark.parametrize("form", FORMS)
def test_a_mask_is_what_was_written(form, tmp_path, images):
    plane = planes_of(np.random.default_rng(0), 1)[0]
    runs = Runs("EncodedPixels", form=form)
    source = opened(tmp_path, images, [("a.png", encoded(plane, form))], runs=runs)
    assert source.masks == MaskKind(1, exclusive=False)
    np.testing.assert_array_equal(source.mask(0)[..., 0], plane)
    np.testing.assert_array_equal(source.fetch(0).decode(None).mask[..., 0], plane)
    np.testing.assert_array_equal(source.sample(0).mask[..., 0], plane)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(5))
def test_planes_come_back_whatever_the_form(form, seed):
    plane = planes_of(np.random.default_rng(seed), 1)[0]
    np.testing.assert_array_equal(decoded(encoded(plane, form), SIZE, form) > 0, plane)


def test_the_forms_are_those_of_the_competitions():
    plane = np.zeros((3, 4), dtype=bool)
    plane[1:3, 0] = plane[0, 1] = True
    plane[1, 3] = True
    assert encoded(plane, "columns") == "2 3 11 1" == rle.rle_encode(plane)
    assert encoded(plane, "rows") == coders.rle_encode(plane)
    assert encoded(plane, "relative") == "1 3 6 1"


@pytest.mark.parametrize("nothing", ["", "-1", " -1", "NaN", "nan"])
def test_cells_that_show_nothing_are_negatives(nothing, tmp_path, images):
    source = opened(tmp_path, images, [("a.png", nothing), ("b.png", "1 3")])
    assert [source.is_positive(i) for i in range(2)] == [False, True]
    assert not source.mask(0).any()
    assert source.target(0).tolist() == [0]
    assert source.target(1).tolist() == [1]


def test_several_rows_of_an_image_are_its_instances(tmp_path, images):
    rows = [("b.png", "1 2"), ("a.png", "1 3"), ("b.png", "1 4"), ("a.png", "20 2"), ("c.png", "")]
    source = opened(tmp_path, images, rows)
    assert source.sample_ids == ("b.png", "a.png", "c.png")
    expected = rle.rle_decode("1 3", SIZE) + rle.rle_decode("20 2", SIZE)
    np.testing.assert_array_equal(source.mask(1)[..., 0], expected)
    np.testing.assert_array_equal(source.mask(0)[..., 0], rle.rle_decode("1 4", SIZE))
    assert source.excluded == ()


def test_each_class_has_a_plane(tmp_path, images):
    rows = [("a", "1 5", "10"), ("a", "3 5", "2"), ("b", "", "2"), ("b", "", "10")]
    runs = Runs("EncodedPixels", class_column="ClassId")
    source = opened(tmp_path, images, rows, ("ImageId", "EncodedPixels", "ClassId"), runs)
    assert source.labels[0].class_names == ("2", "10")
    assert source.masks == MaskKind(2, exclusive=False)
    mask = source.mask(0)
    np.testing.assert_array_equal(mask[..., 0], rle.rle_decode("3 5", SIZE))
    np.testing.assert_array_equal(mask[..., 1], rle.rle_decode("1 5", SIZE))
    assert source.targets([0, 1]).tolist() == [[1, 1], [0, 0]]


def test_of_exclusive_classes_later_rows_lie_on_top(tmp_path, images):
    rows = [("a", "1 5", "dog"), ("a", "3 5", "cat")]
    runs = Runs("EncodedPixels", class_column="ClassId", background="ground")
    source = opened(tmp_path, images, rows, ("ImageId", "EncodedPixels", "ClassId"), runs)
    assert source.labels[0].class_names == ("ground", "cat", "dog")
    assert source.masks == MaskKind(3, exclusive=True)
    column = source.mask(0)[..., 0].T.ravel()[:8]
    assert column.tolist() == [2, 2, 1, 1, 1, 1, 1, 0]
    assert source.target(0).tolist() == [1, 1, 1]
    assert source.is_positive(0)


def test_columns_that_stand_in_one_are_taken_apart(tmp_path, images):
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(images / "a_1.png")
    rows = [("a_1.png_1", "1 5"), ("a_1.png_2", ""), ("b.png_1", ""), ("b.png_2", "1 1")]
    runs = Runs("EncodedPixels", class_column="ClassId")
    source = opened(
        tmp_path, images, rows, ("ImageId_ClassId", "EncodedPixels"), runs, image_column="ImageId"
    )
    assert source.sample_ids == ("a_1.png", "b.png")
    assert source.targets([0, 1]).tolist() == [[1, 0], [0, 1]]


def test_only_a_joined_column_that_has_the_name_is_taken_apart(tmp_path):
    table = table_of(tmp_path, [("a_1", "x_y")], ("ImageId_ClassId", "other_one"))
    assert with_parts(table, ["ImageId_ClassId", None]) is table
    parts = with_parts(table, ["ClassId"])
    assert parts.columns == ("ImageId_ClassId", "other_one", "ImageId", "ClassId")
    assert [cells[0] for cells in parts.cells] == ["a_1", "x_y", "a", "1"]


def test_a_mask_of_another_shape_is_brought_to_the_image(tmp_path, images):
    plane = np.zeros((3, 3), dtype=bool)
    plane[0, 0] = True
    runs = Runs("EncodedPixels", mask_shape=(3, 3))
    source = opened(tmp_path, images, [("a.png", rle.rle_encode(plane))], runs=runs)
    expected = np.zeros(SIZE, dtype=np.uint8)
    expected[:2, :3] = 1
    np.testing.assert_array_equal(source.mask(0)[..., 0], expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 6", r"expected runs of at least 1 pixel inside 54 pixels, got '50 6'"),
        ("1 2 3", r"expected pairs of start and length in whole numbers, got '1 2 3'"),
        ("one two", r"expected pairs of start and length in whole numbers"),
    ],
)
def test_runs_that_fit_no_image_are_told_with_line_and_size(text, expected, tmp_path, images):
    source = opened(tmp_path, images, [("a.png", "1 1"), ("b.png", text)])
    where = rf"mask_not_drawn: .*train\.csv:3: run-length text: {expected}.*height x width 6 x 9"
    with pytest.raises(ImageProblem, match=where):
        source.mask(1)
    with pytest.raises(ImageProblem, match=where):
        source.fetch(1).decode(None)


def test_a_row_with_runs_needs_a_class(tmp_path, images):
    rows = [("a", "", ""), ("a", "1 5", "")]
    runs = Runs("EncodedPixels", class_column="ClassId")
    with pytest.raises(DataError, match=r"train.csv:3: class_column: expected a class for the mas"):
        opened(tmp_path, images, rows, ("ImageId", "EncodedPixels", "ClassId"), runs)


def test_a_class_may_not_have_the_name_of_the_background(tmp_path, images):
    rows = [("a", "1 5", "background")]
    runs = Runs("EncodedPixels", class_column="ClassId", background="background")
    expected = r"expected classes beside the background, got 'background' among them"
    with pytest.raises(DataError, match=expected):
        opened(tmp_path, images, rows, ("ImageId", "EncodedPixels", "ClassId"), runs)


def test_groups_folds_and_weights_come_from_the_table(tmp_path, images):
    header = ("ImageId", "EncodedPixels", "patient", "fold", "w")
    rows = [("a", "1 1", "p", 0, 2), ("a", "3 1", "p", 0, 2), ("b", "", "q", 1, 1)]
    source = opened(
        tmp_path,
        images,
        rows,
        header,
        group_column="patient",
        fold_column="fold",
        weight_column="w",
    )
    assert tuple(source.groups) == ("p", "q")
    assert source.fold_numbers.tolist() == [0, 1]
    assert source.weights.tolist() == [2, 1]


def test_rows_of_one_image_may_not_disagree_on_it(tmp_path, images):
    rows = [("a", "1 1", "p"), ("a", "3 1", "q")]
    header = ("ImageId", "EncodedPixels", "patient")
    with pytest.raises(DataError, match=r"lines 2 and 3: 'a' has 'patient' 'p' and 'q'"):
        opened(tmp_path, images, rows, header, group_column="patient")


def test_other_runs_or_another_kind_of_mask_are_another_content(tmp_path, images):
    first = opened(tmp_path, images, [("a.png", "1 2")])
    other = opened(tmp_path, images, [("a.png", "1 3")])
    exclusive = opened(
        tmp_path, images, [("a.png", "1 2")], runs=Runs("EncodedPixels", background="ground")
    )
    again = opened(tmp_path, images, [("a.png", "1 2")])
    digests = {source.fetch(0).digest for source in (first, other, exclusive)}
    assert len(digests) == 3
    assert first.fetch(0).digest == again.fetch(0).digest
    assert first.stamp(0) == again.stamp(0) == again.header(0).stamp != other.stamp(0)


def test_missing_images_are_no_reason_to_fail_at_opening(tmp_path, images):
    source = opened(tmp_path, images, [("a.png", "1 2"), ("z.png", "")])
    with pytest.raises(ImageProblem, match="missing"):
        source.fetch(1)
    assert source.stamp(1) == ""


def test_a_mask_shape_that_is_width_and_height_is_told(tmp_path, images):
    rows = [["a.png", "1 2"]]
    turned = opened(tmp_path, images, rows, runs=Runs("EncodedPixels", mask_shape=(18, 12)))
    with pytest.raises(
        ImageProblem,
        match=r"mask_shape is height and width: expected the height and width of the image, 6 x 9, "
        r"got a mask of 18 x 12",
    ):
        turned.mask(0)
    for fitting in ((12, 18), (8, 8), (9, 9)):
        source = opened(tmp_path, images, rows, runs=Runs("EncodedPixels", mask_shape=fitting))
        assert source.mask(0).shape == (*SIZE, 1)
