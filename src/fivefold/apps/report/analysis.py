"""What is computed from predictions; what cannot be becomes a note, never a stop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np

from fivefold.apps.report.gathered import Gathered
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions, join
from fivefold.evaluation import find_metric
from fivefold.evaluation.assessment import Assessment, Estimate, assess
from fivefold.evaluation.calibration import CalibrationReport, calibration_of
from fivefold.evaluation.label_errors import LabelErrors, find_label_errors
from fivefold.evaluation.mask_assessment import MaskAssessment, assess_masks
from fivefold.evaluation.mask_names import find_mask_metric

Headline: TypeAlias = Mapping[str, Estimate]
"""Metric to its estimate."""

_ASSESSED_AS = {
    "auc": "roc_auc",
    "binary_accuracy": "accuracy",
    "loss": "log_loss",
    "top_k_categorical_accuracy": "top_5_accuracy",
}


_MASKS_ASSESSED_AS = {
    "accuracy": "pixel_accuracy",
    "binary_accuracy": "pixel_accuracy",
    "iou_score": "iou",
    "macro_f1": "dice",
    "macro_precision": "precision",
    "macro_recall": "recall",
}


@dataclass(frozen=True)
class Analysis:
    """What predictions tell of samples that the models have not seen.

    Attributes:
        assessment: How good they are; None without truth, or where it cannot be said.
        of_folds: The same of each fold alone, without intervals.
        holdout: How good all folds' models together are on the holdout.
        calibration: Whether answers are right as often as they say.
        label_errors: Labels that may be wrong.
        masks: How good masks are, where those were predicted in the place of classes.
        masks_of_folds: The same of each fold alone, without intervals.
        held_out_masks: How good all folds' models together are on the holdout's masks.
    """

    assessment: Assessment | None = None
    of_folds: Mapping[int, Assessment] = field(default_factory=dict)
    holdout: Assessment | None = None
    calibration: CalibrationReport | None = None
    label_errors: LabelErrors | None = None
    masks: MaskAssessment | None = None
    masks_of_folds: Mapping[int, MaskAssessment] = field(default_factory=dict)
    held_out_masks: MaskAssessment | None = None

    @property
    def is_measured(self) -> bool:
        """Whether anything was measured on samples that the models have not seen."""
        return self.assessment is not None or self.masks is not None

    @property
    def headlines(self) -> list[tuple[str, Headline]]:
        """The numbers of each head, with its name; masks have one head."""
        return _headlines(self.assessment, self.masks)

    @property
    def of_holdout(self) -> list[tuple[str, Headline]]:
        """The same of the holdout; empty without one."""
        return _headlines(self.holdout, self.held_out_masks)

    @property
    def of_each_fold(self) -> list[list[tuple[str, Headline]]]:
        """The same of each fold alone."""
        folds = [_headlines(one, None) for one in self.of_folds.values()]
        return [*folds, *(_headlines(None, one) for one in self.masks_of_folds.values())]


def assessed_name(metric: str, *, masks: bool = False) -> str:
    """Say what an assessment calls a metric that a config may write in many ways."""
    bare = metric.removeprefix("val_")
    if masks:
        of_masks = find_mask_metric(bare)
        found = of_masks.name if of_masks else bare
        return _MASKS_ASSESSED_AS.get(found, found)
    known = find_metric(bare)
    name = known.name if known else bare
    return _ASSESSED_AS.get(name, name)


def analyse(found: Gathered) -> Analysis:
    """Compute what the page says; adds notes to what was gathered."""
    if found.masks is not None:
        return _analyse_masks(found, found.masks)
    sample, folds = _with_truth(found.predictions), found.folds_of_samples
    if sample is None:
        return Analysis()
    fold_of = dict(zip(sample.ids, folds, strict=True))
    seed = found.manifest.get("seed")
    measure = partial(assess, seed=seed if isinstance(seed, int) else 0)  # as `evaluate` has it
    measured = partial(measure, sample, folds=folds, groups=found.groups)
    held_out, holdout = _with_truth(found.held_out), None
    if held_out is not None:
        held_out_measured = partial(measure, held_out, groups=found.held_out_groups)
        holdout = found.attempt("metrics of the holdout", held_out_measured, None)
    suspects = partial(_label_errors, sample, held_out, fold_of)
    return Analysis(
        assessment=found.attempt("metrics", measured, None),
        of_folds=found.attempt("metrics of folds", partial(_of_folds, sample, folds), {}),
        holdout=holdout,
        calibration=found.attempt("calibration", partial(calibration_of, sample, folds), None),
        label_errors=found.attempt("label errors", suspects, None),
    )


def _headlines(
    assessment: Assessment | None, masks: MaskAssessment | None
) -> list[tuple[str, Headline]]:
    if masks is not None:
        return [("", masks.headline)]
    return [] if assessment is None else [(one.name, one.headline) for one in assessment.heads]


def _analyse_masks(found: Gathered, masks: MaskScores) -> Analysis:
    folds, held_out = found.folds_of_samples, found.held_out_masks
    seed = found.manifest.get("seed")
    measure = partial(assess_masks, seed=seed if isinstance(seed, int) else 0)
    measured = partial(measure, masks, folds=folds, groups=found.groups)
    alone = partial(_masks_of_folds, masks, folds)
    holdout = None
    if held_out is not None:
        held_out_measured = partial(measure, held_out, groups=found.held_out_groups)
        holdout = found.attempt("metrics of the holdout", held_out_measured, None)
    return Analysis(
        masks=found.attempt("metrics", measured, None),
        masks_of_folds=found.attempt("metrics of folds", alone, {}),
        held_out_masks=holdout,
    )


def _masks_of_folds(masks: MaskScores, folds: tuple[int, ...]) -> dict[int, MaskAssessment]:
    numbers = np.array(folds)
    return {
        fold: assess_masks(masks.take(np.flatnonzero(numbers == fold)), resamples=0)
        for fold in sorted(set(folds))
    }


def _with_truth(predictions: Predictions | None) -> Predictions | None:
    return None if predictions is None or predictions.targets is None else predictions


def _label_errors(
    sample: Predictions, held_out: Predictions | None, fold_of: Mapping[str, int]
) -> LabelErrors:
    unseen = sample if held_out is None else join([sample, held_out])
    return find_label_errors(unseen, fold_of=fold_of)


def _of_folds(sample: Predictions, folds: tuple[int, ...]) -> dict[int, Assessment]:
    numbers = np.array(folds)
    return {
        fold: assess(sample.take(np.flatnonzero(numbers == fold)), resamples=0)
        for fold in sorted(set(folds))
    }
