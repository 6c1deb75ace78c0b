"""The numbers that callbacks and checkpoints may watch, and which way they are better."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, cast

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.types import Head
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.mask_names import find_mask_metric
from fivefold.evaluation.metrics import find_metric, metrics

Direction: TypeAlias = Literal["min", "max"]

HOLDOUT = "_holdout"
"""The end of a metric's name where its value on the holdout is meant."""


def direction(name: str) -> Direction:
    """Say whether a watched number is better when it falls or when it rises.

    Args:
        name: `loss` or a metric, with or without `val_` and the name of a head in front.

    Raises:
        ConfigError: If it is neither.
    """
    candidates = _without_prefixes(name)
    for candidate in candidates:
        if candidate == "loss":
            return "min"
        component = _find(candidate)
        if component is not None:
            return cast("Direction", component.facts["best"])
    # last, since a head may be called as a number of a class is: its metrics are known
    of_class = next(filter(None, map(find_mask_metric, candidates)), None)
    if of_class is not None:
        return cast("Direction", of_class.facts["best"])
    hint = did_you_mean(name, ["loss", "val_loss", *_spellings()], "or say `min` or `max` yourself")
    message = f"expected `loss` or a metric, whose better direction is known, got {name!r}"
    raise ConfigError([Problem("config/unknown-monitor", "", message, hint)])


def monitor_names(names: Sequence[str], heads: Sequence[Head]) -> list[str]:
    """List everything that can be watched in a run with these metrics.

    Args:
        names: The metrics of the config.
        heads: The heads of the model; several give `<head>_<metric>` each, and their losses in
            validation.
    """
    plain = ["loss", *names]
    if len(heads) > 1:
        plain += [f"{head.name}_{name}" for name in names for head in heads]
    losses = [f"val_{head.name}_loss" for head in heads] if len(heads) > 1 else []
    return [*dict.fromkeys([*plain, *(f"val_{name}" for name in plain), *losses])]


def resolve_monitor(name: str, available: Iterable[str]) -> str | None:
    """Find the number that a name means, whatever spelling of the metric either one uses.

    Musket's configs say `metrics: [accuracy]` and watch `val_acc`.

    Args:
        name: What the config says.
        available: What there is to watch; see `monitor_names`.

    Returns:
        One of `available`, or None.
    """
    candidates = list(available)
    if name in candidates:
        return name
    return next((found for found in candidates if _key(found) == _key(name)), None)


def base_of(name: str) -> str:
    """Name the metric in `macro_f1_holdout` or `val_macro_f1`."""
    return name.removeprefix("val_").removesuffix(HOLDOUT)


def is_better(new: float, best: float, mode: Direction) -> bool:
    """Say whether a number is strictly better; NaN never is, and anything else beats NaN."""
    if math.isnan(new) or math.isnan(best):
        return math.isnan(best) and not math.isnan(new)
    return new > best if mode == "max" else new < best


def _key(name: str) -> str:
    """Spell the metric in a watched name canonically."""
    folded = name.strip().casefold()
    for candidate in _without_prefixes(folded):
        component = _find(candidate)
        if component is not None:
            return folded.removesuffix(candidate) + component.name
    return folded


def _find(name: str) -> Component[float] | None:
    """Look up a metric of either kind: a name that both have means the same in both."""
    return find_metric(name) or mask_metrics.find(name)


def _without_prefixes(name: str) -> list[str]:
    """List what may be the metric in a watched name, the longest first."""
    words = name.strip().casefold().split("_")
    return ["_".join(words[start:]) for start in range(len(words))]


def _spellings() -> list[str]:
    spellings = metrics.spellings()
    return [*spellings, *(f"val_{name}" for name in spellings)]
