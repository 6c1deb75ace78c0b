"""From an optimizer's name and options to an optimizer over a model's parameters."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fivefold.core.catalog import At, Component, nowhere
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.optional import late
from fivefold.optim.keras_options import Translated, decay_problems, from_keras
from fivefold.optim.optimizers import Params, optimizers
from fivefold.optim.param_groups import Rules, parameter_groups

if TYPE_CHECKING:
    import torch
    from torch.nn import Parameter
    from torch.optim import Optimizer
else:  # a config is checked without them
    torch, Parameter, Optimizer = late("torch"), Any, Any

_EVERYTHING = Rules()


def build_optimizer(
    name: str,
    options: Mapping[str, Any],
    named_parameters: Iterable[tuple[str, Parameter]],
    lr: float,
    rules: Rules = _EVERYTHING,
) -> Optimizer:
    """Make the optimizer of a stage.

    Args:
        name: A Keras or torch name in any case.
        options: What its keyword-only parameters allow, in torch's or Keras's words.
        named_parameters: As `model.named_parameters()` gives them; frozen ones are left out.
        lr: The stage's learning rate, above 0.
        rules: What does not decay, and what learns more slowly.

    Raises:
        ConfigError: If the name or an option is wrong, or if everything is frozen.
    """
    problems = check_optimizer(name, options)
    if problems:
        raise ConfigError(problems)
    component = optimizers.get(name)
    accepted, _ = component.check(_translated(component, options).options)
    groups = parameter_groups(named_parameters, _weight_decay(component, accepted), rules)
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
    component = optimizers.find(name)
    if component is None:
        return optimizers.problems(name, options, at, key)
    translated = _translated(component, options)

    def at_spelled(*path: str | int) -> str:
        return at(*(translated.spelled.get(str(step), step) for step in path))

    problems = [
        *optimizers.problems(name, translated.options, at_spelled, key),
        *decay_problems(translated, at, f"{key}.{name}"),
    ]
    if problems:
        return problems
    accepted = component.check(translated.options)[0]
    clash, inner = component.facts.get("clash"), component.facts.get("inner")
    found = clash(accepted) if clash else ""
    if found:
        return [_clash_problem(name, options, found, at, key)]
    return inner(accepted, at, f"{key}.{name}") if inner else []


def try_optimizer(
    name: str, options: Mapping[str, Any], at: At = nowhere, key: str = "optimizer"
) -> list[Problem]:
    """Make an optimizer of checked options for one number, and find what it refuses; loads torch.

    It finds what an optimizer of a user's own has no `clash` for.
    """
    component = optimizers.get(name)
    accepted = component.check(_translated(component, options).options)[0]
    try:
        _make(component, [torch.zeros(1)], 1.0, accepted)
    except ValueError as error:
        return [_clash_problem(name, options, str(error), at, key)]
    return []


def rate_decay(name: str, options: Mapping[str, Any]) -> float:
    """Give the decay of the learning rate that an optimizer's checked options ask for, as Keras."""
    component = optimizers.find(name)
    return float(_translated(component, options).decay) if component else 0.0


def _translated(component: Component[Optimizer], options: Mapping[str, Any]) -> Translated:
    fields = component.options.model_fields
    return from_keras(options, {name: field.default for name, field in fields.items()})


def _clash_problem(name: str, options: Mapping[str, Any], reason: str, at: At, key: str) -> Problem:
    message = f"{key}.{name}: expected options that fit together, got {dict(options)}"
    return Problem("config/bad-value", at(), message, reason)


def _make(
    component: Component[Optimizer], parameters: Any, lr: float, options: Mapping[str, Any]
) -> Optimizer:
    from fivefold.optim.eager import spare_compiler  # noqa: PLC0415  loads torch

    spare_compiler()
    return component.make(parameters, lr, **options)


def _weight_decay(component: Component[Optimizer], accepted: Mapping[str, Any]) -> float:
    if component.make is lookahead:
        base, options = _base(accepted["base"])
        found = optimizers.get(base)
        return _weight_decay(found, found.check(_translated(found, options).options)[0])
    return float(accepted.get("weight_decay", 0.0))


def _base(value: Any) -> tuple[str, Mapping[str, Any]]:
    """Read `Name` or `{Name: {option: value}}`.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        name, options = next(iter(value.items()))
        if isinstance(options, Mapping | None):
            return str(name), options or {}
    msg = "a name, or one name with a mapping of its options"
    raise ValueError(msg)


def _base_problems(accepted: Mapping[str, Any], at: At, key: str) -> list[Problem]:
    try:
        name, options = _base(accepted["base"])
    except ValueError as error:
        message = f"{key}.base: expected {error}, got {accepted['base']!r}"
        return [Problem("config/bad-value", at("base"), message)]
    found = check_optimizer(name, options, lambda *path: at("base", name, *path), f"{key}.base")
    if not found and (optimizers.get(name).make is lookahead or rate_decay(name, options)):
        message = f"{key}.base: expected an optimizer of weights without `decay`, got {name!r}"
        found = [Problem("config/bad-value", at("base"), message)]
    return found


@optimizers.add(name="Lookahead", inner=_base_problems)
def lookahead(
    params: Params,
    lr: float,
    *,
    base: Any = "Adam",
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.5,
    k: Annotated[int, Field(ge=1)] = 6,
) -> Optimizer:
    """Let another optimizer, `base`, go `k` steps ahead, then follow it part of the way.

    References:
        Zhang et al., 2019, https://arxiv.org/abs/1907.08610
    """
    from fivefold.optim.lookahead import Lookahead  # noqa: PLC0415  loads torch

    name, options = _base(base)
    component = optimizers.get(name)
    accepted = component.check(_translated(component, options).options)[0]
    return Lookahead(_make(component, params, lr, accepted), alpha, k)
