"""What is unusual about images that can be used: how large, dark and sharp they are, what files.

A threshold alone would find all images of a set of x-rays dark, and all of a set of icons tiny. So
an image also has to be far from the median of its own data set.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.audit_rows import USED, AuditRows
from fivefold.data.findings.finding import Finding, Level, of_rows
from fivefold.data.looks import bit_of


@dataclass(frozen=True)
class Threshold:
    """When an image stands out.

    Attributes:
        limit: Below it; above it for `odd_shape`.
        of_median: And below this part of the data set's median; above it for `odd_shape`.
    """

    limit: float
    of_median: float


THRESHOLDS = {
    "tiny": Threshold(32, 0.5),
    "odd_shape": Threshold(4, 2),
    "dark": Threshold(24, 1 / 3),
    "flat": Threshold(4, 0.1),
    "blurred": Threshold(0.01, 0.2),
}
"""Of the shorter side in pixels, the longer side by the shorter, the mean and the standard
deviation of the grey values (0-255), and the variance of their Laplacian by their own, so that few
contrasts do not look like blur."""

_WORDS = {
    "tiny": ("tiny", "enlarged to the network's size"),
    "odd_shape": ("of an odd shape", "squeezed into the network's shape"),
    "dark": ("dark", "used as they are"),
    "flat": ("of one colour", "used as they are"),
    "blurred": ("blurred", "used as they are"),
}
_TRAITS = {
    "misnamed": ("with another format's ending", "read by their content", Level.LOOK),
    "animated": ("with several pictures", "only the first is used", Level.LOOK),
    "rotated": ("turned by EXIF", "turned upright, as viewers show them", Level.NOTED),
    "cmyk": ("in CMYK", "converted to RGB", Level.NOTED),
    "16-bit": ("of 16 bits", "divided by 257, to 8 bits", Level.NOTED),
    "alpha": ("with transparency", "laid over white", Level.NOTED),
    "grey": ("grey among coloured ones", "given three equal channels", Level.NOTED),
}


def findings_on_looks(rows: AuditRows) -> Iterator[Finding]:
    """Find images that can be used and look as few others do, those that stand out most first."""
    used = rows.with_status(USED)
    if not len(used):
        return
    looks = rows.looks[used]
    for name, values in _values(rows.sizes[used], looks).items():
        title, action = _WORDS[name]
        places = used[_outliers(values, THRESHOLDS[name], above=name == "odd_shape")]
        if len(places):
            yield of_rows(name, title, Level.LOOK, action, rows, places)
    for name, (title, action, level) in _TRAITS.items():
        has = (looks[:, 0] & bit_of(name)) > 0
        if has.any() and not (name == "grey" and has.all()):
            yield of_rows(name.replace("-", "_"), title, level, action, rows, used[has])


def told_in_a_line(rows: AuditRows) -> str:
    """Word a warning about images that are worth a look; empty if there are none."""
    found = [one for one in findings_on_looks(rows) if one.level == Level.LOOK]
    counts = ", ".join(f"{one.count:,} {one.title}" for one in found)
    return f"images worth a look: {counts}; `fivefold data check` shows them" if found else ""


def _values(sizes: AnyArray, looks: AnyArray) -> dict[str, AnyArray]:
    """Collect what each threshold is about [N]; NaN where nobody knows."""
    sides = sizes.astype(float)
    _, brightness, spread, sharpness = np.where(looks < 0, np.nan, looks).T
    unseen = looks[:, 0] == 0
    has_contrast = spread >= THRESHOLDS["flat"].limit
    blurred = np.where(has_contrast, sharpness / np.maximum(spread, 1) ** 2, np.nan)
    numbers = {"dark": brightness, "flat": spread, "blurred": blurred}
    measured = {name: np.where(unseen, np.nan, values) for name, values in numbers.items()}
    shorter, longer = sides.min(axis=1), sides.max(axis=1)
    return {"tiny": shorter, "odd_shape": longer / np.maximum(shorter, 1), **measured}


def _outliers(values: AnyArray, threshold: Threshold, *, above: bool) -> Indices:
    """Find values beyond a threshold, the farthest first."""
    known = ~np.isnan(values)
    if not known.any():
        return np.empty(0, dtype=np.int64)
    bound = threshold.of_median * float(np.median(values[known]))
    if above:
        found = np.flatnonzero(known & (values >= max(threshold.limit, bound)))
        return found[np.argsort(-values[found], kind="stable")]
    found = np.flatnonzero(known & (values < min(threshold.limit, bound)))
    return found[np.argsort(values[found], kind="stable")]
