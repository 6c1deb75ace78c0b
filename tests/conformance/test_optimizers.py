"""What every optimizer promises: the steps of its paper, and the same bytes after a resume."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from fivefold.engine.tensors import flatten, restore
from fivefold.optim import build_optimizer, check_optimizer, optimizers, try_optimizer

torch.set_num_threads(1)

LR, STEPS = 0.02, 8


@pytest.fixture(params=optimizers.names())
def name(request):
    return request.param


class Weights(nn.Module):
    """Two matrices, whose gradients are given."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        rng = np.random.default_rng(0)
        shapes = {"first": (3, 4), "second": (4, 2)}
        for key, shape in shapes.items():
            setattr(self, key, nn.Parameter(torch.tensor(rng.normal(size=shape), dtype=dtype)))

    def values(self):
        return [p.detach().numpy().copy() for p in self.parameters()]


def gradients(step):
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=shape) for shape in ((3, 4), (4, 2))]


def take(model, optimizer, steps):
    for step in steps:
        for parameter, gradient in zip(model.parameters(), gradients(step), strict=True):
            parameter.grad = torch.tensor(gradient, dtype=parameter.dtype)
        optimizer.step()
    return model.values()


# Each follows its paper; `s` holds what it remembers of one matrix, `t` counts steps from 1.


def sgd(w, g, s, t, *, momentum=0.9, decay=0.1, nesterov=True):
    g = g + decay * w
    s["v"] = g if t == 1 else momentum * s["v"] + g
    return w - LR * (g + momentum * s["v"] if nesterov else s["v"])


def moments(g, s, t, b1, b2):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    return s["m"] / (1 - b1**t), s["v"] / (1 - b2**t)


def adam(w, g, s, t):
    moments(g, s, t, 0.9, 0.999)
    s["max"] = np.maximum(s.get("max", 0), s["v"])
    return w - LR * (s["m"] / (1 - 0.9**t)) / (np.sqrt(s["max"] / (1 - 0.999**t)) + 1e-8)


def adamw(w, g, s, t):
    m, v = moments(g, s, t, 0.9, 0.999)
    return w * (1 - LR * 0.01) - LR * m / (np.sqrt(v) + 1e-8)


def adamax(w, g, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["u"] = np.maximum(0.999 * s.get("u", 0), np.abs(g) + 1e-8)
    return w - LR / (1 - 0.9**t) * s["m"] / s["u"]


def nadam(w, g, s, t):
    mu = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * (t + i))) for i in (0, 1)]
    s["product"] = s.get("product", 1) * mu[0]
    _, v = moments(g, s, t, 0.9, 0.999)
    ahead = mu[1] * s["m"] / (1 - s["product"] * mu[1])
    now = (1 - mu[0]) * g / (1 - s["product"])
    return w - LR * (ahead + now) / (np.sqrt(v) + 1e-8)


def radam(w, g, s, t):
    m, _ = moments(g, s, t, 0.9, 0.999)
    most = 2 / (1 - 0.999) - 1
    length = most - 2 * t * 0.999**t / (1 - 0.999**t)
    if length <= 5:
        return w - LR * m
    top = (length - 4) * (length - 2) * most
    rectified = math.sqrt(top / ((most - 4) * (most - 2) * length))
    return w - LR * m * rectified * math.sqrt(1 - 0.999**t) / (np.sqrt(s["v"]) + 1e-8)


