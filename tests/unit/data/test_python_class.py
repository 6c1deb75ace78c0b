import pickle

import numpy as np
import pytest
from musket_datasets import Classification, ProteinDataGenerator
from PIL import Image

from fivefold import PredictionItem
from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.data.audit import audit
from fivefold.data.image_problem import ImageProblem
from fivefold.data.python_class import PythonSource, as_image
from fivefold.data.source import Labels


class Items:
    """A list of (x, y) as a data set."""

    def __init__(self, ys, x=None):
        self.ys = ys
        self.x = np.zeros((4, 5, 3), np.uint8) if x is None else x

    def __len__(self):
        return len(self.ys)

    def __getitem__(self, i):
        return PredictionItem(f"s{i}", self.x, self.ys[i])


def test_the_protein_class_runs_as_written(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / name) for name in ("p0", "p1", "p2")]
    for path in paths:
        for colour in ("red", "green", "blue"):
            pixels = rng.integers(0, 256, (6, 7), dtype=np.uint8)
            Image.fromarray(pixels).save(f"{path}_{colour}.png")
    labels = np.zeros((3, 28))
    labels[[0, 1, 1], [3, 4, 9]] = 1
    source = PythonSource(ProteinDataGenerator(paths, labels))
    assert source.sample_ids == tuple(paths)
    assert not source.labels[0].exclusive
    assert source.labels[0].class_names == tuple(map(str, range(28)))
    green = np.array(Image.open(paths[1] + "_green.png"))
    assert np.array_equal(source.sample(1).image[:, :, 1], green)
    assert np.array_equal(source.target(1), labels[1])


def test_the_species_class_runs_as_written(tmp_path):
    species = Classification.__init__.__code__.co_consts
    names = next(c for c in species if isinstance(c, tuple) and "Maize" in c)
    for k, name in enumerate(names):
        (tmp_path / name).mkdir()
        Image.new("RGB", (9, 8), (k, 0, 255)).save(tmp_path / name / "same name.png")
    source = PythonSource(Classification(str(tmp_path)))
    assert source.labels == (Labels("", names, exclusive=True),)
    assert len(set(source.sample_ids)) == len(source) == 12
    assert source.sample_ids[7] == "same name.png#7"
    assert "1 ids of the data set stand for several samples" in source.warnings[0]
    assert source.sample(7).image.shape == (224, 224, 3)
    assert source.target(7).argmax() == names.index("Maize") == 7


def test_an_item_has_the_old_methods():
    item = PredictionItem("a", 1, 2)
    assert item.original() is item
    assert item.rootItem() is item
    assert (item.item_id(), item.prediction) == ("a", None)


@pytest.mark.parametrize(
    ("ys", "names", "exclusive", "targets"),
    [
        ([0, 2], ("0", "1", "2"), True, [[1, 0, 0], [0, 0, 1]]),
        (["b", "a"], ("a", "b"), True, [[0, 1], [1, 0]]),
        ([[1, 0], [0, 1]], ("0", "1"), True, [[1, 0], [0, 1]]),
        ([[1, 1], [0, 1]], ("0", "1"), False, [[1, 1], [0, 1]]),
        ([np.array([1]), np.array([0])], ("0",), False, [[1], [0]]),
        ([True, False], ("0",), False, [[1], [0]]),
        ([np.int64(1), np.int64(0)], ("0", "1"), True, [[0, 1], [1, 0]]),
    ],
)
def test_labels_of_every_form_become_columns(ys, names, exclusive, targets):
    source = PythonSource(Items(ys))
    assert source.labels == (Labels("", names, exclusive),)
    assert [source.target(i).tolist() for i in range(len(ys))] == targets


def test_a_list_of_vectors_is_several_outputs():
    ys = [[np.array([1, 0]), np.array([0, 1, 1])], [np.array([0, 1]), np.array([0, 0, 0])]]
    source = PythonSource(Items(ys))
    assert [(labels.name, labels.exclusive) for labels in source.labels] == [
        ("output_0", True),
        ("output_1", False),
    ]
    assert source.target(0).tolist() == [1, 0, 0, 1, 1]


def test_class_names_come_from_the_data_set():
    items = Items([1, 0])
    items.classes = ["cat", "dog", "cow"]
    assert PythonSource(items).labels[0].class_names == ("cat", "dog", "cow")


