"""What the audit says about the classes of masks: shown nowhere, or by few."""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data.audit_rows import USED, AuditRows
from fivefold.data.mask_checks import empty_masks
from fivefold.data.source import Source

_SHOWN = 10


def judge_masks(source: Source, rows: AuditRows, folds: int) -> tuple[list[DataError], list[str]]:
    """Find masks that show nothing, and classes that few of them show.

    Every mask may show the same classes: there is still something to learn, which is where.

    Args:
        source: Samples with masks.
        rows: What became of them; the counts of an audit that has read no mask say nothing.
        folds: How many there will be.

    Returns:
        Errors, and what is only worth a warning.
    """
    used, masks = rows.with_status(USED), source.masks
    if masks is None or not len(used) or not rows.covered.shape[1]:
        return [], []
    first = 1 if masks.exclusive else 0  # the background is no class to find
    holds = rows.covered[used][:, first:] > 0
    if not holds.any():
        return [empty_masks("masks", len(used))], []
    names = source.labels[0].class_names[first:]
    few = [
        f"class {name!r} is in {'no mask' if not n else '1 mask' if n == 1 else f'{n} masks'}"
        for name, n in zip(names, np.count_nonzero(holds, axis=0).tolist(), strict=True)
        if n < max(folds, 2)
    ]
    more = [f"{len(few) - _SHOWN} more classes likewise"] * (len(few) > _SHOWN)
    listed = ", ".join([*few[:_SHOWN], *more])
    return [], [f"{listed}: some of {folds} folds will not hold them"] if few else []
