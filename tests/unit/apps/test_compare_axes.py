import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.apps.compare.axes import NOT_SET, axis_of_key, axis_of_metric
from fivefold.config import ABSENT

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(ABSENT), min_size=1, max_size=20)


@given(NUMBERS)
def test_numbers_keep_their_order_and_what_is_not_set_lies_below(values):
    axis = axis_of_key("x", values)
    placed = [(p, v) for p, v in zip(axis.places, values, strict=True) if v is not ABSENT]
    assert all(0 <= place <= 1 for place in axis.places)
    assert [v for _, v in sorted(placed)] == sorted(v for _, v in placed)
    if ABSENT in values:
        assert (0.0, NOT_SET) in axis.ticks
        assert all(place > 0 for place, _ in placed)


def test_numbers_beyond_all_use_are_texts():
    assert axis_of_key("x", [10**400, 1.0, -math.inf]).texts == (str(10**400), "1.0", "-inf")


@given(st.lists(st.sampled_from(["adam", "sgd", True, ABSENT, 3, None, [1, 2]]), min_size=1))
def test_texts_have_a_place_each(values):
    axis = axis_of_key("x", values)
    assert len(set(axis.places)) == len(set(axis.texts))


@given(NUMBERS)
def test_ticks_are_few_and_do_not_write_on_each_other(values):
    places = sorted(place for place, _ in axis_of_key("x", values).ticks if place > 0)
    assert len(places) <= 12
    assert all(b - a >= 0.045 for a, b in pairwise(places))


def test_rates_are_spread_by_their_powers_of_ten():
    axis = axis_of_key("lr", [10.0**-k for k in range(1, 8)])
    assert axis.places == pytest.approx([1 - k / 6 for k in range(7)])
    assert [text for _, text in axis.ticks][:2] == ["1e-07", "1e-06"]


def test_round_numbers_are_written_beside_many_values():
    axis = axis_of_key("x", [0.0, 1.0, 2.5, 3.0, 4.0, 6.0, 7.0, 9.5])
    assert [text for _, text in axis.ticks] == ["0", "2", "4", "6", "8"]


def test_of_a_metric_better_is_higher():
    assert axis_of_metric("val_loss", [0.1, 0.3], "min").places == (1.0, 0.0)
    assert axis_of_metric("val_accuracy", [0.1, 0.3], "max").places == (0.0, 1.0)
    assert axis_of_metric("val_mine", [0.1, 0.3], None).places == (0.0, 1.0)


def test_without_a_number_it_lies_below_all_others():
    axis = axis_of_metric("val_accuracy", [math.nan, 0.5, 0.7], "max")
    assert axis.places[0] == 0 < axis.places[1] < axis.places[2] == 1
    assert axis.texts == (NOT_SET, "0.5", "0.7")
    assert axis_of_metric("x", [math.nan], None).ticks == ((0.0, NOT_SET),)


def test_one_value_lies_in_the_middle():
    assert axis_of_key("x", [3, 3]).places == (0.5, 0.5)
    assert axis_of_key("x", ["a", "a"]).places == (0.5, 0.5)
