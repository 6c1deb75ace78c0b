"""What makes masks of probabilities: what was decided, and what a user says instead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fivefold.core.arguments import as_number, as_whole, refuse_argument
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.types import Head
from fivefold.evaluation.thresholds import USUAL

_SHOWN = 12  # classes


@dataclass(frozen=True)
class MaskRule:
    """What makes a mask of probabilities.

    Attributes:
        thresholds: A pixel shows a class where it is more probable than this, for each class; none
            is one half. Exclusive classes need none: the most probable one it is.
        areas: Connected parts of fewer pixels are left out, for each class; none keeps all.
        counted_at: Height and width of the maps that areas are counted in; None: of the image.
        covered: Height and width of what such a map covers of an image; None: all of it.
    """

    thresholds: tuple[float, ...] = ()
    areas: tuple[int, ...] = ()
    counted_at: tuple[int, int] | None = None
    covered: tuple[int, int] | None = None

    def scale(self, size: tuple[int, int]) -> float:
        """Say how many pixels of an image there are to one that areas are counted in."""
        if self.counted_at is None:
            return 1.0
        height, width = self.covered or size
        return (height * width) / (self.counted_at[0] * self.counted_at[1])

    def told(self, head: Head) -> str:
        """Say in one line what a mask is made by."""
        if head.activation == "softmax":
            text = "the most probable class of each pixel"
        else:
            limits = self.thresholds or (USUAL,) * head.num_classes
            text = f"what is more probable than {_each(limits, head)}"
        if not any(self.areas):
            return text
        text += f"; no parts of fewer pixels than {_each(self.areas, head, of_all=False)}"
        if self.counted_at is None:
            return text
        of_tile = f" of {self.covered[0]} x {self.covered[1]}" if self.covered else ""
        return f"{text} at {self.counted_at[0]} x {self.counted_at[1]} pixels{of_tile}"


USUAL_RULE = MaskRule()


def given_rule(
    rule: MaskRule, head: Head, threshold: float | None, smallest_area: int | None
) -> MaskRule:
    """Put what a user says in the place of what was decided.

    Args:
        rule: What was decided.
        head: What the classes are.
        threshold: For all classes, 0-1; None leaves those of the rule.
        smallest_area: For all classes, in pixels of the image; None leaves those of the rule.

    Raises:
        ConfigError: If they are none of these, or exclusive classes get a threshold.
    """
    if threshold is not None:
        if head.activation == "softmax":
            message = "threshold: expected none, since the most probable class of a pixel it is"
            raise ConfigError([Problem("config/no-threshold", "", message, "leave it out")])
        limit = as_number("threshold", threshold)
        if not 0 <= limit <= 1:
            refuse_argument("threshold", "from 0 to 1", threshold)
        rule = replace(rule, thresholds=(limit,) * head.num_classes)
    if smallest_area is not None:
        area = as_whole("smallest_area", smallest_area)
        if area < 0:
            refuse_argument("smallest_area", "a number of pixels from 0", smallest_area)
        rule = replace(rule, areas=(area,) * head.num_classes, counted_at=None)
    return rule


def _each(values: Sequence[float], head: Head, *, of_all: bool = True) -> str:
    """Write the number of each class, or the one of all; those of 0 only if they say something."""
    if len(set(values)) == 1:
        return _written(values[0])
    named = zip(head.class_names, values, strict=True)
    pairs = [(name, value) for name, value in named if of_all or value]
    more = f" and {len(pairs) - _SHOWN} more" * (len(pairs) > _SHOWN)
    return ", ".join(f"{_written(value)} ({name})" for name, value in pairs[:_SHOWN]) + more


def _written(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
