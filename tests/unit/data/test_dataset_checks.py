from pathlib import Path

import numpy as np
import pytest

from fivefold.core.errors import ConfigError, DataError
from fivefold.data import PredictionItem, PythonSource
from fivefold.data.dataset_checks import check_dataset
from fivefold.data.datasets import (
    AspectRatioDataSet,
    CompositeDataSet,
    LazyItem,
    PredictedDataSet,
    SubDataSet,
    TransformPrediction,
    WeightedBlend,
)


class Unread(PredictedDataSet):
    """A data set that nothing may be asked of."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        raise AssertionError(i)


class Known(PredictedDataSet):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return PredictionItem(str(i), None, None, np.array([0.25, 0.75]))


def never():
    raise AssertionError


@pytest.mark.parametrize(
    "dataset",
    [
        Unread(),
        [],
        [(np.zeros((2, 2)), 1)],
        ([np.zeros((2, 2)), 1],),
        [LazyItem("a", never)],
        [PredictionItem("a", None, 0)],
    ],
)
def test_data_sets_are_taken_without_being_read(dataset):
    check_dataset(dataset)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (None, "data set: expected __len__ and __getitem__, got NoneType"),
        (Path("x"), "data set: expected __len__ and __getitem__, got (Posix|Windows)Path"),
        (
            "photos",
            "data set: expected an object with items, got 'photos'\n    a folder or a table",
        ),
        (b"photos", "data set: expected an object with items, got b'photos'"),
        ({0: "a"}, "data set: expected an object with items, got one dict"),
        (np.zeros((3, 4, 4, 3)), "data set: expected an object with items, got one ndarray"),
        (["a.png"], r"data set: expected items, or pairs \(x, y\), got str as item 0"),
        ([(1, 2), 3], r"data set: expected items, or pairs \(x, y\), got int as item 1"),
        ([None], r"data set: expected items, or pairs \(x, y\), got NoneType as item 0"),
        ([(1,)], r"data set: expected items, or pairs \(x, y\), got tuple as item 0"),
    ],
)
def test_what_is_no_data_set_is_refused_before_it_is_read(dataset, message):
    for take in (check_dataset, PythonSource):
        with pytest.raises(DataError, match=f"^{message}") as error:
            take(dataset)
        assert error.value.slug == "data/not-a-dataset"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: CompositeDataSet([Unread(), 5]),
            r"CompositeDataSet: components\[1\]: expected __",
        ),
        (lambda: CompositeDataSet(5), "CompositeDataSet: components: expected a list of data sets"),
        (lambda: CompositeDataSet("ab"), "CompositeDataSet: components: expected a list of data"),
        (lambda: SubDataSet(5, [0]), "SubDataSet: ds: expected __len__ and __getitem__, got int"),
        (lambda: AspectRatioDataSet(None), "AspectRatioDataSet: child: expected __len__ and"),
        (
            lambda: TransformPrediction("ab", abs),
            "TransformPrediction: ds: expected an object with",
        ),
        (lambda: Unread().blend(5), r"predictions\[1\]: expected __len__ and __getitem__, got int"),
        (lambda: WeightedBlend("ab"), "predictions: expected a list of data sets, got 'ab'"),
    ],
)
def test_data_sets_of_others_name_what_is_none(make, message):
    with pytest.raises(DataError, match=f"^{message}") as error:
        make()
    assert error.value.slug == "data/not-a-dataset"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ds: SubDataSet(ds, "ab"), "SubDataSet: indexes: expected whole numbers, got 'ab'"),
        (lambda ds: SubDataSet(ds, 5), "SubDataSet: indexes: expected whole numbers, got 5"),
        (lambda ds: SubDataSet(ds, [0.5]), "SubDataSet: indexes: expected a whole number, got 0.5"),
        (lambda ds: TransformPrediction(ds, 5), "TransformPrediction: f: expected a function, got"),
        (lambda ds: ds.blend(Unread(), "w"), "w: expected a number, got 'w'"),
        (lambda ds: ds.dump(None), "csv_path: expected a path, got None"),
    ],
)
def test_arguments_of_the_wrong_kind_are_told_before_anything_is_read(call, message):
    with pytest.raises(ConfigError, match=f"^{message}") as error:
        call(Unread())
    assert error.value.slug == "config/bad-value"


@pytest.mark.parametrize("weights", ["ab", 5, [], [1], [1, "a"], [1, float("nan")], [0, 0]])
def test_weights_that_are_none_are_told(weights):
    with pytest.raises(DataError, match=r"^weights: expected 2 numbers from 0, got") as error:
        WeightedBlend([Unread(), Unread()], weights)
    assert error.value.slug == "data/blend-weights"


def test_weights_and_predictions_may_be_made_on_the_way():
    blend = WeightedBlend(iter([Known(), Known()]), (weight for weight in (1, 3)))
    assert blend.weights == [1, 3]
    assert blend[0].prediction.tolist() == [0.25, 0.75]


@pytest.mark.parametrize("ratio", [5, "ab", (1,), (1, 0), (1, float("inf"))])
def test_a_ratio_is_two_numbers(ratio):
    with pytest.raises(DataError, match="expected a ratio of two numbers above 0 and") as error:
        AspectRatioDataSet(Unread(), ratio)
    assert error.value.slug == "data/dataset-option"
