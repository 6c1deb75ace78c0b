import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.data.columns import ColumnError
from fivefold.data.csv_text import read_table
from fivefold.data.table import CsvSource


@pytest.fixture
def made(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.png", "b.png", "c.jpg"):
        Image.new("RGB", (4, 3)).save(images / name)

    def make(text, encoding="utf-8", **options):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return CsvSource(path, images, **options)

    return make


def named(source, i):
    names = [name for labels in source.labels for name in labels.class_names]
    return [name for name, value in zip(names, source.target(i), strict=True) if value]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_common_dialects_are_read(made, delimiter, end, encoding):
    rows = [["image", "label"], ["a.png", "Katze ü"], ["b.png", "dog"]]
    source = made(end.join(delimiter.join(row) for row in rows) + end, encoding)
    assert source.sample_ids == ("a.png", "b.png")
    assert source.labels[0].class_names == ("Katze ü", "dog")
    assert source.labels[0].exclusive
    assert (named(source, 0), named(source, 1)) == (["Katze ü"], ["dog"])
    assert source.sample(0).image.shape == (3, 4, 3)


def test_quoted_cells_keep_delimiters_and_line_ends(made):
    source = made('image,label\na.png,"big, ""old""\ncat"\nb.png,dog\n')
    assert source.labels[0].class_names == ('big, "old"\ncat', "dog")


def test_an_id_may_lack_its_ending(made):
    source = made("id,label\na,x\nc,y\n", extension="jpg")
    assert [source.path(i).rpartition("/")[2] for i in range(2)] == ["a.png", "c.jpg"]
    assert source.sample_ids == ("a", "c")


def test_a_missing_image_is_left_to_the_audit(made):
    source = made("id,label\nnone,x\na,y\n")
    assert source.sample_ids == ("none", "a")
    assert source.stamp(0) == ""


def test_columns_are_found_by_usual_names_in_any_case(made):
    assert made("Split,Species,FileName\n1,x,a.png\n").labels[0].class_names == ("x",)


def test_a_mistyped_column_gets_the_closest(made):
    with pytest.raises(DataError, match="got 'lable'\n    did you mean 'label'") as error:
        made("image,label\na.png,x\n", label_column="lable")
    assert error.value.slug == "data/missing-column"


def test_columns_that_cannot_be_found_are_listed(made):
    with pytest.raises(DataError, match="column such as 'image', got 'foo', 'bar'") as error:
        made("foo,bar\nz.png,x\n")
    assert error.value.slug == "data/columns"
    with pytest.raises(ColumnError, match="such as 'label', got 'foo', 'bar', 'baz'") as error:
        made("foo,bar,baz\na.png,x,y\n")
    assert error.value.key == "label_column"


@pytest.mark.parametrize(
    ("text", "image", "label"),
    [
        ("File Name,Species,Observer\na.png,x,me\nb.png,y,me\n", "File Name", "Species"),
        ("Datei;Art\na.png;x\nb.png;y\n", "Datei", "Art"),
        ("id,Bild,class\n1,a.png,x\n2,b,y\n", "Bild", "class"),
        ("image-path,thumb,Label\na.png,b.png,x\nb.png,a.png,y\n", "image-path", "Label"),
        ("name,class\nnone.png,x\nnone2.png,y\n", "name", "class"),
    ],
)
def test_columns_are_told_by_their_names_and_cells(made, text, image, label):
    source = made(text)
    assert (source.image_column, source.label_columns) == (image, (label,))
    assert source.separators == (None,)


def test_cells_that_no_file_can_be_called_are_no_files(made):
    source = made(f"text,file\n{'x' * 5000},a.png\n/,b.png\n", labelled=False)
    assert source.image_column == "file"


def test_several_columns_are_several_outputs(made):
    source = made("image,kind,place\na.png,cat,in\nb.png,dog,out\n", label_column=["kind", "place"])
    assert [labels.name for labels in source.labels] == ["kind", "place"]
    assert named(source, 1) == ["dog", "out"]
    assert source.target(1).tolist() == [0, 1, 0, 1]


def test_labels_are_not_needed_for_prediction(made):
    source = made("image\na.png\n", labelled=False)
    assert (source.labels, source.target(0)) == ((), None)


def test_numbers_with_spaces_between_them_are_several_labels(made):
    source = made('image,label\na.png,"0 16"\nb.png,0\nc.jpg,16\n')
    assert source.labels[0].class_names == ("0", "16")
    assert not source.labels[0].exclusive


def test_names_of_two_words_that_recur_are_one_class_each_and_this_is_said(made):
    rows = "a.png,black cat\nb.png,white cat\nc.jpg,black dog\nd.jpg,white dog\n"
    source = made(f"image,label\n{rows}")
    assert source.labels[0].exclusive
    assert len(source.labels[0].class_names) == 4
    (warning,) = source.warnings
    assert warning.startswith("labels such as 'black cat' contain ' ' but are read as one class")


@pytest.mark.parametrize("sign", ["|", ";"])
def test_a_separator_is_found_when_all_parts_recur(made, sign, caplog):
    caplog.set_level(logging.INFO)
    rows = f'a.png,"red{sign}round"\nb.png,red\nc.jpg,round\n'
    source = made(f"image,label\n{rows}")
    assert source.labels[0].class_names == ("red", "round")
    assert not source.labels[0].exclusive
    assert named(source, 0) == ["red", "round"]
    assert "several labels each" in caplog.text


def test_class_names_of_two_words_stay_whole(made):
    rows = "a.png,Common wheat\nb.png,Common Chickweed\nc.jpg,Fat Hen\n"
    source = made(f"image,label\n{rows}")
    assert source.labels[0].class_names == ("Common Chickweed", "Common wheat", "Fat Hen")


def test_signs_that_do_not_separate_are_warned_about(made):
    source = made("image,label\na.png,x|y\nb.png,z\n")
    assert source.labels[0].class_names == ("x|y", "z")
    text = "labels such as 'x|y' contain '|' but are read as one class each; set `separator`"
    assert source.warnings == (text,)


def test_a_given_separator_makes_empty_cells_mean_no_label(made):
    source = made("image,label\na.png,x+y\nb.png,\n", separator="+")
    assert named(source, 0) == ["x", "y"]
    assert named(source, 1) == []


def test_an_empty_cell_among_several_labels_means_none_of_them(made):
    source = made("image,tags\na.png,red|round\nb.png,\nc.jpg,red\nd.png,round\ne.png, \n")
    assert source.separators == ("|",)
    assert source.excluded == ()
    assert source.target(1).tolist() == source.target(4).tolist() == [0, 0]
    assert source.warnings == (
        "2 rows have nothing in 'tags': kept as images with none of its classes",
    )


def test_an_empty_cell_of_one_label_excludes_the_row_beside_several_labels_too(made):
    rows = "a.png,red|round,x\nb.png,red,\nc.jpg,round,y\n"
    source = made(f"image,tags,kind\n{rows}", label_column=["tags", "kind"])
    assert source.excluded == (("b.png", "no-label"),)
    assert source.warnings == ()


def test_rows_without_label_or_id_and_repeated_rows_are_excluded(made):
    source = made("image,label\na.png,x\na.png,x\nb.png,\n,y\nc,y\n")
    assert source.sample_ids == ("a.png", "c")
    assert source.excluded == (
        ("a.png", "repeated-row"),
        ("b.png", "no-label"),
        ("line 5", "no-id"),
    )


def test_one_image_with_two_labels_is_refused_with_its_lines(made):
    with pytest.raises(DataError, match=r"lines 2 and 4: 'a\.png'") as error:
        made("image,label\na.png,x\nb.png,y\na.png,y\n")
    assert error.value.slug == "data/duplicate-id"


ESCAPES = ["../../etc/passwd", "/etc/passwd", "C:\\x.png", "\\\\host\\share\\x", "x/../../y.png"]


@pytest.mark.parametrize("cell", ESCAPES)
def test_paths_out_of_the_folder_are_refused(made, cell):
    with pytest.raises(UnsafeInputError, match="paths that lead out of it") as error:
        made(f"image,label\na.png,x\n{cell},y\n")
    assert error.value.slug == "unsafe/outside-folder"


def test_only_the_first_ten_escapes_are_listed(made):
    rows = "".join(f"../{k}.png,x\n" for k in range(13))
    with pytest.raises(UnsafeInputError, match=r"'\.\./9\.png' and 3 more"):
        made(f"image,label\n{rows}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "got an empty file"),
        (b"\n\n", "got an empty file"),
        (b"image,label\na.png\n", r":2: expected 2 cells, got 1"),
        (b"image,label\na.png,x,z\n", r":2: expected 2 cells, got 3"),
        (b"image,label\na.png,\xff\n", r":2: expected UTF-8 text, got the byte 0xff"),
        (b"image,label\na.png,x\0\n", r":2: expected text, got a NUL"),
        (b"image,image\na.png,x\n", r"expected different column names"),
        (b'image,label\na.png,"x\n', r":2: expected a CSV row"),
        (b"image,label\na.png," + b"x" * 70_000, r":2: expected cells of at most 65,536"),
        (b"image,label\na.png," + b"x" * 140_000, r":2: expected"),
    ],
)
def test_broken_tables_are_refused_with_their_line(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_bytes(text)
    with pytest.raises(DataError, match=message) as error:
        read_table(path)
    assert error.value.slug == "data/table"


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match="expected a readable table, got No such file") as error:
        read_table(tmp_path / "none.csv")
    assert error.value.slug == "data/missing-table"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_rows_or_one_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"image,label\n" + data)
    try:
        rows = read_table(path).rows
    except DataError:  # any other exception is a defect
        rows = ()
    assert all(len(row.cells) == 2 for row in rows)


def test_numbers_as_classes_are_sorted_by_value(made):
    source = made("image,label\na.png,10\nb.png,9\nc.jpg,0\n")
    assert source.labels[0].class_names == ("0", "9", "10")
    assert np.array_equal([source.target(i).argmax() for i in range(3)], [2, 1, 0])
