import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.data.chosen import ChosenSource
from fivefold.data.columns import ColumnError
from fivefold.data.csv_text import read_table
from fivefold.data.extended import ExtendedSource
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


@pytest.mark.parametrize("sign", ["|", ";", "$", ",", ", "])
def test_a_separator_is_found_when_all_parts_recur(made, sign):
    rows = f'a.png,"red{sign}round"\nb.png,red\nc.jpg,round\n'
    source = made(f"image,label\n{rows}")
    assert source.labels[0].class_names == ("red", "round")
    assert not source.labels[0].exclusive
    assert named(source, 0) == ["red", "round"]
    assert f"cells of 'label' hold several labels, between them {sign.strip()!r}" in source.notes


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
        (b'image,label\na.png,"x\n', r":2: expected a quote that ends the cell begun here"),
        (
            b'image,label\na.png,"x\n' + b"b.png,y\n" * 20_000,
            r":2: expected a quote that ends the cell begun here, got none up to line 1\d{4}\n"
            r'    a quote within a cell is written twice: ""',
        ),
        (b'image,label\n\n"a\n".png,x\n', r":4: expected ',' or the end of the line behind"),
        (b"image,label\na.png,x, y\n", r"\n    put quotes around a cell that holds the delimiter"),
        (b'image,label\na.png,"x\ny",z\n', r":2: .*\n    a quote may be missing"),
        (b"image,label\na.png," + b"x" * 70_000, r":2: expected cells of at most 65,536"),
        (b"image,label\na.png," + b"x" * 1_000_000, r":2: expected cells of at most 65,536"),
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


def test_labels_of_ultimate_are_told_apart_and_this_is_said(made):
    source = made("path,class\na.png,gym$pool\nb.png,gym\nc.jpg,pool\n")
    assert source.labels[0].class_names == ("gym", "pool")
    assert source.notes[-1] == "cells of 'class' hold several labels, between them '$'"


def test_commas_within_names_are_no_signs(made):
    source = made('image,label\na.png,"Washington, D.C."\nb.png,Boston\n')
    assert source.labels[0].exclusive
    assert source.warnings == ()


def test_columns_of_0_and_1_are_classes_where_nothing_else_is_left(made):
    source = made("image,cat,dog,fold\na.png,1,1.0,0\nb.png,0,true,1\nc.jpg,0,0,1\n")
    assert source.labels[0].class_names == source.indicator_columns == ("cat", "dog")
    assert not source.labels[0].exclusive
    assert [named(source, i) for i in range(3)] == [["cat", "dog"], ["dog"], []]
    assert "columns of 0 and 1 are the classes: 'cat', 'dog'" in source.notes
    assert source.warnings == (
        "nothing is read from the column 'fold': `fold_column` would use it",
    )


def test_one_1_in_every_row_makes_classes_that_exclude_each_other(made):
    source = made("image,b,a\na.png,1,0\nb.png,0,1\n", indicator_columns=["b", "a"])
    assert source.labels[0].class_names == ("b", "a")
    assert source.labels[0].exclusive
    assert [named(source, i) for i in range(2)] == [["b"], ["a"]]


def test_columns_of_0_and_1_beside_others_have_to_be_named(made):
    text = "image,cat,dog,age\na.png,1,0,7\nb.png,,1,9\n"
    with pytest.raises(ColumnError, match="or `indicator_columns` to those of 0 and 1"):
        made(text)
    source = made(text, indicator_columns=["cat", "dog"])
    assert source.warnings == ("1 cell of 0 and 1 is empty: read as 0",)
    assert named(source, 1) == ["dog"]


def test_an_indicator_that_is_neither_0_nor_1_is_refused_with_its_line(made):
    with pytest.raises(DataError, match=r"table\.csv:3: 'cat': expected 0 or 1, got '-1'") as error:
        made("image,cat,dog\na.png,1,0\nb.png,-1,1\n", indicator_columns=["cat", "dog"])
    assert error.value.slug == "data/label"


def test_groups_and_weights_are_columns(made):
    text = "image,label,who,how\na.png,x,p1,1\nb.png,y, p1,0.5\nc.jpg,x,,2e1\n"
    source = made(text, group_column="who", weight_column="how")
    assert source.groups[0] == source.groups[1] == "p1"
    assert source.groups[2] not in ("", "p1")
    assert source.weights.tolist() == [1, 0.5, 20]
    assert made(text).weights is None


@pytest.mark.parametrize("cell", ["", "-1", "nan", "inf", "much", "1_0"])
def test_a_weight_that_is_none_is_refused_with_its_line(made, cell):
    text = f"image,label,w\na.png,x,1\nb.png,y,{cell}\n"
    message = r"table\.csv:3: weight_column: expected a number from 0 to 1,000,000, got"
    with pytest.raises(DataError, match=message) as error:
        made(text, weight_column="w")
    assert error.value.slug == "data/weight"


def test_weights_that_are_all_0_are_refused(made):
    with pytest.raises(DataError, match="weight_column: expected a weight above 0, got 0 in every"):
        made("image,label,w\na.png,x,0\nb.png,y,0\n", weight_column="w")


def test_columns_that_seem_to_matter_and_are_not_read_are_named(made):
    source = made("image,label,Patient ID\na.png,x,1\nb.png,y,1\n")
    (warning,) = source.warnings
    assert warning == "nothing is read from the column 'Patient ID': `group_column` would use it"
    assert made("image,fold\na.png,1\n", labelled=False).warnings == ()


