import subprocess
import sys

import pytest
import torch
from torch import nn

from fivefold.optim import build_optimizer, optimizers
from fivefold.optim.eager import take_step

torch.set_num_threads(1)

TRAIN = """
import sys, torch
from torch import nn
from fivefold.optim import build_optimizer, try_optimizer
from fivefold.optim.eager import take_step
assert not try_optimizer("{name}", {{}})
net = nn.Linear(3, 2)
optimizer = build_optimizer("{name}", {{}}, list(net.named_parameters()), 0.1)
net(torch.ones(1, 3)).sum().backward()
take_step(optimizer)
optimizer.zero_grad(set_to_none=True)
optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_training_does_not_load_torchs_compiler(name):
    code = TRAIN.format(name=name)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False"]


def trained(name, step):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Linear(7, 3))
    optimizer = build_optimizer(name, {}, list(net.named_parameters()), 0.05)
    for _ in range(4):
        net(torch.randn(8, 5)).square().mean().backward()
        step(optimizer)
        optimizer.zero_grad(set_to_none=True)
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


@pytest.mark.parametrize("name", sorted(optimizers.names()))
def test_a_step_has_the_bits_of_torchs_own(name):
    assert torch.equal(trained(name, take_step), trained(name, lambda o: o.step()))


class Halving(torch.optim.SGD):
    """A user's optimizer, whose step is wrapped."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.mul_(0.5)


def test_a_users_own_step_is_taken_as_it_is():
    parameter = nn.Parameter(torch.ones(1))
    take_step(Halving([parameter], lr=0.1))
    assert parameter.item() == 0.5
