"""Which class each category of a COCO file belongs to."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.validation import shown
from fivefold.data.coco.document import Category, file_bytes
from fivefold.data.source import in_class_order

CategoryMap: TypeAlias = Mapping[str | int, str | int]
"""A category's id or name to a class: its name, or its number from 0."""


@dataclass(frozen=True)
class Classes:
    """Categories and their classes.

    Attributes:
        names: Of the classes, in the order of the targets' columns.
        of_category: A category's id to its class, counted from 0; others have none.
        of_name: The same for labels that come as captions.
    """

    names: tuple[str, ...]
    of_category: Mapping[int, int]
    of_name: Mapping[str, int]


def classes_of(
    categories: Sequence[Category], where: str, *, level: int = 0, given: CategoryMap | None = None
) -> Classes:
    """Settle the classes.

    Args:
        categories: Those of the file.
        where: What messages name.
        level: How many steps up the chain of `supercategory` a class lies: 0 for the category
            itself; where a chain is shorter, its end.
        given: Classes of one's own; categories that it lacks have none.

    Raises:
        DataError: If the map does not fit, or two categories have one name and no map tells what
            is meant.
    """
    if given is not None:
        return _mapped(categories, where, given)
    above: dict[str, set[str]] = defaultdict(set)
    for category in categories:
        above[category.name].add(category.supercategory or "")
    if not level and len(above) < len(categories):
        raise _twice(categories, where)
    tops = {category.id: _top(category, above, level, where) for category in categories}
    names = in_class_order(tops.values())
    place = {name: number for number, name in enumerate(names)}
    of_category = {key: place[top] for key, top in tops.items()}
    return Classes(names, of_category, _by_name(categories, of_category))


def captions_as_classes(captions: Sequence[str], given: CategoryMap | None, where: str) -> Classes:
    """Settle the classes where labels are captions.

    Args:
        captions: All that occur.
        given: Classes of one's own.
        where: What messages name.

    Raises:
        DataError: If the map does not fit.
    """
    known = in_class_order(captions)
    return classes_of([Category(k, name) for k, name in enumerate(known)], where, given=given)


def read_map(path: Path) -> CategoryMap:
    """Read a map from a JSON file such as `{"1": 0, "2": 1}`.

    Raises:
        DataError: If it is no such file.
    """
    try:
        found = json.loads(
            file_bytes(path), object_pairs_hook=lambda pairs: _each_once(path, pairs)
        )
    except (ValueError, RecursionError) as error:
        msg = f"{path}: expected a category map in JSON, got a file that is not JSON: {error}"
        hint = 'such as {"1": 0, "2": 0, "3": 1}'
        raise DataError(msg, hint=hint, slug="data/category-map") from error
    if not isinstance(found, dict):
        msg = f"{path}: expected a mapping from categories to classes, got {shown(found)}"
        raise DataError(msg, hint='such as {"1": 0, "2": 0}', slug="data/category-map")
    for key, value in found.items():
        if not _is_class(value):
            msg = f"{path}: {key!r}: expected a class by its name or number, got {shown(value)}"
            raise DataError(msg, hint="numbers count from 0", slug="data/category-map")
    return found