def test_train_and_test_are_a_holdout_and_with_val_folds_too(made):
    text = "image,label,part\na.png,x,Train\nb.png,x,{}\nc.jpg,x,Testing\n"
    drawn = made(text.format("training"), split_column="part")
    assert (drawn.held_out, drawn.fold_numbers) == ([2], None)
    settled = made(text.format("valid"), split_column="part")
    assert settled.fold_numbers.tolist() == [-2, 0, -1]
    assert settled.held_out is None
    assert settled.folds_where.endswith("table.csv: split_column 'part'")


def test_another_word_for_a_part_is_refused_with_its_line(made):
    message = r"table\.csv:3: split_column: expected train, val or test, got 'trian'\n.*'train'"
    with pytest.raises(DataError, match=message) as error:
        made("image,label,part\na.png,x,train\nb.png,x,trian\n", split_column="part")
    assert error.value.slug == "data/given-folds"


def test_a_class_that_is_only_tested_is_refused_with_its_line(made):
    text = "image,label,part\na.png,cat,train\nb.png,dog,train\nc.jpg,catt,test\n"
    message = (
        r"table\.csv:4: expected classes that some row to train on has, got 'catt' only in others\n"
        "    did you mean 'cat'"
    )
    with pytest.raises(DataError, match=message) as error:
        made(text, split_column="part")
    assert error.value.slug == "data/unseen-class"


def test_folds_are_a_column(made):
    source = made("image,label,k\na.png,x,1.0\nb.png,y,0\nc.jpg,x,\nd.jpg,y,-1\n", fold_column="k")
    assert source.fold_numbers.tolist() == [1, 0, -2, -1]


def test_folds_may_count_from_1_and_this_is_said(made):
    source = made("image,label,k\na.png,x,1\nb.png,y,2\nc.jpg,x,-1\n", fold_column="k")
    assert source.fold_numbers.tolist() == [0, 1, -1]
    assert source.notes[-1] == "folds of 'k' count from 1: here they are 0 and up"


@pytest.mark.parametrize("cell", ["-2", "1.5", "first", "1001"])
def test_a_fold_that_is_none_is_refused_with_its_line(made, cell):
    message = r"table\.csv:3: fold_column: expected a fold from 0 to 1000, -1 for the holdout"
    with pytest.raises(DataError, match=message):
        made(f"image,label,k\na.png,x,0\nb.png,y,{cell}\n", fold_column="k")


def test_test_rows_have_no_fold_and_val_rows_contradict_one(made):
    text = "image,label,k,part\na.png,x,0,train\nb.png,y,1,train\nc.jpg,x,1,{}\n"
    source = made(text.format("test"), fold_column="k", split_column="part")
    assert source.fold_numbers.tolist() == [0, 1, -1]
    with pytest.raises(DataError, match=r"csv:4: split_column: expected only train and test"):
        made(text.format("val"), fold_column="k", split_column="part")


def test_rows_of_one_image_that_differ_in_any_column_that_is_read_are_refused(made):
    text = "image,label,who\na.png,x,p1\nb.png,y,p1\na.png,x,p2\n"
    assert made(text).excluded == (("a.png", "repeated-row"),)
    message = r"lines 2 and 4: 'a\.png' has 'who' 'p1' and 'p2'"
    with pytest.raises(DataError, match=message):
        made(text, group_column="who")


def test_names_alike_but_for_case_or_unicode_form_are_told_with_their_lines(made):
    source = made("image,label\né.png,x\nb.png,y\ne\u0301.png,x\n")
    (warning,) = source.warnings
    assert warning.startswith("1 name differs from another one only in case or Unicode form")
    assert warning.endswith("(lines 2 and 4)")


def test_a_path_out_of_the_folder_is_told_with_its_line(made):
    with pytest.raises(UnsafeInputError, match=r"table\.csv:3: expected images inside"):
        made("image,label\na.png,x\n../b.png,y\n")


def test_folds_and_weights_outlive_a_choice_and_further_samples(made):
    rows = "image,label,k,w\na.png,x,0,1\nb.png,y,1,2\nc.jpg,x,-1,3\n"
    source = made(rows, fold_column="k", weight_column="w")
    some = ChosenSource(source, [2, 0])
    assert (some.fold_numbers.tolist(), some.weights.tolist()) == ([-1, 0], [3, 1])
    longer = ExtendedSource(source, made("image,label\na.png,x\n"), "more")
    assert longer.fold_numbers.tolist() == [0, 1, -1, -2]
    assert longer.weights.tolist() == [1, 2, 3, 1]
    assert longer.folds_where == source.folds_where


@settings(max_examples=60, deadline=None)
@given(rows=st.permutations(range(12)), sign=st.sampled_from(["|", "$", ""]))
def test_the_order_of_rows_does_not_matter(tmp_path_factory, rows, sign):
    folder = tmp_path_factory.getbasetemp() / "ordered"
    folder.mkdir(exist_ok=True)
    cells = ["cat", "dog", f"cat{sign}dog" if sign else "owl"]
    lines = [f"{k}.png,{cells[k % 3]},{k // 2},{k % 4 / 2},{k % 3}" for k in range(12)]

    def read(order, name):
        path = folder / name
        path.write_text("\n".join(["image,label,who,how,k", *(lines[k] for k in order)]))
        keys = {"group_column": "who", "weight_column": "how", "fold_column": "k"}
        source = CsvSource(path, folder, **keys)
        return (
            source.labels,
            source.notes,
            source.warnings,
            {
                name: (target.tolist(), source.groups[i], source.weights[i], source.fold_numbers[i])
                for i, name in enumerate(source.sample_ids)
                for target in [source.target(i)]
            },
        )

    assert read(rows, "some.csv") == read(range(12), "sorted.csv")
