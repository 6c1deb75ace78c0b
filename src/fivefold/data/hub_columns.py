"""Which columns of a data set of the hub are images and labels, and what the labels say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import Floats, Indices
from fivefold.data.coco.targets import hot_rows
from fivefold.data.packed_numbers import PackedTargets
from fivefold.data.source import Labels, in_class_order

Features: TypeAlias = Mapping[str, Any]
"""Of a data set: a column's name to what `datasets` says of its values."""
_USUAL = ("label", "labels")
_TEXT = ("string", "large_string")
_BYTES = ("binary", "large_binary")


@dataclass(frozen=True, eq=False)
class Truth:
    """What a column of labels says.

    Attributes:
        kept: Positions of the samples that have a label [N].
        count: How many samples there are, with and without.
        labels: What the targets' columns mean.
        targets: Truth of the kept ones [N, C].
        unused: Names of classes that no sample has.
    """

    kept: Indices
    count: int
    labels: tuple[Labels, ...] = ()
    targets: Floats | PackedTargets | None = None
    unused: tuple[str, ...] = ()


def kind_of(feature: Any) -> str:
    """Name what a column holds: "Image", "ClassLabel", "List", or the type of plain values."""
    name = type(feature).__name__
    if name == "Value":
        return str(feature.dtype)
    return "List" if name in ("List", "LargeList", "Sequence") else name


def image_column(features: Features, asked: str | None, where: str) -> str:
    """Find the column of images.

    Args:
        features: The columns.
        asked: Its name; None to take the only one.
        where: What messages name.

    Raises:
        DataError: If there is no such column, or it holds no images, or there are several.
    """
    found = [name for name, feature in features.items() if kind_of(feature) == "Image"]
    if asked is None and len(found) == 1:
        return found[0]
    if asked is None:
        got = f"{len(found)} ({', '.join(map(repr, found))})" if found else "none"
        msg = f"{where}: expected one column of images, got {got}"
        raise DataError(msg, hint=_choose("image_column", features), slug="data/hub-columns")
    kind = kind_of(features[_known(features, asked, "image_column", where)])
    if kind not in ("Image", *_BYTES):
        msg = f"{where}: image_column: expected images or bytes in {asked!r}, got {kind}"
        raise DataError(msg, hint=_choose("image_column", features), slug="data/hub-columns")
    return asked


def label_column(features: Features, asked: str | None, where: str) -> str | None:
    """Find the column of labels: the only one of classes, or else `label` or `labels`.

    Args:
        features: The columns.
        asked: Its name; None to find it.
        where: What messages name.

    Returns:
        None where there is none.

    Raises:
        DataError: If there is no such column, it holds no labels, or there are several.
    """
    if asked is not None:
        _known(features, asked, "label_column", where)
        if _one(features[asked]) is None:
            kind = kind_of(features[asked])
            msg = f"{where}: label_column: expected classes, texts or whole numbers in {asked!r}, "
            msg += f"got {kind}"
            raise DataError(msg, hint=_choose("label_column", features), slug="data/hub-columns")
        return asked
    found = [name for name in features if kind_of(_inner(features[name])) == "ClassLabel"]
    usual = [name for name in _USUAL if name in features and _one(features[name]) is not None]
    if len(found) > 1 and not usual:
        msg = f"{where}: expected one column of classes, got {', '.join(map(repr, found))}"
        raise DataError(msg, hint=_choose("label_column", features), slug="data/hub-columns")
    return next(iter(usual or found), None)


def truth_of(feature: Any, batches: Iterable[Sequence[Any]]) -> Truth:
    """Read a column of labels.

    Args:
        feature: What `datasets` says of the column.
        batches: Its values, some at a time.
    """
    name_of, several = _names(feature), kind_of(feature) == "List"
    codes: dict[str, int] = {}
    kept, rows, classes, count = list[int](), list[int](), list[int](), 0
    for values in batches:
        for position, value in enumerate(values, start=count):
            names = [name_of(part) for part in (value or ())] if several else [name_of(value)]
            if value is None or None in names:
                continue
            rows += [len(kept)] * len(names)
            classes += [codes.setdefault(str(name), len(codes)) for name in names]
            kept.append(position)
        count += len(values)
    known = getattr(_inner(feature), "names", None)
    order = tuple(n for n in known if n in codes) if known else in_class_order(codes)
    unused = tuple(name for name in known or () if name not in codes)
    place = {name: k for k, name in enumerate(order)}
    column = np.asarray([place[name] for name in codes], dtype=np.int64)
    positions = np.asarray(kept, dtype=np.int64)
    if not kept or not codes:
        return Truth(positions[:0], count)
    pairs = np.asarray(rows, dtype=np.int64), column[np.asarray(classes, dtype=np.int64)]
    targets = hot_rows(*pairs, len(kept), len(order))
    return Truth(positions, count, (Labels("", order, exclusive=not several),), targets, unused)


def _names(feature: Any) -> Callable[[Any], str | None]:
    """Make what turns a value into the name of a class; None where it says that there is none."""
    names = getattr(_inner(feature), "names", None)
    if names is None:
        return lambda value: None if value is None or value == "" else str(value)
    # -1 is what the hub's test sets have where the truth is kept back
    return lambda value: None if value is None or value < 0 else names[value]


def _inner(feature: Any) -> Any:
    return feature.feature if kind_of(feature) == "List" else feature


def _one(feature: Any) -> str | None:
    """Say what single labels of a column are; None where it holds no labels."""
    kind = kind_of(_inner(feature))
    plain = kind in _TEXT or kind == "bool" or kind.startswith(("int", "uint"))
    return kind if plain or kind == "ClassLabel" else None


def _known(features: Features, asked: str, key: str, where: str) -> str:
    if asked in features:
        return asked
    msg = f"{where}: {key}: expected a column of the data set, got {asked!r}"
    hint = did_you_mean(asked, list(features), _choose(key, features))
    raise DataError(msg, hint=hint, slug="data/hub-columns")


def _choose(key: str, features: Features) -> str:
    shown = ", ".join(f"{name} ({kind_of(feature)})" for name, feature in [*features.items()][:12])
    return f"say which one by `{key}`; there are {shown}"
