"""What is computed from predictions; what cannot be becomes a note, never a stop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from fivefold.apps.report.gathered import Gathered
from fivefold.core.predictions import Predictions, join
from fivefold.evaluation import find_metric
from fivefold.evaluation.assessment import Assessment, assess
from fivefold.evaluation.calibration import CalibrationReport, calibration_of
from fivefold.evaluation.label_errors import LabelErrors, find_label_errors

_ASSESSED_AS = {
    "auc": "roc_auc",
    "binary_accuracy": "accuracy",
    "loss": "log_loss",
    "top_k_categorical_accuracy": "top_5_accuracy",
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
    """

    assessment: Assessment | None = None
    of_folds: Mapping[int, Assessment] = field(default_factory=dict)
    holdout: Assessment | None = None
    calibration: CalibrationReport | None = None
    label_errors: LabelErrors | None = None


def assessed_name(metric: str) -> str:
    """Say what an assessment calls a metric that a config may write in many ways."""
    bare = metric.removeprefix("val_")
    known = find_metric(bare)
    name = known.name if known else bare
    return _ASSESSED_AS.get(name, name)


def analyse(found: Gathered) -> Analysis:
    """Compute what the page says; adds notes to what was gathered."""
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
