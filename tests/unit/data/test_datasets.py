import csv

import numpy as np
import pytest
from PIL import Image
from shapes import NAMES, draw_folders

from fivefold.core.errors import DataError, StateError, UnsafeInputError
from fivefold.core.progress import Silent
from fivefold.data import FolderSource, PredictionItem, PythonSource, datasets
from fivefold.data.datasets import (
    AbstractImagePathDataSet,
    AspectRatioDataSet,
    BinaryClassificationDataSet,
    BufferedWriteableDS,
    CategoryClassificationDataSet,
    CompositeDataSet,
    ConstrainedDirectory,
    DirectoryDataSet,
    DirectWriteableDS,
    FolderClassificationDataSet,
    FolderDataSet,
    LazyItem,
    MeanDataSet,
    MultiClassClassificationDataSet,
    MultiOutputClassClassificationDataSet,
    PredictionBlend,
    SourceDataSet,
    SubDataSet,
    TransformPrediction,
    WeightedBlend,
    source_of,
)
from fivefold.experiment.datasets import wrap


class Plain:
    """The least that Musket asks of a data set; counts what is read."""

    class_names = ("dark", "light")

    def __init__(self, first, count):
        self.first, self.count, self.read = first, count, []

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        self.read.append(i)
        number = self.first + i
        pixels = np.full((4, 6, 3), number, np.uint8)
        return PredictionItem(f"item-{number}", pixels, number % 2)


class Telling(Plain):
    def get_id(self, i):
        return f"item-{self.first + i}"

    def get_target(self, i):
        return (self.first + i) % 2

    def isPositive(self, i):  # noqa: N802  Musket's name
        return (self.first + i) % 2 == 1


def ids(dataset):
    return [dataset[i].id for i in range(len(dataset))]


def test_a_part_has_the_chosen_items_in_their_order():
    part = SubDataSet(Plain(0, 9), np.array([7, 0, 7]), name="part")
    assert ids(part) == ["item-7", "item-0", "item-7"]
    assert (part.name, part.get_name(), part.class_names) == ("part", "part", ("dark", "light"))
    assert isinstance(part.root(), Plain)
    assert [item.id for item in part] == ids(part)


def test_a_part_tells_what_the_whole_tells_without_reading():
    whole = Telling(0, 9)
    part = SubDataSet(SubDataSet(whole, range(2, 9)), [0, 3])
    assert [part.get_id(1), part.get_target(1), part.isPositive(1)] == ["item-5", 1, True]
    assert not hasattr(SubDataSet(Plain(0, 2), [0]), "get_target")
    source = PythonSource(part, progress=Silent())
    assert list(source.sample_ids) == ["item-2", "item-5"]
    assert source.labels[0].class_names == ("dark", "light")
    assert whole.read == []


@pytest.mark.parametrize("wrong", [[9], [-1]])
def test_a_part_of_items_that_do_not_exist_is_refused(wrong):
    with pytest.raises(DataError, match="indexes: expected numbers from 0 to 8") as error:
        SubDataSet(Plain(0, 9), wrong)
    assert error.value.slug == "data/no-item"


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 1, 3), (1, 0, 2, 4)])
def test_data_sets_follow_each_other(sizes):
    starts = np.cumsum([0, *sizes])
    parts = [Telling(int(start), size) for start, size in zip(starts, sizes, strict=False)]
    whole = CompositeDataSet(parts)
    assert ids(whole) == [f"item-{k}" for k in range(sum(sizes))]
    assert [whole.get_id(i) for i in range(len(whole))] == ids(whole)
    assert [whole.isPositive(i) for i in range(len(whole))] == [
        k % 2 == 1 for k in range(sum(sizes))
    ]
    assert whole.class_names == ("dark", "light")
    for outside in (-1, sum(sizes)):
        with pytest.raises(IndexError, match=str(outside)):
            whole[outside]


def test_what_one_part_cannot_tell_the_whole_does_not_tell():
    assert not hasattr(CompositeDataSet([Telling(0, 2), Plain(2, 2)]), "get_target")
    assert len(CompositeDataSet([])) == 0


