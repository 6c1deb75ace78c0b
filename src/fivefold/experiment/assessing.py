"""How good an experiment's models are on what they have not seen; loads no torch."""

import logging
from collections.abc import Sequence
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core.errors import DataError, FivefoldError
from fivefold.core.found import Found
from fivefold.core.layout import RunFolder
from fivefold.core.mask_scores import MaskScores
from fivefold.core.progress import Silent
from fivefold.data.split_report import GROUPS, SplitReport
from fivefold.evaluation import compute
from fivefold.evaluation.assessment import RESAMPLES, Assessment, assess
from fivefold.evaluation.mask_assessment import MaskAssessment, assess_masks
from fivefold.experiment.asked import Asked
from fivefold.experiment.finished import recorded_config
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.unseen import found_on_holdout, found_with_folds

logger = logging.getLogger(__name__)


def measured(folder: RunFolder, config: ExperimentConfig, stage: int = -1) -> dict[str, Any]:
    """Compute the metrics that the config asks for; see `Experiment.evaluate`."""
    index = stage_index(folder, config, stage)
    folds = trained_folds(folder, config, None, stage)
    recorded = recorded_config(folder, config)
    asked = [*recorded.resolve()[index].metrics, *Asked.by(recorded).finals]
    whole = found_with_folds(folder, folds, index)[0]
    usual = ["iou", "dice"] if isinstance(whole, MaskScores) else ["accuracy", "macro_f1"]
    names = list(dict.fromkeys(asked)) or usual
    found: dict[str, Any] = {
        "oof": compute(whole, names),
        "folds": {f: compute(found_with_folds(folder, [f], index)[0], names) for f in folds},
    }
    held_out = found_on_holdout(folder, folds, index)
    return found if held_out is None else {**found, "holdout": compute(held_out, names)}


def assess_run(
    folder: RunFolder,
    config: ExperimentConfig,
    stage: int = -1,
    *,
    holdout: bool = False,
    resamples: int = RESAMPLES,
) -> Assessment | MaskAssessment:
    """Assess the predictions of training: all out of fold, with the spread over folds.

    Args:
        folder: The experiment.
        config: Its config as it is now.
        stage: Which stage; -1 is the last.
        holdout: The mean of all folds' models on the holdout instead.
        resamples: For the intervals; 0 for none.

    Raises:
        DataError: If there is no holdout.
        StateError: If no fold has finished this stage, or a file is damaged.
    """
    folds, index = trained_folds(folder, config, None, stage), stage_index(folder, config, stage)
    if holdout:
        found, own = _held_out(folder, folds, index), None
    else:
        found, fold_of = found_with_folds(folder, folds, index)
        own = [fold_of[sample_id] for sample_id in found.ids]
    groups = groups_of(folder, config, found)
    return assess_found(found, folds=own, groups=groups, resamples=resamples, seed=config.seed)


def assess_found(found: Found, **options: Any) -> Assessment | MaskAssessment:
    """Assess what was found; the options are those of `assess` and `assess_masks` both."""
    if isinstance(found, MaskScores):
        return assess_masks(found, **options)
    return assess(found, **options)


def has_holdout(folder: RunFolder, config: ExperimentConfig, stage: int = -1) -> bool:
    """Say whether all folds that finished a stage have predicted a holdout."""
    index = stage_index(folder, config, stage)
    folds = trained_folds(folder, config, None, stage)
    of_each = all(folder.predictions("holdout", fold, index).exists() for fold in folds)
    return of_each or folder.ensemble_scores(index).exists()


def _held_out(folder: RunFolder, folds: Sequence[int], stage: int) -> Found:
    found = found_on_holdout(folder, folds, stage)
    if found is None:
        msg = f"{folder.root}: expected predictions of a holdout, got none"
        hint = "`testSplit: 0.1` in the config of a new experiment keeps a tenth out of all folds"
        raise DataError(msg, hint=hint, slug="data/no-holdout")
    return found


def groups_of(folder: RunFolder, config: ExperimentConfig, found: Found) -> Sequence[str] | None:
    """Find each sample's group [N]; None where the folds have kept no groups together.

    Where the data can no longer be read, that is warned of, and there are none.
    """
    path = folder.split_report_path
    if not path.exists() or GROUPS not in SplitReport.load(path).ties:
        return None
    # A run whose data are not read needs no code that opens them.
    from fivefold.experiment.assembling import assembled  # noqa: PLC0415  see above

    try:
        source = assembled(config, allow_imports=False, progress=Silent())
    except FivefoldError as error:
        logger.warning("groups cannot be read, samples are resampled one by one: %s", error)
        return None
    if source.groups is None:
        return None
    groups = dict(zip(source.sample_ids, source.groups, strict=True))
    # A sample that is not there any more is a group of its own.
    return [groups.get(sample_id, f"\x1f{sample_id}") for sample_id in found.ids]