def rmsprop(w, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    return w - LR * g / (np.sqrt(s["v"]) + 1e-7)


def adagrad(w, g, s, t):
    s["sum"] = s.get("sum", 0) + g**2
    return w - LR * g / (np.sqrt(s["sum"]) + 1e-10)


def adadelta(w, g, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    step = np.sqrt(s.get("d", 0) + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["d"] = 0.9 * s.get("d", 0) + 0.1 * step**2
    return w - LR * step


def rprop(w, g, s, t):
    sign = np.sign(g * s.get("g", 0))
    size = s.get("size", np.full_like(w, LR))
    s["size"] = np.clip(size * np.where(sign > 0, 1.2, np.where(sign < 0, 0.5, 1.0)), 1e-6, 50)
    s["g"] = np.where(sign < 0, 0, g)
    return w - np.sign(s["g"]) * s["size"]


def novograd(w, g, s, t):
    norm = (g**2).sum()
    s["v"] = norm if t == 1 else 0.98 * s["v"] + 0.02 * norm
    s["m"] = 0.95 * s.get("m", 0) + g / (math.sqrt(s["v"]) + 1e-8)
    return w - LR * s["m"]


def lion(w, g, s, t):
    before = s.get("m", 0)
    s["m"] = 0.99 * before + 0.01 * g
    return w - LR * np.sign(0.9 * before + 0.1 * g)


def lamb(w, g, s, t):
    m, v = moments(g, s, t, 0.9, 0.999)
    step = m / (np.sqrt(v) + 1e-6) + 0.01 * w
    return w - LR * np.linalg.norm(w) / np.linalg.norm(step) * step


def lookahead(w, g, s, t):
    s.setdefault("slow", w)
    w = adam_plain(w, g, s, t)
    if t % 3 == 0:
        s["slow"] = w = s["slow"] + 0.4 * (w - s["slow"])
    return w


def adam_plain(w, g, s, t):
    m, v = moments(g, s, t, 0.9, 0.999)
    return w - LR * m / (np.sqrt(v) + 1e-8)


PAPERS = {
    "Adadelta": (adadelta, {}),
    "Adagrad": (adagrad, {}),
    "Adam": (adam, {"amsgrad": True}),
    "Adamax": (adamax, {}),
    "AdamW": (adamw, {}),
    "Lamb": (lamb, {"max_grad_norm": None}),
    "Lion": (lion, {}),
    "Lookahead": (lookahead, {"base": "Adam", "alpha": 0.4, "k": 3}),
    "NAdam": (nadam, {}),
    "NovoGrad": (novograd, {}),
    "RAdam": (radam, {}),
    "RMSprop": (rmsprop, {"rho": 0.9, "epsilon": 1e-7}),
    "Rprop": (rprop, {}),
    "SGD": (sgd, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
}


def test_its_steps_are_those_of_its_paper(name):
    paper, options = PAPERS[name]
    model = Weights()
    expected, states = model.values(), ({}, {})
    for step in range(STEPS):
        given = zip(expected, gradients(step), states, strict=True)
        expected = [paper(w, g, s, step + 1) for w, g, s in given]
    optimizer = build_optimizer(name, options, model.named_parameters(), LR)
    for found, wanted in zip(take(model, optimizer, range(STEPS)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("broken_at", [1, 3, 6])
def test_a_committed_state_goes_on_with_the_same_bytes(name, broken_at):
    options = PAPERS[name][1]
    # torch counts in float32, also for weights of float64
    whole, first, second = (Weights(torch.float32) for _ in range(3))
    made = [
        build_optimizer(name, options, m.named_parameters(), LR) for m in (whole, first, second)
    ]
    expected = take(whole, made[0], range(STEPS))
    take(first, made[1], range(broken_at))
    tensors, numbers = flatten(first, made[1])
    with torch.no_grad():
        second.first.zero_()
    restore(second, made[2], load(save(tensors)), numbers)
    found = take(second, made[2], range(broken_at, STEPS))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_step_goes_down_the_gradient(name):
    model = Weights()
    before = model.values()
    options = (
        {"weight_decay": 0} if "weight_decay" in optimizers.get(name).options.model_fields else {}
    )
    after = take(model, build_optimizer(name, options, model.named_parameters(), LR), [0])
    for old, new, gradient in zip(before, after, gradients(0), strict=True):
        assert ((new - old) * gradient).sum() < 0


def test_it_has_the_rate_that_its_groups_say(name):
    moved = []
    for rate in (0.0, LR):
        model = Weights()
        before = model.values()
        optimizer = build_optimizer(name, {}, model.named_parameters(), LR)
        for group in optimizer.param_groups:
            group["lr"] = rate
        moved.append(
            max(abs(a - b).max() for a, b in zip(before, take(model, optimizer, [0]), strict=True))
        )
    # Rprop has its rate only to begin with
    assert moved[0] < 1e-12 or name == "Rprop"
    assert moved[1] > 1e-5


def test_its_defaults_fit_together(name):
    assert check_optimizer(name, {}) == try_optimizer(name, {}) == []


def test_it_is_found_in_any_case_and_explains_itself(name):
    assert optimizers.find(name.lower()) is optimizers.find(name.upper())
    assert optimizers.get(name).summary
