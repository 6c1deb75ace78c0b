"""Student's t distribution, for whole degrees of freedom.

The sums are those of Abramowitz & Stegun (1964), Handbook of Mathematical Functions, 26.7.3 and
26.7.4: finite ones, so nothing is approximated.
"""

import math

_HALVINGS = 80


def within(t: float, degrees: int) -> float:
    """Give the probability that |T| is at most |t|.

    Args:
        t: Any number, also infinite.
        degrees: Of freedom, at least 1.

    Returns:
        A probability in 0-1.
    """
    return _within(math.atan(abs(t) / math.sqrt(degrees)), degrees)


def quantile(share: float, degrees: int) -> float:
    """Find the t that |T| does not exceed with this probability.

    Args:
        share: A probability in 0-1, without 1.
        degrees: Of freedom, at least 1.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_less = _within(middle, degrees) < share
        low, high = (middle, high) if is_less else (low, middle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _within(angle: float, degrees: int) -> float:
    """Sum the series at the angle whose tangent is t / sqrt(degrees)."""
    is_odd = degrees % 2 == 1
    cosine = math.cos(angle)
    term, total = (cosine, 0.0) if is_odd else (1.0, 0.0)
    for k in range(degrees // 2):
        total += term
        steps = 2 * k + 1 + is_odd
        term *= cosine**2 * steps / (steps + 1)
    result = math.sin(angle) * total
    if is_odd:
        result = 2 / math.pi * (angle + result)
    return min(1.0, max(0.0, result))
