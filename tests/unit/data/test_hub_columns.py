import pytest

from fivefold.core.errors import DataError
from fivefold.data.hub_columns import image_column, kind_of, label_column, truth_of


@pytest.fixture
def f():
    import datasets

    return datasets


def test_the_only_images_and_classes_are_found(f):
    features = {"id": f.Value("int64"), "img": f.Image(), "fine": f.ClassLabel(names=["a"])}
    assert image_column(features, None, "w") == "img"
    assert label_column(features, None, "w") == "fine"
    assert (
        label_column({"img": f.Image(), "labels": f.List(f.Value("string"))}, None, "w") == "labels"
    )
    assert label_column({"img": f.Image(), "caption": f.Value("string")}, None, "w") is None


def test_label_is_meant_where_there_are_several(f):
    classes = f.ClassLabel(names=["a"])
    assert label_column({"coarse": classes, "label": classes}, None, "w") == "label"
    text = r"w: expected one column of classes, got 'fine', 'coarse'\n.*by `label_column`"
    with pytest.raises(DataError, match=text) as error:
        label_column({"fine": classes, "coarse": classes}, None, "w")
    assert error.value.slug == "data/hub-columns"


@pytest.mark.parametrize(
    ("names", "asked", "text"),
    [
        ({"a": "Image", "b": "Image"}, None, r"expected one column of images, got 2 \('a', 'b'\)"),
        ({"a": "text"}, None, r"one column of images, got none\n.*there are a \(string\)"),
        ({"image": "Image"}, "imgae", r"image_column: expected a column .*'imgae'\n.*mean 'image'"),
        ({"a": "text"}, "a", "image_column: expected images or bytes in 'a', got string"),
    ],
)
def test_columns_of_images_that_are_none_are_refused(names, asked, text, f):
    kinds = {"Image": f.Image(), "text": f.Value("string")}
    with pytest.raises(DataError, match=text):
        image_column({name: kinds[kind] for name, kind in names.items()}, asked, "w")


def test_columns_of_labels_that_are_none_are_refused(f):
    features = {"image": f.Image(), "score": f.Value("float32")}
    text = "label_column: expected classes, texts or whole numbers in 'score', got float32"
    with pytest.raises(DataError, match=text):
        label_column(features, "score", "w")
    with pytest.raises(DataError, match="label_column: expected a column of the data set, got 'x'"):
        label_column(features, "x", "w")


def test_kinds_are_named(f):
    assert [kind_of(x) for x in (f.Image(), f.ClassLabel(names=["a"]), f.Value("int8"))] == [
        "Image",
        "ClassLabel",
        "int8",
    ]
    assert kind_of(f.List(f.Value("string"))) == kind_of(f.LargeList(f.Value("string"))) == "List"


def test_whole_numbers_are_sorted_as_numbers(f):
    truth = truth_of(f.Value("int64"), [[10, 9], [None, 9]])
    assert truth.labels[0].class_names == ("9", "10")
    assert truth.kept.tolist() == [0, 1, 3]
    assert truth.count == 4
    assert truth.targets[:].tolist() == [[0, 1], [1, 0], [1, 0]]


def test_a_list_with_an_unknown_class_has_no_label(f):
    truth = truth_of(f.List(f.ClassLabel(names=["a", "b"])), [[[0, -1], [1], None]])
    assert truth.kept.tolist() == [1]
    assert (truth.labels[0].class_names, truth.unused) == (("b",), ("a",))


def test_nothing_known_is_no_label(f):
    truth = truth_of(f.ClassLabel(names=["a"]), [[-1, -1]])
    assert (truth.labels, truth.targets, len(truth.kept), truth.count) == ((), None, 0, 2)