def _each_once(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping of what JSON may say twice; only the last would count."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        msg = f"{path}: expected each category once, got {twice!r} twice"
        raise DataError(msg, hint="keep one of them", slug="data/category-map")
    return found


def _is_class(value: Any) -> bool:
    if isinstance(value, str):
        has_halves = any("\ud800" <= letter <= "\udfff" for letter in value)
        return bool(value.strip()) and not has_halves  # of signs, which no file can hold
    return isinstance(value, int) and not isinstance(value, bool)


def _mapped(categories: Sequence[Category], where: str, given: CategoryMap) -> Classes:
    targets = _targets(categories, where, given)
    numbers = {target for target in targets.values() if isinstance(target, int)}
    if not numbers:
        order = in_class_order(str(target) for target in targets.values())
        place = {name: number for number, name in enumerate(order)}
        of_category = {key: place[str(target)] for key, target in targets.items()}
        return Classes(order, of_category, _by_name(categories, of_category))
    if any(isinstance(target, str) for target in targets.values()):
        msg = f"{where}: category_map: expected only names or only numbers of classes, got both"
        raise DataError(msg, hint="give every class a name", slug="data/category-map")
    # As many as there are would reach so far; the highest may be any number.
    gap = next((number for number in range(len(numbers)) if number not in numbers), None)
    if gap is not None:
        lowest = min(numbers)
        wrong = f"{lowest}" if lowest < 0 else f"no category for {gap}"
        msg = f"{where}: category_map: expected classes counted from 0 without a gap, got {wrong}"
        raise DataError(msg, hint="or give the classes names", slug="data/category-map")
    of_category = {key: int(target) for key, target in targets.items()}
    return Classes(_names(categories, of_category), of_category, _by_name(categories, of_category))


def _targets(
    categories: Sequence[Category], where: str, given: CategoryMap
) -> dict[int, str | int]:
    """Find the class of each category that a map names, by its name or its id.

    A key is a name first, as a name may be a number.
    """
    named: dict[str, list[Category]] = defaultdict(list)
    numbered = {str(category.id): [category] for category in categories}
    for category in categories:
        named[category.name].append(category)
    found: dict[int, tuple[str | int, str | int]] = {}
    for key, target in given.items():
        members = named.get(str(key)) or numbered.get(str(key))
        if not members:
            msg = f"{where}: category_map: expected categories of the file, got {key!r}"
            known = ", ".join(f"{c.id} ({c.name})" for c in categories[:8]) or "no category"
            hint = did_you_mean(str(key), list(named), f"it has {known}")
            raise DataError(msg, hint=hint, slug="data/category-map")
        for category in members:
            first, before = found.setdefault(category.id, (key, target))
            if before != target:
                msg = f"{where}: category_map: expected one class for the category {category.id} "
                msg += f"({category.name}), got {before!r} by {first!r} and {target!r} by {key!r}"
                hint = "name it once, by its id or by its name"
                raise DataError(msg, hint=hint, slug="data/category-map")
    return {number: target for number, (_, target) in found.items()}


def _names(categories: Sequence[Category], of_category: Mapping[int, int]) -> tuple[str, ...]:
    """Name numbered classes: after the only category, else after what their categories share."""
    members: dict[int, list[Category]] = defaultdict(list)
    for category in categories:
        if category.id in of_category:
            members[of_category[category.id]].append(category)
    names = []
    for number in range(len(members)):
        shared = {c.supercategory for c in members[number]}
        one = members[number][0].name if len(members[number]) == 1 else ""
        names.append(one or (len(shared) == 1 and next(iter(shared))) or str(number))
    unique = len(set(names)) == len(names)
    return tuple(names) if unique else tuple(map(str, range(len(names))))


def _by_name(categories: Sequence[Category], of_category: Mapping[int, int]) -> dict[str, int]:
    return {c.name: of_category[c.id] for c in categories if c.id in of_category}


def _top(category: Category, above: Mapping[str, set[str]], level: int, where: str) -> str:
    """Climb from a category; the first step is its own, further ones go by names."""
    passed = [category.name]
    uppers = {category.supercategory or ""}
    for _ in range(level):
        if len(uppers) > 1:
            both = " and ".join(map(repr, sorted(uppers)[:2]))
            msg = f"{where}: supercategory: expected one above {passed[-1]!r}, got {both}"
            hint = "say by `category_map` what each id means"
            raise DataError(msg, hint=hint, slug="data/category-map")
        upper = next(iter(uppers))
        if not upper or upper == passed[-1]:  # many files name a top as its own
            break
        if upper in passed:
            chain = " < ".join([*passed, upper])
            msg = f"{where}: supercategory: expected chains with an end, got {chain}"
            raise DataError(msg, hint="mend the categories", slug="data/category-loop")
        passed.append(upper)
        uppers = above.get(upper) or {""}
    return passed[-1]


def _twice(categories: Sequence[Category], where: str) -> DataError:
    first: dict[str, int] = {}
    for category in categories:
        if category.name in first:
            name, ids = category.name, f"{first[category.name]} and {category.id}"
            break
        first[category.name] = category.id
    msg = f"{where}: categories: expected each name once, got {name!r} with the ids {ids}"
    hint = "say by `category_map` what each id means: the same class, or two"
    return DataError(msg, hint=hint, slug="data/category-map")
