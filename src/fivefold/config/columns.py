"""What differs between many configs: one column for each key, one value for each config."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from fivefold.config.diff import ABSENT
from fivefold.config.keys import ExperimentKeys
from fivefold.config.musket import SYNONYMS

_STAGES = "stages"
_ORDER = " (order)"


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Find the keys in which at least two configs differ.

    Nested mappings become dotted keys, stages are counted from 0, augmenters and callbacks go by
    their names; another list is one value. A key that a config lacks has its default, so that a
    default which is written out is no difference. Where two configs have the same augmenters in
    another order, there is a column for that.

    Args:
        configs: As `ExperimentConfig.as_mapping` gives them, or as a file has them.

    Returns:
        Dotted key to its values in the order of `configs`, ABSENT where there is none; keys in the
        order in which they are met first.
    """
    flat = [dict(_flat("", config)) for config in configs]
    keys = dict.fromkeys(key for values in flat for key in values)
    columns = {key: [values.get(key, _default(key, values)) for values in flat] for key in keys}
    return {key: column for key, column in columns.items() if _differs(key, column)}


def _differs(key: str, column: Sequence[Any]) -> bool:
    if not key.endswith(_ORDER):
        return len(set(map(_known, column))) > 1
    orders = defaultdict(set)
    for names in column:
        if names is not ABSENT:
            orders[frozenset(names)].add(tuple(names))
    return any(len(found) > 1 for found in orders.values())


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values; what holds nothing is a value itself."""
    parts = _parts(key, value)
    if not parts:
        yield from [(key, value)] if key else []
        return
    for name, part in parts.items():
        yield from _flat(f"{key}.{name}" if key else name, part)
    if key.rpartition(".")[2] in ("augmentation", "transforms"):
        yield key + _ORDER, list(parts)


def _parts(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    if not isinstance(value, list) or not any(isinstance(item, Mapping) for item in value):
        return {}
    if key == _STAGES:
        return {str(number): item for number, item in enumerate(value)}
    parts: dict[str, Any] = {}
    for item in value:
        is_step = isinstance(item, Mapping) and len(item) == 1
        name, part = next(iter(item.items())) if is_step else (item, None)
        number = sum(known.partition("#")[0] == str(name) for known in parts)
        parts[f"{name}#{number + 1}" if number else str(name)] = part
    return parts


def _default(key: str, values: Mapping[str, Any]) -> Any:
    """Give what a key means that is not there; nothing if a part of it is."""
    if any(other.startswith((f"{key}.", f"{key} (")) for other in values):
        return ABSENT
    return _DEFAULTS.get(key, ABSENT)


def _known(value: Any) -> Hashable:
    """Tell values apart: 1 and 1.0 are one, 1 and true are two, lists are what they show."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def _defaults() -> dict[str, Any]:
    found = {}
    for name, field in ExperimentKeys.model_fields.items():
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        if isinstance(default, bool | int | float | str | list) and default != []:
            found[field.alias or name] = default
    return found


_DEFAULTS = _defaults()


def canonical_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the synonyms of keys in a config and in its stages; the first of two counts."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found.setdefault(SYNONYMS.get(key, key), value)
    stages = found.get(_STAGES)
    if isinstance(stages, list):
        renamed = [canonical_keys(s) if isinstance(s, Mapping) else s for s in stages]
        found[_STAGES] = renamed
    return found
