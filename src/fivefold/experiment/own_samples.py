"""An experiment's own samples, each with the models that have not seen it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.layout import RunFolder
from fivefold.data import Source
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.splits import Splits
from fivefold.engine.examples import surest_mistakes
from fivefold.experiment.unseen import out_of_fold

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """Some samples and the models that look at them.

    Attributes:
        folds: Whose models.
        positions: Of the samples in their source.
        numbers: Which they are of those that were asked for, from 0.
    """

    folds: tuple[int, ...]
    positions: tuple[int, ...]
    numbers: tuple[int, ...]


def worst_mistakes(
    folder: RunFolder, folds: Sequence[int], stage: int, count: int
) -> tuple[str, ...]:
    """Name the samples that models which have not seen them were wrong about, the surest first."""
    predictions = out_of_fold(folder, folds, stage)
    return tuple(predictions.ids[row] for row in surest_mistakes(predictions, count))


def unseen_groups(
    folder: RunFolder, source: Source, ids: Sequence[str], trained: Sequence[int]
) -> list[Group]:
    """Say for samples of an experiment which models have not seen them.

    That is the one of the fold that a sample is validated in; a sample of the holdout none has
    seen. Of one that all are trained on, or whose fold is not trained, all are taken, and said.

    Args:
        folder: The experiment.
        source: Its data.
        ids: Of the samples.
        trained: The folds whose models there are.

    Returns:
        Groups with the same models, in the order of the samples.

    Raises:
        DataError: If there is no such sample, or it is not used.
        StateError: If the folds are missing or damaged.
    """
    places = _positions(source, ids)
    fold_of = Splits.load(folder.folds_path).fold_of
    _check_used(fold_of, ids)
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    seen = []
    for number, name in enumerate(ids):
        fold = fold_of[name]
        folds = (fold,) if fold in trained else tuple(trained)
        if fold != HOLDOUT and fold not in trained:
            seen.append(name)
        groups.setdefault(folds, []).append((places[name], number))
    if seen:
        text = "the models that look at %d of the samples were trained on them, such as %r"
        logger.warning(text, len(seen), seen[0])
    return [Group(folds, *zip(*both, strict=True)) for folds, both in groups.items()]


def _positions(source: Source, ids: Sequence[str]) -> Mapping[str, int]:
    wanted = set(ids)
    found = {name: i for i, name in enumerate(source.sample_ids) if name in wanted}
    unknown = next((name for name in ids if name not in found), None)
    if unknown is not None:
        msg = f"expected the id of a sample of this experiment, got {unknown!r}"
        few = [source.sample_ids[i] for i in range(min(len(source), 10_000))]
        otherwise = f"ids look like {few[0]!r}; predictions/oof.csv lists them" if few else ""
        hint = did_you_mean(unknown, few, otherwise)
        raise DataError(msg, hint=hint, slug="data/unknown-id")
    return found


def _check_used(fold_of: Mapping[str, int], ids: Sequence[str]) -> None:
    unused = next((name for name in ids if name not in fold_of), None)
    if unused is not None:
        msg = f"expected a sample that is trained or tested on, got {unused!r}, which is left out"
        hint = "data/quarantine.jsonl may say why; give its file as an INPUT instead"
        raise DataError(msg, hint=hint, slug="data/unknown-id")
