"""What of a wrong config is right, so that its names can be checked in the same go."""

import copy
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from fivefold.config.schema import ExperimentConfig
from fivefold.core.errors import ConfigError, Problem

Path = tuple[str | int, ...]


class InvalidConfigError(ConfigError):
    """Keys, types or ranges of a config are wrong.

    Args:
        problems: All of them.
        usable: The config without the values that are wrong, for further checks; None if nothing
            can be made of it.
    """

    def __init__(self, problems: Sequence[Problem], *, usable: ExperimentConfig | None) -> None:
        super().__init__(problems)
        self.usable = usable


def usable_part(values: dict[str, Any], wrong: Sequence[Path]) -> ExperimentConfig | None:
    """Leave out what was refused; None if the rest is no config either.

    Args:
        values: The config as plain values; not changed.
        wrong: The places that pydantic named.
    """
    rest = copy.deepcopy(values)
    for path in wrong:
        _leave_out(rest, path)
    try:
        return ExperimentConfig.model_validate(rest)
    except ValidationError:
        return None


def _leave_out(values: Any, path: Path) -> None:
    """Remove the value at the end of a path, or the last that exists on the way there.

    What is missing, rather than wrong, is a stage's number of epochs: any number does.
    """
    if len(path) == 3 and path[0] == "stages" and path[2] == "epochs":
        values["stages"][path[1]]["epochs"] = 1
        return
    holder, key = values, path[0]
    for step in path[1:]:
        inner = holder[key] if isinstance(holder, dict) and key in holder else None
        inner = holder[key] if isinstance(holder, list) and isinstance(key, int) else inner
        inside = isinstance(inner, dict) and step in inner
        if not inside and not (isinstance(inner, list) and isinstance(step, int)):
            break
        holder, key = inner, step
    if isinstance(holder, dict):
        holder.pop(key, None)