def test_class_names_that_do_not_fit_are_reported(caplog):
    items = Items([[1, 0], [0, 1]])
    items.classes = ["cat", "dog", "cow"]
    assert PythonSource(items).labels[0].class_names == ("0", "1")
    assert "names 3 classes, but its labels have 2 places" in caplog.text


def test_given_labels_decide():
    labels = (Labels("", ("x", "y", "z"), exclusive=True),)
    assert PythonSource(Items([1, 0]), labels).target(0).tolist() == [0, 1, 0]


def test_items_without_labels_are_unlabelled():
    source = PythonSource(Items([None, None]))
    assert (source.labels, source.target(0)) == ((), None)


def test_pairs_are_items_too():
    pairs = [(np.zeros((3, 3), bool), "a"), (np.ones((3, 3), bool), "b")]
    source = PythonSource(pairs)
    assert source.sample_ids == ("0", "1")
    assert source.sample(1).image.tolist() == np.full((3, 3, 1), 255).tolist()


def test_cheap_targets_are_used_where_there_are_some():
    class Lazy(Items):
        reads = 0

        def __getitem__(self, i):
            self.reads += 1
            return super().__getitem__(i)

        def get_target(self, i):
            return self.ys[i]

        def get_id(self, i):
            return f"lazy-{i}"

    lazy = Lazy(["a", "b"])
    assert PythonSource(lazy).sample_ids == ("lazy-0", "lazy-1")
    assert lazy.reads == 0


def test_what_the_data_set_raises_goes_into_quarantine():
    class Flawed(Items):
        def __getitem__(self, i):
            if i == 1:
                msg = "no such scan"
                raise KeyError(msg)
            return PredictionItem(f"s{i}", np.full((4, 4, 3), i, np.uint8), self.ys[i])

    source = PythonSource(Flawed(["a", "b", "b", "a", "b"]))
    found = audit(source, folds=2, progress=Silent())
    assert (found.used, found.quarantined) == (4, 1)
    assert found.rows[1].reason == "dataset_error"
    assert found.rows[1].detail == "KeyError: 'no such scan'"


@pytest.mark.parametrize(
    ("ys", "message"),
    [
        ([[1, 0], [1, 0, 0]], "s1: label: expected a vector of 2 zeros and ones"),
        ([[0.5, 0.5]], "expected a vector of 2 zeros and ones, got"),
        ([1, -1], "s1: label: expected a class number from 0 to 99999, got -1"),
        ([1, 10**12], "s1: label: expected a class number from 0 to 99999, got 1000000000000"),
        ([1, "a"], "s1: label: expected a whole number, .* got 'a'"),
        ([1, np.nan], "s1: label: expected a whole number, .* got nan"),
        (["a", 1], "s1: label: expected the name of a class as before, got 1"),
        (
            [np.zeros((2, 2, 2, 2))],
            "s0: label: expected a class number, a class name, a 0/1 vector",
        ),
        ([{"a": 1}], "s0: label: expected a whole number, .* got {"),
    ],
)
def test_labels_that_do_not_fit_are_named(ys, message):
    with pytest.raises(DataError, match=message) as error:
        PythonSource(Items(ys))
    assert error.value.slug == "data/label"


def test_what_is_no_data_set_is_refused():
    with pytest.raises(DataError, match="expected __len__ and __getitem__, got int") as error:
        PythonSource(3)
    assert error.value.slug == "data/not-a-dataset"


@pytest.mark.parametrize(
    "x", ["a.png", None, np.zeros((2, 3, 4, 5)), np.zeros(7), np.full((2, 2), -5), np.zeros((0, 3))]
)
def test_what_is_no_image_is_a_problem(x):
    with pytest.raises(ImageProblem, match="got decode_error"):
        as_image(x)


def test_more_channels_are_allowed():
    assert as_image(np.zeros((2, 3, 7), np.uint8)).shape == (2, 3, 7)


@pytest.mark.parametrize(
    ("length", "found"),
    [
        (-1, "-1"),
        (10**12, "1000000000000"),
        (10**30, str(10**30)),
        (2.0, r"2\.0"),
        ("x", "x"),
        (None, "None"),
    ],
)
def test_a_length_that_cannot_be_is_refused(length, found):
    class Endless(Items):
        def __len__(self):
            return length

    expected = r"Endless\.__len__: expected a number of samples from 0 to 100,000,000, got "
    with pytest.raises(DataError, match=expected + found) as error:
        PythonSource(Endless([]))
    assert error.value.slug == "data/dataset-length"


