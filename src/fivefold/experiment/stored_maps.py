"""The maps that a run has kept, fold by fold; loads no torch."""

from collections.abc import Sequence

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.maps import Maps


def maps_of_folds(folder: RunFolder, folds: Sequence[int], stage: int) -> list[Maps]:
    """Open the validation maps of some folds.

    Raises:
        StateError: If some are not there, or damaged.
    """
    paths = [folder.maps("validation", fold, stage) for fold in folds]
    missing = [path for path in paths if not path.exists()]
    if missing:
        msg = f"{missing[0]}: expected the probabilities of pixels that a fold has kept, got none"
        hint = "thresholds and smallest parts are chosen on them; numbers in the config need none"
        raise StateError(msg, hint=hint, slug="state/no-maps")
    return [Maps(path) for path in paths]
