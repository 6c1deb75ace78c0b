"""How large the images were that an experiment was trained on."""

import logging

import numpy as np

from fivefold.core.layout import RunFolder
from fivefold.core.types import AnyArray
from fivefold.data.audit_rows import USED
from fivefold.data.audited import Audit

logger = logging.getLogger(__name__)

_ALIKE = 2.0
"""Sides that differ by no more than this factor have one typical size."""


def largest_trained_on(folder: RunFolder) -> tuple[int, int] | None:
    """Find height and width of the image of most pixels that an experiment was trained on.

    Returns:
        None where nobody has written it down.

    Raises:
        StateError: If the file is damaged.
    """
    sizes = _sizes(folder)
    if not len(sizes):
        return None
    height, width = sizes[sizes.prod(axis=1).argmax()].tolist()
    return height, width


def typical_trained_on(folder: RunFolder) -> tuple[int, int] | None:
    """Find the median height and the median width of the images trained on.

    Where these differ so much that no size is typical, that is warned of.

    Returns:
        None where nobody has written it down.

    Raises:
        StateError: If the file is damaged.
    """
    sizes = _sizes(folder)
    if not len(sizes):
        return None
    height, width = np.median(sizes, axis=0).round().astype(int).tolist()
    least, most = sizes.min(axis=0), sizes.max(axis=0)
    if (most > _ALIKE * least).any():
        logger.warning(
            "images trained on have %d to %d x %d to %d pixels, so things were learnt at different "
            "sizes; a tile covers %d x %d pixels, their median",
            *(least[0], most[0], least[1], most[1]),
            *(height, width),
        )
    return height, width


def _sizes(folder: RunFolder) -> AnyArray:
    """Read heights and widths [N, 2], in pixels, as far as they are known."""
    if not folder.audit_path.exists():
        return np.empty((0, 2), np.int64)
    rows = Audit.load(folder.audit_path).rows
    sizes: AnyArray = rows.sizes[rows.with_status(USED)].astype(np.int64)
    return sizes[(sizes > 0).all(axis=1)]
