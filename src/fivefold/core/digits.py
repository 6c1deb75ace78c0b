"""Numbers that people read: a few digits, however large they are."""

_LARGE = 1e5


def few_digits(value: float) -> str:
    """Write a loss or a metric: four decimals, and from 100,000 on four digits with an exponent."""
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:.3e}"


def mean_and_spread(mean: float, deviation: float) -> str:
    """Write a mean with its standard deviation; see `few_digits`."""
    return f"{few_digits(mean)} ± {few_digits(deviation)}"
