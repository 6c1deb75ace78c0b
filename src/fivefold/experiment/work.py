"""What all folds of an experiment share, and what one fold takes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.config import ResolvedStage
from fivefold.core.choices import Choices
from fivefold.core.errors import ConfigError, Problem, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.seeding import seed_for
from fivefold.core.types import AnyArray
from fivefold.data.images import ResizedImages
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import on_device
from fivefold.engine.feature_files import FeatureFiles
from fivefold.engine.fold_data import FoldData
from fivefold.engine.pace import Pace
from fivefold.engine.resident import Resident
from fivefold.engine.stage_job import StageJob
from fivefold.experiment.negatives import rows_of_fold
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.reuse import Reuse
from fivefold.models import Classifier, ModelSpec, build_classifier, count_layers


@dataclass(frozen=True)
class Work:
    """What all folds of an experiment share.

    Attributes:
        folder: The experiment's folder.
        stages: What to do, in order.
        spec: The model.
        weights: Where a new model's weights come from: "imagenet", "none" or a path.
        seed: The experiment's seed.
        directory: Where relative paths of the config start.
        config: The config, for the bundles.
        table: All used samples.
        images: Their pixels.
        splits: Which sample is in which fold.
        plans: What is left to do of each fold that was asked for.
        threads: How many decode and augment ahead.
        choices: How it is computed.
        features: Those that frozen backbones have given before.
        reuse: Takes stages that other experiments have trained alike, and gives to them.
        pace: Counts the epochs of all folds.
        progress: Who watches.
        positives: Of each sample whether it is positive [N]; empty where no stage asks.
        resident: The pixels on the device, if they have a place there.
        keep_maps: Whether the probabilities of all pixels are kept, where masks are predicted.
    """

    folder: RunFolder
    stages: tuple[ResolvedStage, ...]
    spec: ModelSpec
    weights: str
    seed: int
    directory: Path
    config: Mapping[str, Any]
    table: SampleTable
    images: ResizedImages
    splits: Splits
    plans: tuple[FoldPlan, ...]
    threads: int
    choices: Choices
    features: FeatureFiles
    reuse: Reuse
    pace: Pace
    progress: Progress
    positives: AnyArray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    resident: Resident | None = None
    keep_maps: bool = True


def stage_job(
    work: Work, stage: ResolvedStage, model: Classifier, data: FoldData, fold: int
) -> StageJob:
    """Collect all that one stage of one fold needs."""
    return StageJob(
        folder=work.folder,
        stage=stage,
        fold=fold,
        seed=work.seed,
        spec=work.spec,
        model=model,
        data=data,
        config=work.config,
        pace=work.pace,
        progress=work.progress,
    )


def fold_data(work: Work, fold: int, stage: ResolvedStage) -> FoldData:
    """Collect those of one fold's samples that take part in a stage."""
    rows = rows_of_fold(work.splits, work.table, work.positives, stage, seed=work.seed, fold=fold)
    return FoldData(
        table=work.table,
        images=work.images,
        train_rows=rows.train,
        val_rows=rows.val,
        threads=work.threads,
        left_out=rows.left_out,
        resident=work.resident,
    )


def new_model(work: Work, fold: int) -> Classifier:
    """Build the model that a fold starts from: pretrained as asked, its head drawn by seed.

    Raises:
        ConfigError: If a stage is to train more layers than there are.
        StateError: If the pretrained weights are not those that other folds have started from.
    """
    model = build_classifier(
        work.spec,
        weights=work.weights,
        directory=work.directory,
        generator_seed=seed_for(work.seed, "head", fold),
    )
    _check_origin(work, model)
    _check_layers(work, model)
    return model


def _check_layers(work: Work, model: Classifier) -> None:
    most = max(stage.layers_to_train for stage in work.stages)
    if most > 0 and most > (layers := count_layers(model.backbone.net)):
        message = (
            f"layers_to_train: expected at most {layers}, the layers of "
            f"{(work.spec.backbone or work.spec.architecture)!r}, got {most}"
        )
        hint = "-1 trains all of them; a block with its normalisation is one layer"
        raise ConfigError([Problem("config/layers-to-train", "", message, hint)])


def _check_origin(work: Work, model: Classifier) -> None:
    for path in sorted(work.folder.bundle(0, 0).parent.glob("best-*.0.json")):
        before, now = load_bundle(path).origin, model.origin
        if before.sha256 != now.sha256:
            msg = (
                f"weights: expected those that other folds started from, {before.description} "
                f"{before.sha256[:12]}, got {now.description} {now.sha256[:12]}"
            )
            hint = "put the old file back, or use a new folder"
            raise StateError(msg, hint=hint, slug="state/weights-changed")


def starting_model(work: Work, plan: FoldPlan) -> Classifier:
    """Build or load the model that a fold goes on with, on its device."""
    if plan.first_stage:
        model = load_model(work.folder, plan.fold, plan.first_stage - 1)
    else:
        model = new_model(work, plan.fold)
    return on_device(model, work.choices)