@pytest.mark.parametrize(("ratio", "shape"), [((1, 1), (4, 4)), ((1, 3), (2, 6)), ((2, 1), (4, 2))])
def test_images_are_cut_in_the_middle_to_a_ratio(ratio, shape):
    class Gradient(Plain):
        def __getitem__(self, i):
            return PredictionItem(i, np.arange(24, dtype=np.uint8).reshape(4, 6, 1), 1)

    item = AspectRatioDataSet(Gradient(0, 1), ratio)[0]
    assert item.x.shape == (*shape, 1)
    top, left = (4 - shape[0]) // 2, (6 - shape[1]) // 2
    assert item.x[0, 0, 0] == 6 * top + left


def test_random_parts_are_refused_with_what_does_it():
    with pytest.raises(DataError, match=r"strategy 'center', got .* 'random'") as error:
        AspectRatioDataSet(Plain(0, 1), (1, 1), "random")
    assert error.value.slug == "data/dataset-option"


@pytest.fixture
def shapes(tmp_path):
    return draw_folders(tmp_path / "shapes", 4)


def test_folders_of_classes_are_a_data_set_that_writes_rows(shapes):
    for made in (
        FolderClassificationDataSet(None, shapes),
        FolderDataSet(shapes.parent, "shapes", "image", "class"),
        FolderDataSet([shapes, shapes.parent], "shapes"),
    ):
        assert (len(made), made.class_names) == (12, NAMES)
        item = made[5]
        assert (item.id, item.y.tolist()) == ("square/001.png", [0, 1, 0])
        assert made.isPositive(5)
        item.prediction = np.array([0.1, 0.2, 0.7])
        assert made.encode(item) == {"image": "square/001.png", "class": "triangle"}
        assert made.encode(item, encode_y=True)["class"] == "square"


def test_our_own_classes_are_read_as_sources(shapes):
    made = FolderDataSet(None, shapes)
    assert isinstance(wrap(made, Silent()), FolderSource)
    part = wrap(SubDataSet(SubDataSet(made, [3, 4, 5]), [2, 0]), Silent())
    assert list(part.sample_ids) == [made.get_id(5), made.get_id(3)]
    assert part.one_at_a_time is False

    class Changed(FolderDataSet):
        def __getitem__(self, i):
            item = super().__getitem__(i)
            return PredictionItem(item.id, 255 - item.x, item.y)

    changed = wrap(Changed(None, shapes), Silent())
    np.testing.assert_array_equal(changed.image(0), 255 - made[0].x)
    assert source_of(SubDataSet(made, [0, 0])) is None
    assert source_of(Plain(0, 1)) is None


def test_a_folder_to_predict_may_be_narrowed_to_some_files(shapes):
    folder = shapes / "circle"
    assert ids(DirectoryDataSet(folder)) == [f"00{k}.png" for k in range(4)]
    some = ConstrainedDirectory(folder, ["003.png", "001"])
    assert ids(some) == ["003.png", "001"]
    np.testing.assert_array_equal(some[1].x, np.array(Image.open(folder / "001.png")))
    assert some[0].y is None
    with pytest.raises(IndexError, match="2"):
        some[2]
    with pytest.raises(UnsafeInputError, match="expected images inside this folder"):
        ConstrainedDirectory(folder, ["../square/000.png"])


def test_a_class_of_ones_own_finds_images_by_name(shapes, monkeypatch):
    class Own(AbstractImagePathDataSet):
        def __init__(self, paths):
            super().__init__(paths)
            self.imageIds = ["000", "only.png"]

        def get_target(self, i):
            return i

    Image.new("L", (3, 2), 9).save(shapes / "square" / "only.png")
    monkeypatch.chdir(shapes.parent)
    (shapes.parent / "data").mkdir()
    (shapes.parent / "data" / "more").symlink_to(shapes / "square")
    own = Own(["shapes/circle", "more"])
    assert ids(own) == ["000", "only.png"]
    np.testing.assert_array_equal(own[0].x, np.array(Image.open(shapes / "circle" / "000.png")))
    assert own[1].x.tolist() == [[[9, 9, 9]] * 3] * 2
    assert PythonSource(own, progress=Silent()).target(1).tolist() == [0, 1]
    with pytest.raises(DataError, match="expected a folder of images"):
        Own("nowhere")


