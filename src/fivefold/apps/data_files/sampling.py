"""A smaller data set, balanced or in proportion."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fivefold.apps.data_files.choosing import choose, kinds_of
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray
from fivefold.data import SampleTable


@dataclass(frozen=True, eq=False)
class Sampled:
    """Which samples were drawn.

    Attributes:
        keep: A mask [N].
        counts: Each class and how many of those drawn have it.
        of: Each class and how many there are.
        short: Classes of which there are fewer than asked for.
    """

    keep: AnyArray
    counts: Mapping[str, int]
    of: Mapping[str, int]
    short: tuple[str, ...]


def draw_sample(
    table: SampleTable, *, per_class: int = 0, fraction: float = 0.0, seed: int = 42
) -> Sampled:
    """Draw as many of each class, or a fraction of each, rounded up.

    Images with several classes count for each; those taken for a rare class may bring more of
    another than asked for. Images without a class are taken with a fraction only.

    Args:
        table: The samples; what is in one group counts each for itself.
        per_class: How many; of a class that has fewer, all. With neither this nor a fraction, as
            many as the smallest class has.
        fraction: How much, 0-1.
        seed: What is drawn with.

    Raises:
        ConfigError: If a number is out of range, or both are given.
        DataError: If nothing would be drawn.
    """
    if per_class < 0 or not 0 <= fraction <= 1 or (per_class and fraction):
        option, found = ("--per-class", per_class) if per_class else ("--fraction", fraction)
        message = f"expected a number of at least 1 or a fraction from 0 to 1, got {found:g}"
        hint = "one of --per-class and --fraction"
        raise ConfigError([Problem("cli/sample-option", option, message, hint)])
    kinds = kinds_of(table)
    *classes, without = kinds.counts.tolist()
    if fraction:
        wanted = [math.ceil(round(fraction * count, 9)) for count in (*classes, without)]
    else:
        each = per_class or min((count for count in classes if count), default=0)
        wanted = [*(min(each, count) for count in classes), 0]
    keep = choose(kinds, wanted, table.ranks, generator_for(seed, "sample"))
    if not keep.any():
        msg = "expected images with a class to draw from, got none"
        raise DataError(msg, hint="images without a class: --fraction", slug="data/no-labels")
    names = kinds.names
    short = [name for name, count in zip(names, classes, strict=True) if count < per_class]
    of = dict(zip(names, classes, strict=True))
    return Sampled(keep, kinds.of_part(keep), of, tuple(short))
