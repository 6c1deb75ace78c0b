import numpy as np
import pytest
from drawn_source import Drawn

from fivefold.core.errors import DataError
from fivefold.data.source import Labels
from fivefold.data.views import enforce_one_vs_all, multihot, remap_classes, skip_background

BREEDS = {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "6": 1}


def targets(source):
    return [source.target(i).astype(int).tolist() for i in range(len(source))]


def test_six_breeds_become_two_classes():
    source = remap_classes(Drawn(6, classes=list(BREEDS)), BREEDS)
    assert source.labels == (Labels("", ("0", "1"), exclusive=True),)
    assert targets(source) == [[1, 0]] * 3 + [[0, 1]] * 3


def test_a_class_without_a_new_name_drops_the_label_and_not_the_image():
    source = remap_classes(Drawn(3, classes="abc"), {"a": "x", "b": "y"})
    assert len(source) == 3
    assert source.labels == (Labels("", ("x", "y"), exclusive=False),)
    assert targets(source) == [[1, 0], [0, 1], [0, 0]]
    assert [source.is_positive(i) for i in range(3)] == [True, True, False]


def test_others_can_be_skipped_and_classes_stay_exclusive():
    source = remap_classes(Drawn(6, classes="abc"), {"a": "x", "b": "y"}, skip_others=True)
    assert source.labels == (Labels("", ("x", "y"), exclusive=True),)
    assert source.sample_ids == ("n0", "n1", "n3", "n4")
    assert list(source.excluded) == [("n2", "filtered"), ("n5", "filtered")]


def test_several_labels_of_one_image_may_become_one():
    source = remap_classes(Drawn(8, classes="abc", several=True), {"a": "x", "b": "x", "c": "y"})
    old = np.array([[i >> k & 1 for k in range(3)] for i in range(8)])
    expected = np.c_[old[:, 0] | old[:, 1], old[:, 2]]
    assert targets(source) == expected.tolist()


def test_one_of_several_outputs_is_changed():
    class Two(Drawn):
        def target(self, i):
            return np.r_[np.eye(2)[i % 2], np.eye(3)[i % 3]].astype(np.float32)

    source = Two(6)
    source.labels = (
        Labels("a", ("p", "q"), exclusive=True),
        Labels("b", tuple("xyz"), exclusive=True),
    )
    changed = remap_classes(source, {"x": "u", "y": "v", "z": "u"}, output="b")
    assert [labels.class_names for labels in changed.labels] == [("p", "q"), ("u", "v")]
    assert targets(changed)[:3] == [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    with pytest.raises(DataError, match=r"output: expected one of .* outputs, got 'c'") as error:
        remap_classes(source, {"x": "u"}, output="c")
    assert error.value.slug == "data/view-classes"
    with pytest.raises(DataError, match="output: expected one of the labels' outputs, got none"):
        remap_classes(source, {"x": "u"})


def test_a_class_that_is_not_there_is_answered_with_the_closest():
    text = r"remap_classes: expected classes of the samples, got 'cats'\n.*did you mean 'cat'"
    with pytest.raises(DataError, match=text):
        remap_classes(Drawn(4), {"cats": "animal"})
    with pytest.raises(DataError, match="expected at least 1 class that stays, got none"):
        remap_classes(Drawn(4), {})


def test_samples_without_labels_have_no_classes():
    bare = Drawn(2)
    bare.labels = ()
    with pytest.raises(DataError, match="multihot: expected samples with labels, got none"):
        multihot(bare)


def test_multihot_lets_any_number_be_true():
    source = multihot(Drawn(2))
    assert source.labels == (Labels("", ("cat", "dog"), exclusive=False),)
    assert targets(source) == [[1, 0], [0, 1]]


def test_background_is_cleared_where_anything_else_is_true():
    source = Drawn(8, classes=("none", "a", "b"), several=True)
    before, after = targets(source), targets(enforce_one_vs_all(source, "none"))
    for old, new in zip(before, after, strict=True):
        assert new == [0 if any(old[1:]) else old[0], *old[1:]]
    assert targets(source) == before


def test_samples_of_nothing_are_skipped():
    source = Drawn(8, classes=("none", "a", "b"), several=True)
    assert skip_background(source).sample_ids == tuple(f"n{i}" for i in range(1, 8))
    some = skip_background(source, "none")
    assert some.sample_ids == tuple(f"n{i}" for i in range(2, 8))
    assert list(some.excluded) == [("n0", "filtered"), ("n1", "filtered")]
