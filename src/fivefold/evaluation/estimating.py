"""From a number, those of folds and those of resamples to an estimate: one rule for all numbers."""

import math

import numpy as np

from fivefold.evaluation.estimates import Estimate
from fivefold.evaluation.intervals import bound_of_all_alike, middle
from fivefold.evaluation.metrics import Doubles
from fivefold.evaluation.undefined import ALL_ALIKE, TOO_RARE


def estimated(
    value: float,
    folds: Doubles | None,
    resampled: Doubles | None,
    why: str,
    share_of: int = 0,
) -> Estimate:
    """Estimate one number.

    Args:
        value: Of all that was measured; NaN where it is undefined.
        folds: The number of each fold alone; None without folds.
        resampled: That of each resample; None where nothing was resampled.
        why: Why it is undefined, or what it leaves out; else empty.
        share_of: Of how many independent samples it is a share, which has an interval of its own
            where all are alike; 0 if it is no share.
    """
    spread = math.nan if folds is None else float(np.std(folds))
    if math.isnan(value) or resampled is None:
        return Estimate(value, std_over_folds=spread, why=why)
    if share_of and value in (0, 1):
        low, high = bound_of_all_alike(value, share_of)
        return Estimate(value, low, high, spread, why)
    low, high = (float(end) for end in middle(resampled))
    if math.isnan(low):
        none = TOO_RARE if np.isnan(resampled).all() else ALL_ALIKE
        return Estimate(value, std_over_folds=spread, why="; ".join(filter(None, [why, none])))
    return Estimate(value, min(low, value), max(high, value), spread, why)
