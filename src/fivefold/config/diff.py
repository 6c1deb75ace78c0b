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
    pairs = _pairs(old, new)
    if pairs is None:
        if old != new or isinstance(old, bool) != isinstance(new, bool):
            yield Change(key, old, new)
        return
    for name, (first, second) in pairs.items():
        yield from _changes(f"{key}.{name}" if key else str(name), first, second)


def _pairs(old: Any, new: Any) -> dict[str, tuple[Any, Any]] | None:
    """Match the parts of two values; None if they are to be compared as a whole."""
    first, second = _parts(old), _parts(new)
    if first is None or second is None:
        return None
    shared = [name for name in first if name in second]
    in_both = [name for name in second if name in first]
    if isinstance(old, list) and shared != in_both:
        return None
    names = {**first, **second}
    return {name: (first.get(name, ABSENT), second.get(name, ABSENT)) for name in names}


def _parts(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        return None
    names = [next(iter(item)) for item in value if len(item) == 1]
    if len(names) == len(value) == len(set(names)):
        return {name: item[name] for name, item in zip(names, value, strict=True)}
    return {str(index): item for index, item in enumerate(value)}
