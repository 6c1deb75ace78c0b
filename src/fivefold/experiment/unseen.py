"""Predictions of samples that the models have not seen; reads them without loading torch."""

from collections.abc import Sequence
from pathlib import Path

from fivefold.core.found import Found, join_found, load_found
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, average, join
from fivefold.data.given_folds import HOLDOUT


def out_of_fold(folder: RunFolder, folds: Sequence[int], stage: int) -> Predictions:
    """Join the validation predictions of all folds, in the order of the ids."""
    return join(_validation(folder, folds, stage)).sorted()


def with_folds(
    folder: RunFolder, folds: Sequence[int], stage: int
) -> tuple[Predictions, dict[str, int]]:
    """Give what `out_of_fold` gives, and the fold of each sample."""
    parts = _validation(folder, folds, stage)
    fold_of = {name: fold for fold, part in zip(folds, parts, strict=True) for name in part.ids}
    return join(parts).sorted(), fold_of


def found_with_folds(
    folder: RunFolder, folds: Sequence[int], stage: int
) -> tuple[Found, dict[str, int]]:
    """Give what validation found of classes or of masks, in the order of the ids, and their folds.

    Raises:
        StateError: If a file is missing or damaged.
    """
    parts = [load_found(folder.predictions("validation", fold, stage)) for fold in folds]
    fold_of = {name: fold for fold, part in zip(folds, parts, strict=True) for name in part.ids}
    return join_found(parts).sorted(), fold_of


def found_on_holdout(folder: RunFolder, folds: Sequence[int], stage: int) -> Found | None:
    """Give what all folds' models together found in the holdout; None without one.

    Raises:
        StateError: If a file is missing or damaged.
    """
    of_masks = folder.ensemble_scores(stage)
    if of_masks.exists():
        return load_found(of_masks).sorted()
    return on_holdout(folder, folds, stage)


def on_holdout(folder: RunFolder, folds: Sequence[int], stage: int) -> Predictions | None:
    """Average what all folds say of the holdout, in the order of the ids; None without one."""
    paths = [folder.predictions("holdout", fold, stage) for fold in folds]
    return (
        average([*map(Predictions.load, paths)]).sorted() if all(map(Path.exists, paths)) else None
    )


def all_unseen(
    folder: RunFolder, folds: Sequence[int], stage: int
) -> tuple[Predictions, dict[str, int]]:
    """Give out-of-fold predictions together with those of the holdout, if there is one.

    Returns:
        The predictions in the order of the ids, and the fold of each sample; HOLDOUT of those that
        no fold has.
    """
    found, fold_of = with_folds(folder, folds, stage)
    held_out = on_holdout(folder, folds, stage)
    if held_out is None:
        return found, fold_of
    return join([found, held_out]).sorted(), fold_of | dict.fromkeys(held_out.ids, HOLDOUT)


def _validation(folder: RunFolder, folds: Sequence[int], stage: int) -> list[Predictions]:
    return [Predictions.load(folder.predictions("validation", fold, stage)) for fold in folds]
