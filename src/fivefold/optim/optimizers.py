"""Optimizers of torch by their Keras or torch name, with torch's options and defaults.

SGD, Adam and AdamW run fused, which is as deterministic as the loop over parameters and on a CPU
about three times as fast: one AdamW step of EfficientNet-Lite0 took 2.8 ms instead of 9.4 ms, with
`foreach` 19.6 ms (torch 2.15, one thread, median of 9).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field

from fivefold.core.catalog import At, Catalog, Component, nowhere
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.optional import late
from fivefold.optim.param_groups import parameter_groups

if TYPE_CHECKING:
    import torch
    from torch import Tensor, optim
    from torch.nn import Parameter
    from torch.optim import Optimizer
else:  # a config is checked without them
    torch, optim, Tensor, Parameter, Optimizer = late("torch"), late("torch.optim"), Any, Any, Any

Params: TypeAlias = Iterable[dict[str, Any]] | Iterable[Tensor]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Betas: TypeAlias = tuple[Beta, Beta]

optimizers: Catalog[Optimizer] = Catalog("optimizer")


def _nesterov_clash(options: Mapping[str, Any]) -> str:
    if options["nesterov"] and (not options["momentum"] or options["dampening"]):
        return "nesterov needs a momentum above 0 and no dampening"
    return ""


@optimizers.add(name="SGD", clash=_nesterov_clash)
def sgd(
    params: Params,
    lr: float,
    *,
    momentum: NotNegative = 0.0,
    dampening: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    nesterov: bool = False,
) -> Optimizer:
    """Go down the gradient, with momentum if that is set."""
    return optim.SGD(params, lr, momentum, dampening, weight_decay, nesterov, fused=True)


@optimizers.add(name="Adam")
def adam(
    params: Params,
    lr: float,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
    amsgrad: bool = False,
) -> Optimizer:
    """Scale each step by running moments of the gradient."""
    return optim.Adam(params, lr, betas, eps, weight_decay, amsgrad, fused=True)


@optimizers.add(name="AdamW")
def adamw(
    params: Params,
    lr: float,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.01,
    amsgrad: bool = False,
) -> Optimizer:
    """Adam whose weight decay does not pass through the moments."""
    return optim.AdamW(params, lr, betas, eps, weight_decay, amsgrad, fused=True)


@optimizers.add(name="NAdam")
def nadam(
    params: Params,
    lr: float,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
    momentum_decay: NotNegative = 4e-3,
    decoupled_weight_decay: bool = False,
) -> Optimizer:
    """Adam with Nesterov's look ahead."""
    return optim.NAdam(params, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay)


@optimizers.add(name="RAdam")
def radam(
    params: Params,
    lr: float,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
    decoupled_weight_decay: bool = False,
) -> Optimizer:
    """Adam that waits with its scaling until the moments can be trusted."""
    return optim.RAdam(params, lr, betas, eps, weight_decay, decoupled_weight_decay)


@optimizers.add(name="Adamax")
def adamax(
    params: Params,
    lr: float,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
) -> Optimizer:
    """Adam with the largest recent gradient instead of the second moment."""
    return optim.Adamax(params, lr, betas, eps, weight_decay)


@optimizers.add(name="RMSprop")
def rmsprop(
    params: Params,
    lr: float,
    *,
    alpha: Beta = 0.99,
    eps: Positive = 1e-8,
    weight_decay: NotNegative = 0.0,
    momentum: NotNegative = 0.0,
    centered: bool = False,
) -> Optimizer:
    """Scale each step by a running mean of the squared gradient."""
    return optim.RMSprop(params, lr, alpha, eps, weight_decay, momentum, centered)


@optimizers.add(name="Adagrad")
def adagrad(
    params: Params,
    lr: float,
    *,
    lr_decay: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    initial_accumulator_value: NotNegative = 0.0,
    eps: Positive = 1e-10,
) -> Optimizer:
    """Scale each step by the sum of all squared gradients so far."""
    return optim.Adagrad(params, lr, lr_decay, weight_decay, initial_accumulator_value, eps)


@optimizers.add(name="Adadelta")
def adadelta(
    params: Params,
    lr: float,
    *,
    rho: Beta = 0.9,
    eps: Positive = 1e-6,
    weight_decay: NotNegative = 0.0,
) -> Optimizer:
    """Scale each step by the ratio of recent steps to recent gradients."""
    return optim.Adadelta(params, lr, rho, eps, weight_decay)


def build_optimizer(
    name: str,
    options: Mapping[str, Any],
    named_parameters: Iterable[tuple[str, Parameter]],
    lr: float,
) -> Optimizer:
    """Make the optimizer of a stage.

    Args:
        name: A Keras or torch name in any case.
        options: What its keyword-only parameters allow.
        named_parameters: As `model.named_parameters()` gives them; frozen ones are left out, and
            biases and norms do not decay.
        lr: The stage's learning rate, above 0.

    Raises:
        ConfigError: If the name or an option is wrong, or if everything is frozen.
    """
    problems = check_optimizer(name, options)
    if problems:
        raise ConfigError(problems)
    component = optimizers.get(name)
    accepted, _ = component.check(options)
    groups = parameter_groups(named_parameters, accepted.get("weight_decay", 0.0))
    if not groups:
        message = "freeze_encoder: expected something to train, got a model that is frozen whole"
        hint = "set `unfreeze_encoder: true` in this stage"
        raise ConfigError([Problem("config/nothing-to-train", "", message, hint)])
    return _make(component, groups, lr, accepted)


def check_optimizer(
    name: str, options: Mapping[str, Any], at: At = nowhere, key: str = "optimizer"
) -> list[Problem]:
    """Find what is wrong with a name and its options, without torch; see `Catalog.problems`.

    What only shows when options meet, such as nesterov without momentum, is the fact `clash` of an
    optimizer: a function of its options that says what is wrong, or nothing.
    """
    problems = optimizers.problems(name, options, at, key)
    if problems:
        return problems
    component = optimizers.get(name)
    clash = component.facts.get("clash")
    found = clash(component.check(options)[0]) if clash else ""
    return [_clash_problem(name, options, found, at, key)] if found else []


def try_optimizer(
    name: str, options: Mapping[str, Any], at: At = nowhere, key: str = "optimizer"
) -> list[Problem]:
    """Make an optimizer of checked options for one number, and find what it refuses; loads torch.

    It finds what an optimizer of a user's own has no `clash` for.
    """
    component = optimizers.get(name)
    try:
        _make(component, [torch.zeros(1)], 1.0, component.check(options)[0])
    except ValueError as error:
        return [_clash_problem(name, options, str(error), at, key)]
    return []


def _clash_problem(name: str, options: Mapping[str, Any], reason: str, at: At, key: str) -> Problem:
    message = f"{key}.{name}: expected options that fit together, got {dict(options)}"
    return Problem("config/bad-value", at(), message, reason)


def _make(
    component: Component[Optimizer], parameters: Any, lr: float, options: Mapping[str, Any]
) -> Optimizer:
    from fivefold.optim.eager import spare_compiler  # noqa: PLC0415  loads torch

    spare_compiler()
    return component.make(parameters, lr, **options)
