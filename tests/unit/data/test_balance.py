"""Negative samples: how many take part, drawn by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.data.balance import check_positives, draw_of_each, images_per_class, with_negatives


def rng():
    return generator_for(0, "negatives", 0)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(-1, 5))
def test_all_positives_stay_and_so_many_negatives_for_each(flags, most):
    positive = np.array(flags)
    rows = np.arange(len(flags))[::2]
    kept = with_negatives(positive, rows, most, rng())

    own = positive[rows]
    wanted = (~own).sum() if most < 0 else min((~own).sum(), most * own.sum())
    assert set(rows[own]) <= set(kept) <= set(rows)
    assert (~positive[kept]).sum() == wanted
    assert kept.tolist() == sorted(kept)


def test_the_same_generator_draws_the_same_and_another_others():
    positive, rows = np.arange(200) < 10, np.arange(200)
    first, again = (with_negatives(positive, rows, 2, rng()).tolist() for _ in range(2))
    other = with_negatives(positive, rows, 2, generator_for(0, "negatives", 1)).tolist()
    assert first == again != other


def test_a_part_without_positive_samples_is_an_error():
    with pytest.raises(DataError, match="fold 1, training: negatives: expected positive") as error:
        check_positives(np.zeros(4, dtype=bool), np.arange(4), 0, "fold 1, training")
    assert error.value.slug == "data/no-positives"
    check_positives(np.zeros(4, dtype=bool), np.arange(4), -1, "fold 1, training")


@pytest.mark.parametrize(
    ("asked", "number"),
    [("upsampling", 185), ("downsampling", 115), ("sampler", 147), (60, 60), (500, 500)],
)
def test_how_many_of_each_class_is_said_by_their_sizes(asked, number):
    assert images_per_class(np.array([185, 0, 140, 115]), asked) == number


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 30), st.integers(0, 99))
def test_as_many_of_each_class_are_drawn_and_none_twice_where_there_are_enough(
    classes, number, seed
):
    classes = np.array(classes)
    drawn = draw_of_each(classes, number, generator_for(seed, "balance"))
    present = np.unique(classes)
    assert len(drawn) == number * len(present)
    assert drawn.tolist() == sorted(drawn)
    times = np.bincount(drawn, minlength=len(classes))
    for k in present:
        own = times[classes == k]
        assert own.sum() == number
        assert own.max() - own.min() <= 1
        if (classes == k).sum() >= number:
            assert own.max() == 1


def test_each_sample_of_a_large_class_is_drawn_sooner_or_later():
    classes = np.array([0] * 10 + [1] * 3)
    seen = {
        int(i) for k in range(30) for i in draw_of_each(classes, 3, generator_for(k, "balance"))
    }
    assert seen == set(range(13))
