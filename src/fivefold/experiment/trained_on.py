"""Which of new samples are none: the models were trained on them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from fivefold.config import ExperimentConfig
from fivefold.core.digits import few_digits
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.data import Source
from fivefold.data.audit_rows import USED
from fivefold.data.audited import Audit
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.image_problem import ImageProblem
from fivefold.data.splits import Splits
from fivefold.evaluation.assessment import Assessment
from fivefold.evaluation.mask_assessment import MaskAssessment
from fivefold.experiment.assessing import assess_found
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.unseen import found_with_folds

logger = logging.getLogger(__name__)

Found = TypeVar("Found", Assessment, MaskAssessment)


def with_trained_on(
    folder: RunFolder, config: ExperimentConfig, stage: int, source: Source, found: Found
) -> Found:
    """Say in an assessment of new samples how many of them were trained on, and what is true there.

    Args:
        folder: The experiment.
        config: Its config.
        stage: Which stage; -1 is the last.
        source: The samples.
        found: How good the models are on them.

    Returns:
        The assessment, with the number and, unless it is 0, a note.
    """
    try:
        folds = trained_folds(folder, config, None, stage)
        known = trained_on(folder, source, folds)
        text = (
            _out_of_fold(folder, folds, stage_index(folder, config, stage), known) if known else ""
        )
    except StateError as error:
        logger.warning("whether samples were trained on is not known: %s", error)
        return found
    if not known:
        return replace(found, trained_on=0)
    count = f"{len(known):,} of {found.samples:,} samples were trained on"
    note = f"{count}, so these numbers are too good{text}"
    return replace(found, trained_on=len(known), notes=(*found.notes, note))


def trained_on(folder: RunFolder, source: Source, folds: Sequence[int]) -> list[str]:
    """Find samples whose content was trained on, under whatever name it is there now.

    Only files of a size that occurs in training are read.

    Args:
        folder: The experiment.
        source: The samples.
        folds: Whose models are asked.

    Returns:
        For each that was, the id that it had in training.

    Raises:
        StateError: If the record of the samples is damaged.
    """
    if not folder.audit_path.exists():
        return []
    ids = dict(_trained(folder, folds))
    sizes = {size for size, _ in ids}
    digests = {digest: name for (_, digest), name in ids.items()}
    known = []
    for i in range(len(source)):
        size = source.stamp(i).partition(":")[0]
        name = digests.get(_digest(source, i)) if size in sizes else None
        known += [] if name is None else [name]
    return known


def _trained(folder: RunFolder, folds: Sequence[int]) -> Iterator[tuple[tuple[str, str], str]]:
    """Give size and digest of each file that one of these folds was trained on, with its id."""
    fold_of = Splits.load(folder.folds_path).fold_of if folder.folds_path.exists() else {}
    rows = Audit.load(folder.audit_path).rows
    for place in rows.with_status(USED).tolist():
        name, size = rows.ids[place], rows.stamps[place].partition(":")[0]
        own = fold_of.get(name)
        if size and own != HOLDOUT and any(fold != own for fold in folds):
            yield (size, rows.digests[place]), name


def _digest(source: Source, i: int) -> str:
    try:
        return source.fetch(i).digest
    except ImageProblem:
        return ""


def _out_of_fold(folder: RunFolder, folds: Sequence[int], stage: int, known: Sequence[str]) -> str:
    """Word how good the models are on these samples that have not seen them."""
    found, _ = found_with_folds(folder, folds, stage)
    wanted = set(known)
    rows = [i for i, name in enumerate(found.ids) if name in wanted]
    if not rows:
        return ""
    numbers, own = [], assess_found(found.take(rows), resamples=0)
    heads = (
        [("", own.headline)]
        if isinstance(own, MaskAssessment)
        else [(head.name, head.headline) for head in own.heads]
    )
    for title, headline in heads:
        name, number = next(iter(headline.items()))
        of = f" of {title}" if title else ""
        numbers += [f"{name}{of} {few_digits(number.value)}"] if number.is_defined else []
    return f"; out of fold they have {', '.join(numbers)}" if numbers else ""