def table(folder, rows, header=("image", "label"), encoding="utf-8"):
    path = folder / "table.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def pictures(tmp_path):
    for name in "abcd":
        Image.new("L", (3, 2), ord(name)).save(tmp_path / f"{name}.png")
    return tmp_path


def with_prediction(dataset, i, prediction):
    item = dataset[i]
    return LazyItem.beside(item, prediction)


def test_the_second_of_two_classes_is_the_positive_one(pictures):
    path = table(pictures, [("a", "yes"), ("b.png", "no"), ("c", "yes")])
    made = BinaryClassificationDataSet(pictures, path, "image", "label")
    assert made.classes == ("no", "yes")
    assert [made.get_target(i).tolist() for i in range(3)] == [[1], [0], [1]]
    assert [made.isPositive(i) for i in range(3)] == [True, False, True]
    assert made[1].x.shape == (2, 3, 3)
    rows = [made.encode(with_prediction(made, i, np.array([0.4])), treshold=0.3) for i in (0, 1)]
    assert rows == [{"image": "a", "label": "yes"}, {"image": "b.png", "label": "yes"}]
    assert made.encode(made[1], encode_y=True) == {"image": "b.png", "label": "no"}
    assert len(made.encode(made, encode_y=True)) == 3
    source = wrap(made, Silent())
    assert source.labels[0].class_names == ("yes",)
    assert not source.labels[0].exclusive


def test_an_empty_cell_is_the_negative_class(pictures):
    path = table(pictures, [("a", ""), ("b", "ship"), ("b", "ship")])
    made = BinaryClassificationDataSet(pictures, path, "image", "label")
    assert (len(made), made.classes) == (2, ("", "ship"))
    assert [made.get_target(i).tolist() for i in range(2)] == [[0], [1]]


@pytest.mark.parametrize("labels", [("x", "x"), ("x", "y", "z")])
def test_two_classes_are_two(pictures, labels):
    path = table(pictures, list(zip("abc", labels, strict=False)))
    with pytest.raises(DataError, match=r"label: expected 2 classes, got \('x',") as error:
        BinaryClassificationDataSet(pictures, path, "image", "label")
    assert error.value.slug == "data/dataset-classes"


def test_categories_have_a_place_each_in_sorted_order(pictures):
    path = table(pictures, [("a", 10), ("b", 9), ("c", 2), ("d", 9)])
    made = CategoryClassificationDataSet([pictures], path, "image", "label", len=3)
    assert (len(made), made.classes) == (3, ("2", "9", "10"))
    assert made[0].y.tolist() == [0, 0, 1]
    assert made.encode(with_prediction(made, 0, np.array([0.2, 0.5, 0.3])))["label"] == "9"
    assert wrap(made, Silent()).labels[0].exclusive


def test_an_image_of_two_categories_is_refused(pictures):
    path = table(pictures, [("a", "x"), ("a", "y")])
    with pytest.raises(DataError, match="expected one class for each image, got several: 'a'") as e:
        CategoryClassificationDataSet(pictures, path, "image", "label")
    assert e.value.slug == "data/duplicate-id"


@pytest.mark.parametrize("sign", ["|", " ", "_"])
def test_several_classes_stand_in_one_cell(pictures, sign):
    path = table(pictures, [("a", f"x{sign}y"), ("b", ""), ("c", "z"), ("c", "x")])
    made = MultiClassClassificationDataSet(pictures, path, "image", "label")
    assert made.separator == sign
    assert [made.get_target(i).tolist() for i in range(3)] == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]
    assert [made.isPositive(i) for i in range(3)] == [True, False, True]
    row = made.encode(with_prediction(made, 0, np.array([0.6, 0.2, 0.8])))
    assert row == {"image": "a", "label": f"x{sign}z"}


def test_a_separator_that_is_named_wins(pictures):
    path = table(pictures, [("a", "big cat;dog"), ("b", "dog")])
    made = MultiClassClassificationDataSet(pictures, path, "image", "label", separator=";")
    assert made.classes == ("big cat", "dog")


