"""A number, its interval and each fold alone, as a small picture in a row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fivefold.evaluation.assessment import Estimate

_WIDTH, _HEIGHT = 200, 20
_EDGE = 6
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Scale:
    """What the left and the right end of a strip stand for."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> "Scale":
        """Choose round ends that hold all finite values, at most 1 where these are."""
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return cls(0.0, 1.0)
        low, high = min(finite), max(finite)
        step = next((s for s in _STEPS if s * 5 >= high - low), _STEPS[-1])
        ends = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        return cls(ends[0], ends[1]) if ends[0] < ends[1] else cls(ends[0] - step, ends[1])

    def place(self, value: float) -> float:
        """Find where a value lies, in the units of the picture."""
        share = (value - self.low) / (self.high - self.low)
        return _EDGE + share * (_WIDTH - 2 * _EDGE)


def strip(estimate: Estimate, folds: Sequence[float], scale: Scale) -> Markup:
    """Draw an estimate.

    Args:
        estimate: The number; nothing is drawn of what is undefined.
        folds: The number of each fold alone.
        scale: Shared by all rows of a table.
    """
    middle = _HEIGHT / 2
    parts = [Markup('<path class="rail" d="M{} {}H{}"/>').format(_EDGE, middle, _WIDTH - _EDGE)]
    if math.isfinite(estimate.low):
        ends = (scale.place(estimate.low), scale.place(estimate.high))
        path = Markup('<path class="range" d="M{:.1f} {}H{:.1f}"/>')
        parts.append(path.format(ends[0], middle, ends[1]))
    dot = Markup('<circle cx="{:.1f}" cy="{}" r="2.4"/>')
    parts += [dot.format(scale.place(fold), middle) for fold in folds if math.isfinite(fold)]
    if estimate.is_defined:
        tick = Markup('<path class="value" d="M{:.1f} 3V{}"/>')
        parts.append(tick.format(scale.place(estimate.value), _HEIGHT - 3))
    svg = Markup('<svg class="strip" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>')
    return svg.format(_WIDTH, _HEIGHT, Markup("").join(parts))