def test_a_length_that_raises_is_refused():
    class Broken(Items):
        def __len__(self):
            raise OSError(5, "no disk")

    with pytest.raises(DataError, match=r"got OSError: \[Errno 5\] no disk"):
        PythonSource(Broken([]))


class Ending(Items):
    """Raises something at its second item."""

    def __init__(self, error, targets=False):
        super().__init__(["a", "b", "b", "a", "b"])
        self.error = error
        if targets:  # else the first pass over all items would meet it
            self.get_target, self.get_id = self.ys.__getitem__, str

    def __getitem__(self, i):
        if i == 1:
            raise self.error
        return PredictionItem(f"s{i}", np.full((4, 4, 3), i, np.uint8), self.ys[i])


@pytest.mark.parametrize(("targets", "name"), [(False, "item 1"), (True, "item 1, '1'")])
def test_a_data_set_that_ends_the_process_is_told_with_the_sample(targets, name):
    told = f"^{name}: expected the data set to return it, got SystemExit: 7"
    with pytest.raises(DataError, match=told) as error:
        audit(PythonSource(Ending(SystemExit(7), targets)), folds=2, progress=Silent())
    assert error.value.slug == "data/python-exit"
    assert not isinstance(error.value, ImageProblem)


@pytest.mark.parametrize("targets", [False, True])
def test_an_interrupt_by_a_data_set_is_an_interrupt(targets):
    with pytest.raises(KeyboardInterrupt, match="enough"):
        audit(
            PythonSource(Ending(KeyboardInterrupt("enough"), targets)), folds=2, progress=Silent()
        )


def test_every_other_error_sets_its_sample_aside():
    source = PythonSource(Ending(KeyError("x"), targets=True))
    found = audit(source, folds=2, progress=Silent())
    assert (found.used, found.quarantined) == (4, 1)
    assert (found.rows[1].reason, found.rows[1].detail) == ("dataset_error", "KeyError: 'x'")


class LateError:
    """An item whose pixels are fetched when they are asked for."""

    y = 0

    @property
    def x(self):
        msg = "bye"
        raise OSError(msg)


@pytest.mark.parametrize(
    ("item", "reason"), [(LateError(), "bye"), ((), "IndexError"), (3, "Type")]
)
def test_items_without_pixels_are_problems_when_only_the_target_was_asked(item, reason):
    class Lazy(Items):
        def __getitem__(self, i):
            return item

        def get_target(self, i):
            return self.ys[i]

        def get_id(self, i):
            return str(i)

    with pytest.raises(ImageProblem, match=reason):
        PythonSource(Lazy([0, 1])).sample(0)


def test_a_source_goes_to_another_process_and_takes_turns_there():
    here = PythonSource([(np.full((4, 5, 3), i, np.uint8), f"class {i % 2}") for i in range(4)])
    there = pickle.loads(pickle.dumps(here))  # noqa: S301  our own bytes
    assert list(there.sample_ids) == list(here.sample_ids)
    assert np.array_equal(there.sample(1).image, here.sample(1).image)


def test_where_nothing_can_be_used_the_first_reason_is_told():
    class Broken(Items):
        def __getitem__(self, i):
            msg = f"no scan {i}"
            raise KeyError(msg)

    with pytest.raises(
        DataError, match=r"2 refused .*; the first, 'item-0': KeyError: 'no scan 0'"
    ):
        audit(PythonSource(Broken(["a", "b"])), folds=2, progress=Silent())


def test_an_id_that_is_no_text_sets_its_sample_aside():
    class Halves(Items):
        def __getitem__(self, i):
            name = "\ud800" if i == 1 else f"s{i}"
            return PredictionItem(name, np.full((4, 4, 3), i, np.uint8), self.ys[i])

    found = audit(PythonSource(Halves(["a", "b", "b", "a", "b"])), folds=2, progress=Silent())
    assert (found.used, found.quarantined) == (4, 1)
    assert found.rows[1].detail.startswith("UnicodeEncodeError: ")
