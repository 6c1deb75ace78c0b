"""A Python data set whose `y` are masks."""

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.data.image_problem import ImageProblem
from fivefold.data.python_class import PredictionItem, PythonSource
from fivefold.data.python_masks import facts_of, is_mask
from fivefold.data.source import Labels

SIZE = (5, 7)


def blank(value=0, dtype=np.uint8):
    return np.full(SIZE, value, dtype)


def with_one(value=1, dtype=np.uint8):
    mask = blank(dtype=dtype)
    mask[1:3, 2:5] = value
    return mask


TRUE = with_one().astype(bool)


def image():
    return np.zeros((*SIZE, 3), np.uint8)


class Masks:
    """Items whose `y` are the masks given."""

    def __init__(self, *masks, **attributes):
        self.masks = masks
        vars(self).update(attributes)

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        return PredictionItem(f"item{i}", image(), self.masks[i])


BINARY = {
    "bool": TRUE,
    "0 and 1": with_one(),
    "0 and 255": with_one(255),
    "fractions": with_one(0.9, np.float32),
    "float 0 and 255": with_one(255, np.float64),
    "int64": with_one(1, np.int64),
    "one plane": with_one()[:, :, None],
    "grey edges": np.where(TRUE, 255, np.arange(7, dtype=np.uint8) * 18),
    "picture": Image.fromarray(with_one(255)),
}


@pytest.mark.parametrize("name", BINARY)
def test_a_mask_of_one_class_may_be_written_in_any_usual_way(name):
    source = PythonSource(Masks(BINARY[name], BINARY[name]))
    assert source.masks == MaskKind(1, exclusive=False)
    assert source.labels == (Labels("", ("foreground",), exclusive=False),)
    for mask in (source.mask(1), source.sample(1).mask, source.fetch(1).decode(None).mask):
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask[..., 0], TRUE)
    assert source.target(0).tolist() == [1]


def test_one_of_masks_of_255_may_show_nothing():
    source = PythonSource(Masks(blank(), with_one(255), with_one(1)[:, :] * 0))
    assert [source.is_positive(i) for i in range(3)] == [False, True, False]
    assert not source.mask(0).any()


def test_255_beside_1_is_ignored():
    mask = with_one()
    mask[0] = IGNORED
    source = PythonSource(Masks(mask, blank()))
    assert source.masks == MaskKind(1, exclusive=False)
    np.testing.assert_array_equal(source.mask(0)[..., 0], mask)
    assert source.targets([0, 1]).tolist() == [[1], [0]]


def test_masks_of_0_and_1_beside_those_of_0_and_255_are_told():
    source = PythonSource(Masks(with_one(255), blank(), with_one(1)))
    assert source.masks == MaskKind(1, exclusive=False)
    assert source.notes == (
        "255 is ignored in item0, since item2 has 1: write all masks alike if both are set",
    )
    assert not source.is_positive(0)
    both = with_one(1)
    both[0] = 255
    assert PythonSource(Masks(with_one(255), both)).notes == ()


def test_numbers_are_exclusive_classes():
    mask = with_one(2)
    mask[4] = IGNORED
    source = PythonSource(Masks(mask, with_one(3), blank()))
    assert source.masks == MaskKind(4, exclusive=True)
    assert source.labels[0].class_names == ("0", "1", "2", "3")
    np.testing.assert_array_equal(source.mask(0)[..., 0], mask)
    assert source.targets([0, 1, 2]).tolist() == [[1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 0, 0]]
    assert [source.is_positive(i) for i in range(3)] == [True, True, False]


def test_the_data_set_may_name_its_classes():
    source = PythonSource(Masks(with_one(), class_names=("ground", "cat", "dog")))
    assert source.masks == MaskKind(3, exclusive=True)
    assert source.labels[0].class_names == ("ground", "cat", "dog")
    source = PythonSource(Masks(with_one(), class_names=("cat",)))
    assert source.masks == MaskKind(1, exclusive=False)
    assert source.labels[0].class_names == ("cat",)


def test_planes_are_classes_that_may_overlap():
    both = np.stack([with_one(), blank(1)], axis=2)
    source = PythonSource(Masks(both, both * 0))
    assert source.masks == MaskKind(2, exclusive=False)
    np.testing.assert_array_equal(source.mask(0), both)
    assert source.targets([0, 1]).tolist() == [[1, 1], [0, 0]]


def test_what_is_ignored_in_all_planes_shows_no_class():
    planes = np.stack([with_one(), blank(), with_one()], axis=2)
    planes[0] = IGNORED
    source = PythonSource(Masks(planes))
    assert source.masks == MaskKind(3, exclusive=False)
    assert source.target(0).tolist() == [1, 0, 1]


