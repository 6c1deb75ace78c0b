import threading

import pytest
import torch

from fivefold.engine.predictor import map_batches


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bits_in_the_same_order(workers):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.Flatten()).eval()
    batches = [torch.randn(4, 3, 9, 9) for _ in range(7)]
    expected = [net(batch).detach() for batch in batches]
    found = list(map_batches(net, batches, workers=workers))
    assert all(map(torch.equal, found, expected))
    assert not any(result.requires_grad for result in found)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_threads_is_one_while_working_and_put_back_afterwards(workers):
    torch.set_num_threads(2)
    assert set(map_batches(lambda _: torch.get_num_threads(), range(5), workers=workers)) == {1}
    assert torch.get_num_threads() == 2


def test_stopping_early_or_by_an_error_puts_the_threads_back():
    torch.set_num_threads(2)
    results = map_batches(str, iter(range(50)))
    assert next(results) == "0"
    results.close()
    with pytest.raises(ZeroDivisionError, match="by zero"):
        list(map_batches(lambda item: 1 // item, [1, 0, 1]))
    assert torch.get_num_threads() == 2


def test_as_many_threads_work_as_torch_had(monkeypatch):
    monkeypatch.setattr("fivefold.engine.predictor.usable_cores", lambda: 4)
    together = threading.Barrier(2, timeout=20)
    torch.set_num_threads(2)
    assert list(map_batches(lambda item: (together.wait(), item)[1], range(6))) == [*range(6)]
