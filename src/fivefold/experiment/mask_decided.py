"""How good masks are with chosen thresholds and smallest parts, on images these have not seen."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from fivefold.config import ExperimentConfig
from fivefold.core.layout import RunFolder
from fivefold.core.maps import Maps
from fivefold.core.mask_scores import MaskScores, join_scores
from fivefold.core.progress import Progress
from fivefold.evaluation.mask_assessment import MaskAssessment, assess_masks
from fivefold.evaluation.mask_search import MaskCut, scores_at
from fivefold.experiment.assessing import groups_of
from fivefold.experiment.decisions import Decisions
from fivefold.experiment.stored_maps import maps_of_folds

logger = logging.getLogger(__name__)


def assess_masks_decided(
    folder: RunFolder,
    config: ExperimentConfig,
    decisions: Decisions,
    progress: Progress,
    *,
    holdout: bool = False,
) -> MaskAssessment | None:
    """Assess the masks that the decisions make of a run's probabilities.

    Out of fold, each fold's masks are made by what was chosen on the other folds: chosen on the
    same images it would flatter. Those of the holdout are made as `predict` makes them.

    Args:
        folder: The experiment.
        config: Its config as it is now.
        decisions: Of the experiment.
        progress: Who watches.
        holdout: The holdout instead.

    Returns:
        None where masks stay as they are, there is no holdout, or but one fold to choose on; and,
        with a warning, where maps are gone, since masks are made of these.

    Raises:
        StateError: If a file is missing or damaged.
    """
    made = masks_decided(folder, decisions, progress, holdout=holdout)
    if made is None:
        return None
    found, folds = made
    groups = groups_of(folder, config, found)
    return assess_masks(found, folds=folds, groups=groups, seed=config.seed)


def change_by_decisions(
    folder: RunFolder, decisions: Decisions, progress: Progress
) -> dict[str, tuple[float, float]]:
    """Measure out-of-fold masks as models say them, and as decisions make them.

    Args:
        folder: The experiment.
        decisions: Of the experiment.
        progress: Who watches.

    Returns:
        Metric to its value before and after, NaN where it is undefined; nothing where
        `assess_masks_decided` has nothing to say.

    Raises:
        StateError: If a file is missing or damaged.
    """
    made = masks_decided(folder, decisions, progress)
    if made is None:
        return {}
    stage = decisions.stage
    parts = [
        MaskScores.load(folder.predictions("validation", fold, stage)) for fold in decisions.folds
    ]
    before, after = (
        assess_masks(found, resamples=0).headline for found in (join_scores(parts), made[0])
    )
    return {name: (before[name].value, after[name].value) for name in before}


def masks_decided(
    folder: RunFolder, decisions: Decisions, progress: Progress, *, holdout: bool = False
) -> tuple[MaskScores, list[int] | None] | None:
    """Count what decided masks have in common with the truth; see `assess_masks_decided`.

    Returns:
        The counts, and out of fold the fold of each image.
    """
    (one,) = decisions.heads
    cut, is_searched = MaskCut(one.thresholds, one.areas), decisions.wishes.searches
    if decisions.wishes.changes_nothing or (is_searched and not (holdout or decisions.without)):
        return None
    if holdout and not folder.ensemble_scores(decisions.stage).exists():
        return None
    if not _has_maps(folder, decisions, holdout=holdout):
        return None
    if holdout:
        scores = MaskScores.load(folder.ensemble_scores(decisions.stage))
        maps = [Maps(folder.ensemble_maps(decisions.stage))]
        return scores_at([scores], maps, [cut], progress), None
    cuts = decisions.without or (cut,) * len(decisions.folds)
    return _out_of_fold(folder, decisions, cuts, progress)


def _has_maps(folder: RunFolder, decisions: Decisions, *, holdout: bool) -> bool:
    stage = decisions.stage
    paths = [folder.maps("validation", fold, stage) for fold in decisions.folds]
    for path in [folder.ensemble_maps(stage)] if holdout else paths:
        if not path.exists():
            text = "%s: is not there; what thresholds and parts make of masks is not measured"
            logger.warning(text, path)
            return False
    return True


def _out_of_fold(
    folder: RunFolder, decisions: Decisions, cuts: Sequence[MaskCut], progress: Progress
) -> tuple[MaskScores, list[int]]:
    stage, numbers = decisions.stage, decisions.folds
    parts = [MaskScores.load(folder.predictions("validation", fold, stage)) for fold in numbers]
    fold_of = {name: f for f, part in zip(numbers, parts, strict=True) for name in part.ids}
    found = scores_at(parts, maps_of_folds(folder, numbers, stage), cuts, progress)
    # the losses are those of what the models said, which no threshold changes
    found = replace(found.sorted(), fold=-1)
    return found, [fold_of[sample_id] for sample_id in found.ids]
