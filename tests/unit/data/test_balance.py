"""Negative samples: how many take part, drawn by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.data.balance import check_positives, with_negatives


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
