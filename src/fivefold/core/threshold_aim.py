"""What decision thresholds are chosen for, as a config says it and as they are chosen."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

AimKind: TypeAlias = Literal[
    "fixed",
    "f_beta",
    "precision",
    "recall",
    "exact_match",
    "dice",
    "iou",
    "image_dice",
    "image_iou",
]

OF_MASKS: Final[tuple[AimKind, ...]] = ("dice", "iou", "image_dice", "image_iou")
"""Kinds that only masks have."""

WHOLE_RANGE: Final = (0.01, 0.99, 0.01)
"""Start, stop and step of the thresholds that are tried for `exact_match`."""

EXPECTED: Final = (
    "a number from 0 to below 1, 'f1' (or another F, such as 'f2'), 'exact_match', of masks "
    "'dice', 'iou', 'image_dice' or 'image_iou', or a mapping with one of f_beta, precision, "
    "recall and exact_match, and per_class"
)

_F = re.compile(r"f([0-9]+(?:\.[0-9]+)?)", re.ASCII)
_MOST_STEPS = 100_000


@dataclass(frozen=True)
class ThresholdAim:
    """What thresholds are to bring about.

    Attributes:
        kind: `fixed` takes `value`; `f_beta` the highest F of that beta; `precision` the highest
            recall where precision is at least `value`; `recall` the other way round; `exact_match`
            the most samples without a wrong answer. Of masks `dice` and `iou` are of all pixels
            together, `image_dice` and `image_iou` means over images.
        value: As the kind says; of no use to `exact_match` and those of masks alone.
        range: Of `exact_match`: the first threshold that is tried, the last, and the step.
        per_class: Whether each class has its own threshold, or all classes of a head one.
    """

    kind: AimKind = "fixed"
    value: float = 0.5
    range: tuple[float, float, float] = WHOLE_RANGE
    per_class: bool = True

    def __str__(self) -> str:
        texts = {
            "fixed": f"{self.value:g}",
            "f_beta": f"the highest F{self.value:g}",
            "precision": f"the highest recall at a precision of {self.value:g}",
            "recall": f"the highest precision at a recall of {self.value:g}",
            "exact_match": "the most samples without a wrong answer",
            "dice": "the highest dice of all pixels",
            "iou": "the highest IoU of all pixels",
            "image_dice": "the highest mean dice over images",
            "image_iou": "the highest mean IoU over images",
        }
        return texts[self.kind]

    @property
    def is_of_masks(self) -> bool:
        """Whether only masks have it."""
        return self.kind in OF_MASKS

    @classmethod
    def of(cls, value: Any) -> "ThresholdAim":
        """Read what a config says.

        Raises:
            ValueError: If it says nothing that can be aimed at; its text is what was expected.
        """
        if isinstance(value, Mapping):
            return cls._of_mapping(dict(value))
        if isinstance(value, str):
            return cls._named(value)
        if _is_number(value) and 0 <= value < 1:
            return cls("fixed", float(value))
        raise ValueError(EXPECTED)

    @classmethod
    def _named(cls, name: str) -> "ThresholdAim":
        plain = name.strip().casefold()
        match = _F.fullmatch(plain)
        if match:
            return cls._of_mapping({"f_beta": float(match[1])})
        if plain == "exact_match":
            return cls._of_mapping({"exact_match": list(WHOLE_RANGE)})
        for kind in OF_MASKS:
            if plain == kind:
                return cls(kind)
        raise ValueError(EXPECTED)

    @classmethod
    def _of_mapping(cls, given: dict[str, Any]) -> "ThresholdAim":
        per_class = given.pop("per_class", None)
        if len(given) != 1 or not (per_class is None or isinstance(per_class, bool)):
            raise ValueError(EXPECTED)
        ((kind, value),) = given.items()
        if kind == "exact_match":
            if per_class:
                msg = "no `per_class: true`, since `exact_match` is of all classes together"
                raise ValueError(msg)
            return cls("exact_match", range=_range(value), per_class=False)
        whole = per_class is not False
        known = _LARGEST.get(kind)
        if known is None:
            raise ValueError(EXPECTED)
        name, largest = known
        if not (_is_number(value) and 0 < value <= largest):
            msg = f"{'an' if name == 'f_beta' else 'a'} {name} above 0, up to {largest}"
            raise ValueError(msg)
        return cls(name, float(value), per_class=whole)


_LARGEST: Mapping[str, tuple[AimKind, int]] = {
    "f_beta": ("f_beta", 1000),
    "precision": ("precision", 1),
    "recall": ("recall", 1),
}


def _range(value: Any) -> tuple[float, float, float]:
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) == 3 and all(map(_is_number, numbers)):
        start, stop, step = map(float, numbers)
        if 0 <= start <= stop < 1 and step > 0 and (stop - start) / step <= _MOST_STEPS:
            return start, stop, step
    msg = (
        "an exact_match of [start, stop, step] with 0 ≤ start ≤ stop < 1 and a step above 0 "
        f"that makes at most {_MOST_STEPS:,} thresholds"
    )
    raise ValueError(msg)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
