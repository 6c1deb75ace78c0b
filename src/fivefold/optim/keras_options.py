"""Options of optimizers as Keras spells them: `epsilon`, `beta_1`, `beta_2`, `rho`, `decay`.

Only the spelling is Keras's: what is left out has torch's default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fivefold.core.catalog import At
from fivefold.core.errors import Problem

_BETAS = ("beta_1", "beta_2")
DECAY = "decay"
_SPELLINGS = {"epsilon": "eps", "rho": "alpha"}


@dataclass(frozen=True)
class Translated:
    """An optimizer's options in torch's words.

    Attributes:
        options: Without `decay`.
        spelled: For each option the word that the config has for it.
        doubled: Options that are set under two names.
        decay: Of the learning rate from step to step; as it was written, 0 if not at all.
    """

    options: Mapping[str, Any]
    spelled: Mapping[str, str]
    doubled: tuple[str, ...]
    decay: Any


def from_keras(options: Mapping[str, Any], known: Mapping[str, Any]) -> Translated:
    """Translate options.

    Args:
        options: As they were written.
        known: The optimizer's own options and their defaults; only spellings of one of these are
            translated, and only where the optimizer has no option of the very name.
    """
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    doubled = []
    betas = list(known.get("betas", ()))
    for name, value in options.items():
        meant, given = name, value
        if name in _SPELLINGS and name not in known and _SPELLINGS[name] in known:
            meant = _SPELLINGS[name]
        elif name in _BETAS and len(betas) == len(_BETAS):
            betas[_BETAS.index(name)] = value
            meant, given = "betas", tuple(betas)
        elif name == DECAY and name not in known:
            continue
        both = meant in found and not (name in _BETAS and spelled[meant] in _BETAS)
        doubled += [name] if both else []
        found[meant], spelled[meant] = given, name
    return Translated(found, spelled, tuple(doubled), options.get(DECAY, 0) or 0)


def decay_problems(translated: Translated, at: At, key: str) -> list[Problem]:
    """Find what is wrong with `decay`, and options that are set twice."""
    problems = [
        Problem("config/duplicate-key", at(name), f"{key}.{name}: set twice under two names")
        for name in translated.doubled
    ]
    decay = translated.decay
    is_number = isinstance(decay, int | float) and not isinstance(decay, bool)
    if not is_number or not 0 <= decay < float("inf"):
        message = f"{key}.{DECAY}: expected a number of at least 0, got {decay!r}"
        problems.append(Problem("config/bad-value", at(DECAY), message))
    return problems
