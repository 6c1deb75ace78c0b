import pytest
import torch
from torch import nn

from fivefold.core.errors import ConfigError
from fivefold.optim import (
    build_optimizer,
    check_optimizer,
    optimizers,
    parameter_groups,
    try_optimizer,
)

torch.set_num_threads(1)

LR = 0.01


def small_net(seed=0):
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Linear(7, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net


def weights(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def take_steps(net, optimizer, steps=5, start=0):
    for step in range(start, start + steps):
        x = torch.randn(8, 5, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
    return weights(net)


@pytest.fixture(params=optimizers.names())
def name(request):
    return request.param


def test_it_steps_as_torchs_own_of_that_name(name):
    ours, theirs = small_net(), small_net()
    options = {"weight_decay": 0.0}
    stepped = take_steps(ours, build_optimizer(name, options, ours.named_parameters(), LR))
    reference = getattr(torch.optim, name)(theirs.parameters(), lr=LR, foreach=False, **options)
    torch.testing.assert_close(stepped, take_steps(theirs, reference))


def test_its_defaults_are_torchs(name):
    net = small_net()
    theirs = getattr(torch.optim, name)(net.parameters(), lr=LR).defaults
    options = optimizers.get(name).options()
    for option, value in options.model_dump().items():
        assert value == theirs[option], option


def test_the_same_steps_give_the_same_bytes(name):
    runs = []
    for _ in range(2):
        net = small_net()
        runs.append(take_steps(net, build_optimizer(name, {}, net.named_parameters(), LR)))
    assert torch.equal(*runs)


def test_a_saved_state_goes_on_with_the_same_bytes(name):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    unbroken = small_net()
    expected = take_steps(
        unbroken, build_optimizer(name, options, unbroken.named_parameters(), LR), 6
    )
    first = small_net()
    optimizer = build_optimizer(name, options, first.named_parameters(), LR)
    take_steps(first, optimizer, 3)
    second = small_net(seed=1)
    second.load_state_dict(first.state_dict())
    resumed = build_optimizer(name, options, second.named_parameters(), LR)
    resumed.load_state_dict(optimizer.state_dict())
    assert torch.equal(take_steps(second, resumed, 3, start=3), expected)


def test_it_is_found_in_any_case_and_explains_itself(name):
    assert optimizers.find(name.lower()) is optimizers.find(name.upper())
    assert optimizers.get(name).summary


def test_kerass_spelling_is_known():
    assert optimizers.get("Nadam").name == "NAdam"
    assert optimizers.get("adam").name == "Adam"


def test_every_option_reaches_torch():
    net = small_net()
    options = {"momentum": 0.8, "weight_decay": 0.1, "nesterov": True}
    optimizer = build_optimizer("sgd", options, net.named_parameters(), LR)
    weights_group, free_group = optimizer.param_groups
    assert (weights_group["momentum"], weights_group["nesterov"]) == (0.8, True)
    assert (weights_group["weight_decay"], free_group["weight_decay"]) == (0.1, 0.0)
    assert weights_group["lr"] == LR


def test_biases_and_norms_do_not_decay():
    net = small_net()
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    decaying, free = parameter_groups(net.named_parameters(), 0.1)
    assert [names[id(p)] for p in decaying["params"]] == ["0.weight", "2.weight"]
    assert [names[id(p)] for p in free["params"]] == ["0.bias", "1.weight", "1.bias", "2.bias"]


def test_without_decay_there_is_one_group():
    net = small_net()
    (group,) = parameter_groups(net.named_parameters(), 0.0)
    assert [id(p) for p in group["params"]] == [id(p) for p in net.parameters()]


def test_frozen_parameters_are_left_alone():
    net = small_net()
    net[0].requires_grad_(requires_grad=False)
    before = net[0].weight.detach().clone()
    take_steps(net, build_optimizer("AdamW", {}, net.named_parameters(), LR))
    assert torch.equal(net[0].weight, before)


def test_a_model_that_is_frozen_whole_is_an_error():
    net = small_net().requires_grad_(requires_grad=False)
    with pytest.raises(ConfigError, match="expected something to train, got a model") as error:
        build_optimizer("Adam", {}, net.named_parameters(), LR)
    assert error.value.slug == "config/nothing-to-train"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Adem", {}, "o: expected the name of a known optimizer, got 'Adem'"),
        ("SGD", {"momentums": 0.9}, "o.SGD.momentums: unknown key"),
        ("SGD", {"momentum": -1}, "o.SGD.momentum: expected greater than or equal to 0, got -1"),
        ("SGD", {"momentum": float("inf")}, "o.SGD.momentum: expected a finite number, got inf"),
        ("Adam", {"betas": [0.9, 1.0]}, "o.Adam.betas.1: expected less than 1, got 1.0"),
        (
            "SGD",
            {"nesterov": True},
            "o.SGD: expected options that fit together, got {'nesterov': True}",
        ),
    ],
)
def test_wrong_names_and_options_are_problems(name, options, message):
    (problem,) = check_optimizer(name, options, lambda *path: "here", "o")
    assert problem.message == message
    assert problem.where == "here"


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("dampening", [0.0, 0.5])
def test_what_is_found_without_torch_is_what_torch_refuses(nesterov, momentum, dampening):
    options = {"nesterov": nesterov, "momentum": momentum, "dampening": dampening}
    found, refused = check_optimizer("SGD", options), try_optimizer("SGD", options)
    assert [p.message for p in found] == [p.message for p in refused]


@pytest.mark.parametrize("name", optimizers.names())
def test_the_defaults_of_each_fit_together(name):
    assert check_optimizer(name, {}) == try_optimizer(name, {}) == []
