import pytest
import torch
from torch import nn

from fivefold.core.errors import ConfigError
from fivefold.optim import (
    Rules,
    build_optimizer,
    check_optimizer,
    optimizers,
    parameter_groups,
    rate_decay,
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


@pytest.fixture(params=[name for name in optimizers.names() if hasattr(torch.optim, name)])
def name(request):
    return request.param


def test_it_steps_as_torchs_own_of_that_name(name):
    ours, theirs = small_net(), small_net()
    options = {} if name == "Rprop" else {"weight_decay": 0.0}
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
    decaying, free = parameter_groups(net.named_parameters(), 0.1, Rules())
    assert [names[id(p)] for p in decaying["params"]] == ["0.weight", "2.weight"]
    assert [names[id(p)] for p in free["params"]] == ["0.bias", "1.weight", "1.bias", "2.bias"]


def test_without_decay_there_is_one_group():
    net = small_net()
    (group,) = parameter_groups(net.named_parameters(), 0.0, Rules())
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


def test_all_weights_decay_where_that_is_asked_for():
    net = small_net()
    (group,) = parameter_groups(net.named_parameters(), 0.1, Rules(spare=False))
    assert group["weight_decay"] == 0.1
    assert len(group["params"]) == 6


def test_weights_that_a_net_spares_do_not_decay():
    net = small_net()
    rules = Rules(spared=frozenset({"2.weight"}))
    decaying, _ = parameter_groups(net.named_parameters(), 0.1, rules)
    assert [id(p) for p in decaying["params"]] == [id(net[0].weight)]


def test_layers_have_groups_of_their_own_with_their_part_of_the_rate():
    net = small_net()
    rules = Rules(scales={"0.weight": 0.25, "0.bias": 0.25, "1.weight": 0.5, "1.bias": 0.5})
    groups = parameter_groups(net.named_parameters(), 0.1, rules)
    assert [(g["weight_decay"], g.get("lr_scale", 1)) for g in groups] == [
        (0.1, 0.25),
        (0.1, 1),
        (0.0, 0.25),
        (0.0, 0.5),
        (0.0, 1),
    ]
    assert sum(len(group["params"]) for group in groups) == 6


def test_options_in_kerass_words_mean_the_same():
    nets = small_net(), small_net()
    keras = {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4, "amsgrad": True}
    torchs = {"betas": [0.8, 0.99], "eps": 1e-4, "amsgrad": True}
    found = [
        take_steps(net, build_optimizer("adam", options, net.named_parameters(), LR))
        for net, options in zip(nets, (keras, torchs), strict=True)
    ]
    assert torch.equal(*found)


def test_one_beta_of_kerass_leaves_the_other_as_it_is():
    net = small_net()
    optimizer = build_optimizer("Nadam", {"beta_1": 0.5}, net.named_parameters(), LR)
    assert optimizer.defaults["betas"] == (0.5, 0.999)


def test_rho_is_the_alpha_of_rmsprop_and_the_rho_of_adadelta():
    net = small_net()
    made = [
        build_optimizer(name, {"rho": 0.8}, net.named_parameters(), LR)
        for name in ("RMSprop", "Adadelta")
    ]
    assert (made[0].defaults["alpha"], made[1].defaults["rho"]) == (0.8, 0.8)


def test_decay_belongs_to_the_learning_rate_and_not_to_the_optimizer():
    assert rate_decay("sgd", {"decay": 0.01, "momentum": 0.9}) == 0.01
    assert rate_decay("sgd", {}) == 0.0
    assert check_optimizer("sgd", {"decay": 0.01}) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Adam", {"eps": 1e-8, "epsilon": 1e-7}, "o.Adam.epsilon: set twice under two names"),
        ("Adam", {"betas": [0.9, 0.99], "beta_1": 0.8}, "o.Adam.beta_1: set twice under two names"),
        ("SGD", {"decay": -1}, "o.SGD.decay: expected a number of at least 0, got -1"),
        ("SGD", {"rho": 0.9}, "o.SGD.rho: unknown key"),
        (
            "Lookahead",
            {"base": "Adem"},
            "o.Lookahead.base: expected the name of a known optimizer,",
        ),
        (
            "Lookahead",
            {"base": {"SGD": {"momentum": -1}}},
            "o.Lookahead.base.SGD.momentum: expected greater than or equal to 0, got -1",
        ),
        (
            "Lookahead",
            {"base": "Lookahead"},
            "o.Lookahead.base: expected an optimizer of weights without `decay`, got 'Lookahead'",
        ),
        ("Lookahead", {"base": 3}, "o.Lookahead.base: expected a name, or one name with a mapping"),
    ],
)
def test_what_is_wrong_with_keras_spellings_and_bases_is_told(name, options, message):
    (problem,) = check_optimizer(name, options, lambda *path: "here", "o")
    assert problem.message.startswith(message)


def test_lookahead_decays_as_its_base_says():
    net = small_net()
    options = {"base": {"AdamW": {"weight_decay": 0.3}}}
    optimizer = build_optimizer("Lookahead", options, net.named_parameters(), LR)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.3, 0.0]