def test_classes_may_have_columns_of_their_own(pictures):
    path = table(pictures, [("a", 1, 0), ("b", "0.0", ""), ("c", "True", 1)], ("image", "x", "y"))
    made = MultiClassClassificationDataSet(pictures, path, "image", "x|y")
    assert [made.get_target(i).tolist() for i in range(3)] == [[1, 0], [0, 0], [1, 1]]
    row = made.encode(with_prediction(made, 0, np.array([0.1, 0.9])))
    assert row == {"image": "a", "x": "0", "y": "1"}
    path = table(pictures, [("a", 1, 2)], ("image", "x", "y"))
    with pytest.raises(DataError, match="y: expected 0 or 1, got '2'") as error:
        MultiClassClassificationDataSet(pictures, path, "image", "x|y")
    assert error.value.slug == "data/label"


def test_several_questions_give_a_list_of_vectors(pictures):
    rows = [("a", "big", "1 2"), ("b", "very small", "2"), ("c", "big", "")]
    path = table(pictures, rows, ("image", "size", "parts"))
    made = MultiOutputClassClassificationDataSet(pictures, path, "image", ["size", "parts"])
    assert made.classes == [("big", "very small"), ("1", "2")]
    assert [part.tolist() for part in made[1].y] == [[0, 1], [0, 1]]
    item = with_prediction(made, 0, [np.array([0.4, 0.6]), np.array([0.7, 0.8])])
    assert made.encode(item) == {"image": "a", "size": "very small", "parts": "1 2"}
    assert [labels.name for labels in wrap(made, Silent()).labels] == ["size", "parts"]
    assert [labels.exclusive for labels in wrap(made, Silent()).labels] == [True, False]


def test_tables_may_be_in_muskets_second_encoding(pictures):
    path = table(pictures, [("a", "кот"), ("b", "пёс")], encoding="cp1251")
    made = CategoryClassificationDataSet(pictures, path, "image", "label")
    assert made.classes == ("кот", "пёс")


def test_a_table_without_images_is_refused(pictures):
    with pytest.raises(DataError, match="expected at least 1 row with an image, got none") as error:
        CategoryClassificationDataSet(pictures, table(pictures, [("", "x")]), "image", "label")
    assert error.value.slug == "data/no-images"


class Said(Plain):
    """Items with predictions."""

    def __init__(self, predictions, first=0):
        super().__init__(first, len(predictions))
        self.predictions = predictions

    def __getitem__(self, i):
        item = super().__getitem__(i)
        return PredictionItem(item.id, item.x, item.y, self.predictions[i])


def test_predictions_are_blended_by_weight():
    one, two = Said(np.array([[0.2, 0.8]])), Said(np.array([[0.6, 0.4]]))
    np.testing.assert_allclose(WeightedBlend([one, two])[0].prediction, [0.4, 0.6])
    np.testing.assert_allclose(WeightedBlend([one, two], [3, 1])[0].prediction, [0.3, 0.7])
    for kind in (PredictionBlend, MeanDataSet):
        np.testing.assert_allclose(kind([one, two])[0].prediction, [0.4, 0.6])
    again = PredictionBlend([one, two]).blend(one, 0.25)
    np.testing.assert_allclose(again[0].prediction, [0.25, 0.75])
    assert again[0].x.shape == (4, 6, 3)
    assert again.root() is one


def test_each_output_is_blended_by_itself():
    one = Said([[np.array([1.0, 0.0]), np.array([0.2])]])
    two = Said([[np.array([0.0, 1.0]), np.array([0.4])]])
    size, colour = PredictionBlend([one, two])[0].prediction
    np.testing.assert_allclose(size, [0.5, 0.5])
    np.testing.assert_allclose(colour, [0.3])


def test_predictions_of_other_items_are_not_blended():
    with pytest.raises(DataError, match=r"got lengths \[1, 2\]") as error:
        PredictionBlend([Said(np.zeros((1, 2))), Said(np.zeros((2, 2)))])
    assert error.value.slug == "data/other-predictions"
    mixed = PredictionBlend([Said(np.zeros((1, 2))), Said(np.zeros((1, 2)), first=5)])
    with pytest.raises(DataError, match=r"item 0: expected one id in all predictions, got \["):
        mixed[0]


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0]])
def test_weights_must_fit_the_predictions(weights):
    with pytest.raises(DataError, match="weights: expected 2 numbers from 0") as error:
        WeightedBlend([Said(np.zeros((1, 2)))] * 2, weights)
    assert error.value.slug == "data/blend-weights"


