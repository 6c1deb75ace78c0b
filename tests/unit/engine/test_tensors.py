import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from fivefold.core.errors import StateError
from fivefold.engine.tensors import flatten, load_model_tensors, model_tensors, restore
from fivefold.optim import build_optimizer, optimizers


def small_net():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(2))
    net(torch.zeros(1, 3, 5, 5))
    return net.to(memory_format=torch.channels_last)


def step(net, optimizer, seed):
    torch.manual_seed(seed)
    net(torch.randn(4, 3, 5, 5)).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("name", optimizers.names())
def test_training_goes_on_to_the_same_bits_with_every_optimizer(name):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    unbroken, broken = small_net(), small_net()
    first = build_optimizer(name, options, list(unbroken.named_parameters()), 0.01)
    second = build_optimizer(name, options, list(broken.named_parameters()), 0.01)
    for seed in range(3):
        step(unbroken, first, seed)
        step(broken, second, seed)
    tensors, numbers = flatten(broken, second)
    resumed = small_net()
    third = build_optimizer(name, options, list(resumed.named_parameters()), 0.01)
    restore(resumed, third, tensors, numbers)
    for seed in range(3, 6):
        step(unbroken, first, seed)
        step(resumed, third, seed)
    for a, b in zip(unbroken.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_an_optimizers_averages_lie_in_memory_as_their_parameters():
    net = small_net()
    optimizer = build_optimizer("Adam", {}, list(net.named_parameters()), 0.01)
    step(net, optimizer, 0)
    tensors, numbers = flatten(net, optimizer)
    resumed = small_net()
    again = build_optimizer("Adam", {}, list(resumed.named_parameters()), 0.01)
    restore(resumed, again, tensors, numbers)
    kernel = resumed[0].weight
    assert again.state[kernel]["exp_avg"].stride() == kernel.stride()


def test_weights_of_another_model_are_refused():
    with pytest.raises(StateError, match="expected those of this model") as error:
        load_model_tensors(small_net(), {"other": torch.zeros(1)})
    assert error.value.slug == "state/other-model"


def test_weights_under_two_names_are_saved_and_come_back():
    def tied():
        net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        net[1].weight = net[0].weight
        return net

    net, other = tied(), tied()
    load_model_tensors(other, load(save(model_tensors(net))))
    assert all(torch.equal(t, other.state_dict()[name]) for name, t in net.state_dict().items())
    assert other[0].weight is other[1].weight
