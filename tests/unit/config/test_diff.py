import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.config import ABSENT, Change, diff, parse

VALUES = st.recursive(
    st.integers(0, 3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), VALUES)


def changes(old, new):
    return diff(parse(old).as_mapping(), parse(new).as_mapping())


def test_keys_of_stages_are_compared_one_by_one():
    old = "lr: 1\nstages: [{epochs: 1, lr: 0.1}, epochs: 2]"
    new = "batch: 2\nstages: [{epochs: 1, lr: 0.2}]"

    assert changes(old, new) == [
        Change("lr", 1, ABSENT),
        Change("stages.0.lr", 0.1, 0.2),
        Change("stages.1", {"epochs": 2}, ABSENT),
        Change("batch", ABSENT, 2),
    ]


def test_stages_that_say_one_key_only_are_compared_one_by_one_too():
    old, new = "stages: [epochs: 1]", "stages: [{epochs: 2, lr: 0.2}]"

    assert [str(change) for change in changes(old, new)] == [
        "stages.0.epochs: 1 -> 2",
        "stages.0.lr: (not set) -> 0.2",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [([], {}), ([{"x": 1}], {"x": 1}), ([{}], {"0": {}}), ([{}], [{"0": {}}])],
)
def test_a_list_is_no_mapping(old, new):
    assert diff({"a": old}, {"a": new}) != []
    assert diff({"a": new}, {"a": old}) != []


def test_options_are_compared_by_name():
    old, new = "callbacks: {A: {x: 1}, B: }", "callbacks: [A: {x: 2}, B: ]"

    assert [str(change) for change in changes(old, new)] == ["callbacks.A.x: 1 -> 2"]


def test_mapping_and_list_of_the_same_augmenters_are_equal():
    assert changes("augmentation: {A: 1, B: 2}", "augmentation: [A: 1, B: 2]") == []


def test_order_of_augmenters_counts():
    (change,) = changes("augmentation: {A: 1, B: 2}", "augmentation: {B: 2, A: 1}")

    assert change == Change("augmentation", [{"A": 1}, {"B": 2}], [{"B": 2}, {"A": 1}])


def test_absent_is_shown_in_words():
    assert str(Change("lr", ABSENT, None)) == "lr: (not set) -> None"


@given(MAPPINGS)
def test_mapping_does_not_differ_from_itself(mapping):
    assert diff(mapping, dict(reversed(mapping.items()))) == []


@given(MAPPINGS, MAPPINGS)
def test_unequal_mappings_differ(old, new):
    assert old == new or diff(old, new)
