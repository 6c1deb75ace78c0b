import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from fivefold.engine.grouping import Grouping

torch.set_num_threads(1)

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@given(SIZES, st.integers(1, 5))
def test_every_batch_is_in_one_group_and_the_shares_of_each_add_up(sizes, accumulate):
    groups = Grouping(tuple(sizes), accumulate)
    shares = np.zeros(groups.steps)
    for batch in range(len(sizes)):
        shares[groups.step(batch)] += groups.share(batch)
    np.testing.assert_allclose(shares, 1)
    assert sum(groups.is_last(batch) for batch in range(len(sizes))) == groups.steps


@given(SIZES)
def test_without_accumulation_each_batch_is_a_step_and_counts_whole(sizes):
    groups = Grouping(tuple(sizes), 1)
    assert groups.steps == len(sizes)
    assert all(groups.share(batch) == 1 and groups.is_last(batch) for batch in range(len(sizes)))


@pytest.mark.parametrize("sizes", [(4, 4, 4), (4, 4, 1), (4, 5)])
def test_gradients_are_those_of_one_batch_of_all_samples(sizes):
    rng = np.random.default_rng(0)
    samples = torch.tensor(rng.normal(size=(sum(sizes), 3)))
    truth = torch.tensor(rng.integers(0, 2, sum(sizes)))
    weight = torch.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    (expected,) = torch.autograd.grad(functional.cross_entropy(samples @ weight.T, truth), weight)
    groups, start = Grouping(sizes, len(sizes)), 0
    for batch, size in enumerate(sizes):
        rows = slice(start, start + size)
        loss = functional.cross_entropy(samples[rows] @ weight.T, truth[rows])
        (loss * groups.share(batch)).backward()
        start += size
    torch.testing.assert_close(weight.grad, expected)


def test_an_epoch_without_batches_has_a_step_that_never_comes():
    assert Grouping((), 4).steps == 1
