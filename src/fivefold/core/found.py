"""What a network has found in samples: predictions of classes, or scores of masks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fivefold.core.damage import way_out
from fivefold.core.errors import StateError
from fivefold.core.mask_scores import MaskScores, join_scores
from fivefold.core.predictions import Predictions, join

Found: TypeAlias = Predictions | MaskScores
"""What validation gives, what files of predictions hold, and what metrics are computed from."""


def load_found(path: Path) -> Found:
    """Read a file of predictions, whichever kind it holds.

    Raises:
        StateError: If the file is missing or damaged.
    """
    return MaskScores.load(path) if holds_masks(path) else Predictions.load(path)


def holds_masks(path: Path) -> bool:
    """Say whether a file of predictions holds scores of masks; reads only its table of contents.

    Raises:
        StateError: If the file is missing or damaged.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return "masks" in file.files
    except MemoryError:
        raise
    except Exception as error:  # damage makes zipfile and NumPy raise nearly anything
        msg = f"{path}: expected saved predictions, got {error}"
        raise StateError(msg, hint=way_out(path), slug="state/damaged") from error


def join_found(parts: Sequence[Found]) -> Found:
    """Put what was found in different samples together, such as all validation folds.

    Args:
        parts: At least one, all of one kind.

    Raises:
        DataError: If a sample occurs twice or the classes differ.
    """
    scores = [part for part in parts if isinstance(part, MaskScores)]
    if scores:
        return join_scores(scores)
    return join([part for part in parts if isinstance(part, Predictions)])
