import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.engine.stage_results import drawn_epochs


@pytest.mark.parametrize(
    ("epochs", "count", "chosen"),
    [
        (5, 0, set()),
        (5, 1, {0}),
        (5, 3, {0, 2, 4}),
        (2, 3, {0, 1}),
        (1, 3, {0}),
        (4, 4, {0, 1, 2, 3}),
    ],
)
def test_drawn_epochs_go_from_the_first_to_the_last(epochs, count, chosen):
    assert drawn_epochs(epochs, count) == chosen


@given(st.integers(1, 300), st.integers(0, 400))
def test_there_are_as_many_as_were_asked_for(epochs, count):
    chosen = drawn_epochs(epochs, count)
    assert len(chosen) == min(epochs, count)
    assert chosen <= set(range(epochs))
