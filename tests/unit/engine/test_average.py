import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from fivefold.core.errors import StateError
from fivefold.engine.average import Average

torch.set_num_threads(1)


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def train(module, average, steps, start=0):
    """Move the weights somewhere, as steps of an optimizer would."""
    for step in range(start, start + steps):
        generator = torch.Generator().manual_seed(step)
        with torch.no_grad():
            module(torch.randn(5, 3, generator=generator))
            for parameter in module.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator))
        average.update(step + 1)


def values(module):
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def test_it_is_the_recursion_of_its_definition():
    module = net()
    average = Average(module, 0.5)
    slow = {name: t.double().numpy() for name, t in values(module).items()}
    for step in range(20):
        train(module, average, 1, start=step)
        keep = min(0.5, (2 + step) / (11 + step))
        for name, tensor in values(module).items():
            slow[name] = keep * slow[name] + (1 - keep) * tensor.double().numpy()
    with average.shown():
        for name, tensor in values(module).items():
            if tensor.is_floating_point():
                np.testing.assert_allclose(tensor.numpy(), slow[name], rtol=1e-5, atol=1e-6)


def test_what_trains_comes_back_to_the_bit():
    module = net()
    average = Average(module, 0.9)
    train(module, average, 3)
    live, slow = values(module), {}
    with average.shown():
        slow = values(module)
    again = values(module)
    assert all(torch.equal(live[name], again[name]) for name in live)
    assert not torch.equal(live["0.weight"], slow["0.weight"])
    with average.shown():
        assert all(torch.equal(slow[name], t) for name, t in values(module).items())


def test_what_trains_comes_back_after_an_error_too():
    module = net()
    average = Average(module, 0.9)
    train(module, average, 3)
    live = values(module)
    with pytest.raises(ZeroDivisionError, match="division"), average.shown():
        _ = 1 / 0
    assert all(torch.equal(live[name], t) for name, t in values(module).items())


def test_weights_under_two_names_come_back_too():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    average = Average(module, 0.9)
    with torch.no_grad():
        module[0].weight.add_(1)
    average.update(1)
    live = values(module)
    for _ in range(2):
        with average.shown():
            assert not torch.equal(values(module)["0.weight"], live["0.weight"])
            assert torch.equal(values(module)["0.weight"], values(module)["1.weight"])
        assert all(torch.equal(live[name], t) for name, t in values(module).items())


def test_counts_are_copied():
    module = net()
    average = Average(module, 0.9)
    train(module, average, 3)
    with average.shown():
        assert module[1].num_batches_tracked == 3


def test_a_restored_average_goes_on_with_the_same_bytes():
    whole, first, second = net(), net(), net()
    expected, one, two = (Average(module, 0.9) for module in (whole, first, second))
    train(whole, expected, 6)
    train(first, one, 4)
    second.load_state_dict(first.state_dict())
    two.restore(load(save(one.tensors())))
    train(second, two, 2, start=4)
    with expected.shown(), two.shown():
        found = values(second)
        assert all(torch.equal(found[name], t) for name, t in values(whole).items())


def test_the_average_of_another_module_is_refused():
    average, other = Average(net(), 0.9), Average(nn.Linear(2, 2), 0.9)
    with pytest.raises(StateError, match=r"expected '0\.weight' of shape \(4, 3\)") as error:
        average.restore(other.tensors())
    assert error.value.slug == "state/other-model"