def test_a_function_may_change_predictions():
    one = Said(np.array([[0.2, 0.8]]))
    changed = TransformPrediction(one, lambda p: p[::-1])
    assert (len(changed), changed[0].prediction.tolist()) == (1, [0.8, 0.2])
    assert changed.root() is one


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_are_written_as_the_data_set_encodes_them(pictures):
    made = CategoryClassificationDataSet(
        pictures, table(pictures, [("a", "x"), ("b", "y")]), "image", "label"
    )
    said = BufferedWriteableDS(made, "said", pictures / "p.npz", np.array([[0.1, 0.9], [0.2, 0.8]]))
    TransformPrediction(said, lambda p: 1 - p).dump(pictures / "out.csv")
    assert [row["label"] for row in rows_of(pictures / "out.csv")] == ["x", "x"]
    said.dump(pictures / "truth.csv", encode_y=True)
    assert rows_of(pictures / "truth.csv")[1] == {"image": "b", "label": "y"}


def test_predictions_of_other_data_sets_are_written_as_numbers(tmp_path):
    PredictionBlend([Said(np.array([[0.25, 0.75]]))]).dump(tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv") == [
        {"id": "item-0", "dark": "0.250000", "light": "0.750000"}
    ]


SEVERAL = [[np.array([0.5, 0.5]), np.array([1.0])], [np.array([0.1, 0.9]), np.array([0.0])]]


@pytest.mark.parametrize("kind", [BufferedWriteableDS, DirectWriteableDS])
@pytest.mark.parametrize("predictions", [[np.array([0.5, 0.5]), np.array([0.1, 0.9])], SEVERAL])
def test_predictions_come_back_from_the_disk(tmp_path, kind, predictions):
    whole = Telling(0, 2)
    made = kind(whole, "said", tmp_path / "new" / "said")
    for number, prediction in enumerate(predictions):
        made.append(PredictionItem(number, None, None, prediction) if number else prediction)
    made.commit()
    back = kind(whole, "said", tmp_path / "new" / "said")
    assert (len(back), back.get_name(), back.root()) == (2, "said", whole)
    for i, prediction in enumerate(predictions):
        item = back[i]
        assert (item.id, item.y) == (f"item-{i}", i % 2)
        np.testing.assert_equal(item.prediction, prediction)
    assert whole.read == []
    assert back[1].x.shape == (4, 6, 3)


def test_missing_and_damaged_predictions_are_told(tmp_path):
    made = BufferedWriteableDS(Plain(0, 2), "said", tmp_path / "said")
    made.append(np.zeros(2))
    with pytest.raises(DataError, match="said: expected 2 predictions, got 1"):
        made.commit()
    made.append(np.zeros(2))
    made.commit()
    with pytest.raises(StateError, match="expected predictions of 3 items, got 2"):
        BufferedWriteableDS(Plain(0, 3), "said", tmp_path / "said")
    (tmp_path / "said").write_bytes(b"no file")
    with pytest.raises(StateError, match="expected saved predictions, got") as error:
        BufferedWriteableDS(Plain(0, 2), "said", tmp_path / "said")
    assert error.value.slug == "state/damaged"
    with pytest.raises(StateError, match="expected saved predictions"):
        DirectWriteableDS(Plain(0, 2), "said", tmp_path / "none")[0]


def test_items_are_not_read_before_they_are_asked_for():
    read = []
    item = LazyItem("a", lambda: read.append(1) or "pixels", 1)
    assert (item.id, item.y, item.prediction, read) == ("a", 1, None, [])
    assert (item.x, read) == ("pixels", [1])
    assert item.rootItem() is item.original() is item
    with pytest.raises(AttributeError, match="z"):
        _ = item.z


def test_a_source_without_labels_has_no_y(shapes):
    made = SourceDataSet(DirectoryDataSet(shapes).source, "x")
    assert (made[0].y, made.class_names, made.isPositive(0)) == (None, (), False)


def test_what_is_not_here_says_so():
    with pytest.raises(
        ImportError, match="CropAndSplit of Musket's is not in fivefold: use `crops:`"
    ):
        _ = datasets.CropAndSplit
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = datasets.Nothing
    assert set(datasets.__all__) <= set(dir(datasets))