def test_planes_of_which_one_is_set_everywhere_are_exclusive():
    hot = np.stack([~TRUE, TRUE], axis=2)
    empty = np.stack([~TRUE | TRUE, TRUE & False], axis=2)
    source = PythonSource(Masks(hot, empty, class_names=("ground", "cat")))
    assert source.masks == MaskKind(2, exclusive=True)
    np.testing.assert_array_equal(source.mask(0)[..., 0], TRUE)
    assert source.targets([0, 1]).tolist() == [[1, 1], [1, 0]]
    assert [source.is_positive(i) for i in range(2)] == [True, False]


def test_the_data_set_may_say_that_planes_may_overlap_or_may_not():
    hot = np.stack([~TRUE, TRUE], axis=2)
    source = PythonSource(Masks(hot, exclusive=False))
    assert source.masks == MaskKind(2, exclusive=False)
    np.testing.assert_array_equal(source.mask(0), hot)
    assert PythonSource(Masks(hot, exclusive=True)).masks == MaskKind(2, exclusive=True)
    expected = r"item1: label: expected a mask with exactly one of 2 planes set at every pixel"
    with pytest.raises(DataError, match=expected):
        PythonSource(Masks(hot, hot * 0, exclusive=True))


def test_the_data_set_may_say_what_is_positive():
    source = PythonSource(Masks(with_one(), blank(), isPositive=lambda i: i == 1))
    assert [source.is_positive(i) for i in range(2)] == [False, True]


def test_get_target_is_asked_for_masks_too():
    class Cheap(Masks):
        def get_id(self, i):
            return f"id{i}"

        def get_target(self, i):
            return self.masks[i]

    source = PythonSource(Cheap(with_one(), blank()))
    assert source.sample_ids == ("id0", "id1")
    assert source.targets([0, 1]).tolist() == [[1], [0]]


def test_shades_are_told_and_cut_at_the_middle():
    mask = np.linspace(0, 200, 35).astype(np.uint8).reshape(SIZE)
    source = PythonSource(Masks(mask))
    assert source.notes == ("masks have shades up to 200: what is above 127 is the class",)
    np.testing.assert_array_equal(source.mask(0)[..., 0], mask > 127)


def test_a_mask_of_another_size_than_its_image_is_set_aside():
    source = PythonSource(Masks(with_one(), np.ones((4, 4))))
    with pytest.raises(ImageProblem, match=r"mask_size: .*5 x 7, got a mask of 4 x 4"):
        source.fetch(1)


def test_what_is_no_mask_is_set_aside():
    source = PythonSource(Masks(with_one(), with_one(-1, np.int64), with_one(300, np.int64)))
    for i, text in ((1, "values from -1 to 0"), (2, "values from 0 to 300")):
        with pytest.raises(ImageProblem, match=f"mask_values: expected a mask .*, got {text}"):
            source.fetch(i)


def test_masks_have_as_many_planes_as_the_first():
    with pytest.raises(
        DataError, match=r"item1: label: expected a mask of 1 planes .*got 2 planes"
    ):
        PythonSource(Masks(with_one(), np.zeros((*SIZE, 2))))


def test_an_item_without_a_mask_among_masks_is_refused():
    with pytest.raises(DataError, match=r"item1: label: expected a mask of 1 planes .*got no mask"):
        PythonSource(Masks(with_one(), 3))


def test_numbers_beyond_the_names_are_told():
    masks = Masks(with_one(), with_one(5), class_names=("ground", "cat"))
    with pytest.raises(DataError, match="item1: label: expected a mask of classes 0 to 1, got 5"):
        PythonSource(masks)


def test_two_classes_of_one_name_are_refused():
    masks = Masks(with_one(), with_one(2), class_names=("ground", "cat", "cat"))
    with pytest.raises(DataError, match="class_names: expected different names, got 'cat' twice"):
        PythonSource(masks)


def test_masks_are_not_asked_for_where_labels_are_not():
    source = PythonSource(Masks(with_one()), ())
    assert source.masks is None
    assert source.sample(0).mask is None


def test_other_masks_are_another_content():
    first, other = PythonSource(Masks(with_one())), PythonSource(Masks(blank(1)))
    assert first.fetch(0).digest != other.fetch(0).digest


@pytest.mark.parametrize("y", [1, "cat", [0, 1], np.zeros(3), [np.zeros(3), np.zeros(2)]])
def test_labels_are_no_masks(y):
    assert not is_mask(y)


def test_facts_of_many_masks_are_small():
    facts = facts_of(np.random.default_rng(0).integers(0, 20, (500, 500)))
    assert len(facts.values) == 32
    assert np.flatnonzero(facts.occurring).tolist() == list(range(20))
