import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.predictions import Predictions
from fivefold.core.types import Head
from fivefold.evaluation import csv_bytes, prediction_rows


def predictions(probs, heads, targets=None, ids=None):
    probs = np.asarray(probs, np.float32)
    known = None if targets is None else np.asarray(targets, np.float32)
    return Predictions(ids or tuple("abc"[: len(probs)]), probs, heads, known)


def test_one_class_for_each_image():
    head = Head("", "softmax", ("cat", "dog"))
    rows = prediction_rows(predictions([[0.25, 0.75]], (head,), [[1, 0]]))
    assert rows == [
        ["id", "truth", "label", "confidence", "cat", "dog"],
        ["a", "cat", "dog", "0.750000", "0.250000", "0.750000"],
    ]


def test_without_truth_there_is_no_such_column():
    head = Head("", "softmax", ("cat", "dog"))
    assert prediction_rows(predictions([[1, 0]], (head,)))[0][:3] == ["id", "label", "confidence"]


def test_several_classes_are_joined_and_as_sure_as_the_least_sure_answer():
    head = Head("", "sigmoid", ("red", "round", "big"))
    rows = prediction_rows(predictions([[0.75, 0.625, 0.25], [0, 0, 0]], (head,)))
    assert rows[1][1:3] == ["red|round", "0.625000"]
    assert rows[2][1:3] == ["", "1.000000"]


def test_the_separator_is_in_no_class_name():
    head = Head("", "sigmoid", ("a|b", "c;d"))
    assert prediction_rows(predictions([[1, 1]], (head,)))[1][1] == "a|b$c;d"


def test_several_outputs_have_their_columns_each():
    heads = (Head("animal", "softmax", ("cat", "dog")), Head("size", "softmax", ("big", "small")))
    header, row = prediction_rows(predictions([[1, 0, 0, 1]], heads))
    assert header == [
        "id",
        *("animal_label", "animal_confidence", "animal_cat", "animal_dog"),
        *("size_label", "size_confidence", "size_big", "size_small"),
    ]
    assert (row[1], row[5]) == ("cat", "small")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=4))
def test_any_file_name_can_be_read_back(names):
    data = csv_bytes([["id", *names]])
    (row,) = csv.reader(io.StringIO(data.decode(), newline=""))
    assert row == ["id", *names]


def test_file_names_that_are_no_utf8_keep_their_bytes():
    assert csv_bytes([["\udcff.png"]]) == b"\xff.png\n"


def test_no_two_columns_have_one_name():
    head = Head("", "softmax", ("confidence", "fold", "id", "label", "path", "truth", "Truth"))
    (header,) = prediction_rows(predictions(np.zeros((0, 7)), (head,)))
    names = ("confidence", "fold", "id", "label", "path", "truth")
    renamed = [f"{name} (class)" for name in names]
    assert header == ["id", "label", "confidence", *renamed, "Truth"]


def test_a_class_named_like_a_renamed_one_keeps_its_name():
    head = Head("", "softmax", ("label", "label (class)"))
    (header,) = prediction_rows(predictions(np.zeros((0, 2)), (head,)))
    assert header[3:] == ["label (class) (class)", "label (class)"]


def test_columns_of_several_outputs_differ_too():
    heads = (Head("a", "softmax", ("b_c", "label")), Head("a_b", "softmax", ("c", "id")))
    (header,) = prediction_rows(predictions(np.zeros((0, 4)), heads))
    assert len(set(header)) == len(header) == 9
    assert (header[4], header[8]) == ("a_label (class)", "a_b_id")
