"""Which keys differ between two configs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


class _Absent:
    """The value of a key that is not set; unlike None, which a config can say."""

    def __repr__(self) -> str:
        return "(not set)"


ABSENT: Final = _Absent()


@dataclass(frozen=True)
class Change:
    """One key that differs.

    Attributes:
        key: Dotted, such as `stages.0.lr`.
        old: Its first value, or ABSENT.
        new: Its second value, or ABSENT.
    """

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: {self.old!r} -> {self.new!r}"


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Compare two mappings as `ExperimentConfig.as_mapping` gives them.

    Stages are compared one by one, augmenters and callbacks by name as long as their order is the
    same; every other list is one value.

    Returns:
        The keys that differ, in the order of `old`, then what only `new` has.
    """
    return list(_changes("", old, new))


def _changes(key: str, old: Any, new: Any) -> Iterator[Change]:
    pairs = _pairs(key, old, new)
    if pairs is None:
        if old != new or isinstance(old, bool) != isinstance(new, bool):
            yield Change(key, old, new)
        return
    for name, (first, second) in pairs.items():
        yield from _changes(f"{key}.{name}" if key else str(name), first, second)


def _pairs(key: str, old: Any, new: Any) -> dict[str, tuple[Any, Any]] | None:
    """Match the parts of two values; None if they are to be compared as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        first, second = _of_mapping(old), _of_mapping(new)
    elif _is_list_of_mappings(old) and _is_list_of_mappings(new):
        by_name = key != "stages" and _has_names(old) and _has_names(new)
        first, second = _of_list(old, by_name=by_name), _of_list(new, by_name=by_name)
        if [name for name in first if name in second] != [name for name in second if name in first]:
            return None
    else:
        return None
    return {
        name: (first.get(name, ABSENT), second.get(name, ABSENT)) for name in {**first, **second}
    }


def _of_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()}


def _of_list(items: list[Mapping[str, Any]], *, by_name: bool) -> dict[str, Any]:
    if by_name:
        return {str(name): options for item in items for name, options in item.items()}
    return {str(index): item for index, item in enumerate(items)}


def _is_list_of_mappings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _has_names(items: list[Mapping[str, Any]]) -> bool:
    """Say whether each item is one name with its options, and none appears twice."""
    names = {str(name) for item in items for name in item}
    return len(names) == len(items) and all(len(item) == 1 for item in items)
