"""How good answers are at chosen thresholds, on samples that the thresholds have not seen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fivefold.config import ExperimentConfig
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import AnyArray, Floats, Indices, head_slices
from fivefold.evaluation.assessment import RESAMPLES, Assessment, assess
from fivefold.evaluation.metrics import Flags
from fivefold.evaluation.thresholds import answers_at
from fivefold.experiment.applying import decided_holdout, scaled
from fivefold.experiment.assessing import groups_of
from fivefold.experiment.decisions import Decisions, HeadDecision, Wishes, decide
from fivefold.experiment.unseen import with_folds


def assess_decided(
    folder: RunFolder,
    config: ExperimentConfig,
    decisions: Decisions,
    *,
    holdout: bool = False,
    resamples: int = RESAMPLES,
) -> Assessment | None:
    """Assess what a run's models answer at the thresholds that were chosen, and its temperature.

    Out of fold, each fold is answered at thresholds that were chosen on the other folds: chosen on
    the same samples they would flatter. The holdout is answered at those of `predict`.

    Args:
        folder: The experiment.
        config: Its config as it is now.
        decisions: Of the experiment.
        holdout: The mean of all folds' models on the holdout instead.
        resamples: For the intervals; 0 for none.

    Returns:
        The heads that have thresholds; None where no thresholds were asked for or needed, where
        there is no holdout, or but one fold to choose them on.

    Raises:
        StateError: If a file is missing or damaged.
    """
    wishes, needed = decisions.wishes, [bool(one.thresholds) for one in decisions.heads]
    if wishes.thresholds == ThresholdAim() or not any(needed):
        return None
    if holdout:
        held_out = decided_holdout(folder, decisions)
        if held_out is None:
            return None
        found, own = held_out, None
        answers = _answers(found.probs, decisions.heads)
    else:
        if len(decisions.folds) < 2:
            return None
        found, fold_of = with_folds(folder, decisions.folds, decisions.stage)
        own = np.array([fold_of[sample_id] for sample_id in found.ids])
        found, answers = cross_fitted_answers(found, own, wishes)
    groups = groups_of(folder, config, found)
    assessed = assess(
        found, folds=own, groups=groups, answers=answers, resamples=resamples, seed=config.seed
    )
    pairs = zip(assessed.heads, needed, strict=True)
    return replace(assessed, heads=tuple(head for head, has_own in pairs if has_own))


def cross_fitted_answers(
    predictions: Predictions, folds: Indices, wishes: Wishes
) -> tuple[Predictions, Flags]:
    """Answer each fold by what is chosen on the other folds.

    Args:
        predictions: Out-of-fold, with targets.
        folds: Of each sample [N], at least two different ones.
        wishes: What is asked for.

    Returns:
        The predictions, scaled, and what is answered [N, all classes].
    """
    probs = np.empty_like(predictions.probs)
    answers = np.empty(probs.shape, dtype=bool)
    for fold in np.unique(folds):
        own = folds == fold
        heads, _ = decide(predictions.take(np.flatnonzero(~own)), wishes, folds[~own])
        temperatures = [one.temperature for one in heads]
        probs[own] = scaled(predictions.probs[own], predictions.heads, temperatures)
        answers[own] = _answers(probs[own], heads)
    return replace(predictions, probs=probs), answers


def _answers(probs: Floats, heads: Sequence[HeadDecision]) -> Flags:
    """Say what is answered [N, all classes]: above the thresholds, or the most probable class."""
    slices = head_slices(tuple(one.head for one in heads))
    parts: list[AnyArray] = []
    for columns, one in zip(slices, heads, strict=True):
        block = probs[:, columns]
        most = np.eye(one.head.num_classes, dtype=bool)[block.argmax(axis=1)]
        parts.append(answers_at(block, one.thresholds) if one.thresholds else most)
    return np.concatenate(parts, axis=1)
