"""A fold that fails leaves the others to run to their end; then its error is raised."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fivefold.core.errors import FivefoldError
from fivefold.engine.pace import TimeOverError

logger = logging.getLogger(__name__)


def others_go_on(fold: int, reason: BaseException | str) -> str:
    """Word that a fold has failed while others are at work."""
    return f"fold {fold}: failed, the others go on: {str(reason).partition(chr(10))[0]}"


def raise_first(failed: Mapping[int, BaseException]) -> None:
    """Raise what the first of some folds has failed with; those of others are warned of.

    Args:
        failed: By fold; nothing happens where there is none.

    Raises:
        BaseException: Of the first fold.
    """
    if not failed:
        return
    first, *others = sorted(failed)
    _warn({fold: failed[fold] for fold in others})
    raise failed[first]


@contextmanager
def raised_at_the_end(failed: Mapping[int, FivefoldError]) -> Iterator[None]:
    """Let a block do what is left of other folds, then raise as `raise_first`.

    Args:
        failed: By fold. They are warned of if the block itself fails.
    """
    try:
        yield
    except (FivefoldError, TimeOverError):
        _warn(failed)
        raise
    raise_first(failed)


def _warn(failed: Mapping[int, BaseException]) -> None:
    for fold, error in sorted(failed.items()):
        logger.warning("fold %d has failed too: %s", fold, error)
