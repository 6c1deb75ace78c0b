"""Functions of the user's own that a config names: those of its `imports` and its project."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.experiment.imports import modules_of


def find_function(config: ExperimentConfig, name: str, key: str) -> Callable[..., Any]:
    """Find a function or class by its name in the modules that a config has run.

    Args:
        config: Its `imports` and the modules of its project are searched, in this order.
        name: Of the function, in any case.
        key: The key that names it, for messages.

    Raises:
        ConfigError: If there is none.
    """
    known = dict(_callables(config))
    if name in known:
        return known[name]
    folded = {text.casefold(): make for text, make in reversed(known.items())}
    if name.casefold() in folded:
        return folded[name.casefold()]
    message = f"{key}: expected a function of a module in `imports`, got {name!r}"
    otherwise = "name the file that it is in under `imports`, without its ending"
    hint = did_you_mean(name, list(known), otherwise)
    raise ConfigError([Problem("config/no-function", config.where(key), message, hint)])


def call(function: Callable[..., Any], first: Sequence[Any], value: Any) -> Any:
    """Call a function with what stands behind its name in a YAML.

    Args:
        function: Of the user's.
        first: Arguments that come before.
        value: Named arguments, a list of positional ones, one argument, or nothing.
    """
    if value is None:
        return function(*first)
    if isinstance(value, Mapping):
        return function(*first, **value)
    return function(*first, *value) if isinstance(value, list | tuple) else function(*first, value)


def _callables(config: ExperimentConfig) -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in modules_of(config):
        for name, found in vars(module).items():
            if callable(found) and not name.startswith("_"):
                yield name, found
