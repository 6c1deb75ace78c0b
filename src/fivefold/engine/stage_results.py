"""What a stage of a fold leaves behind: weights, predictions, pictures, and what describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from fivefold.core.durable import remove, write_bytes
from fivefold.core.errors import NumericError
from fivefold.core.found import Found, load_found
from fivefold.core.layout import RunFolder
from fivefold.core.types import Image, Indices
from fivefold.engine.best import forget_best, load_best
from fivefold.engine.checkpoint import Bundle, save_bundle, save_trained, save_weights
from fivefold.engine.drawing import Drawing, drawing_of
from fivefold.engine.finding import find
from fivefold.engine.predictor import Place
from fivefold.engine.stage_job import StageJob
from fivefold.engine.state import TrainState, forget_stage
from fivefold.engine.tensors import load_model_tensors


@dataclass(frozen=True)
class StageResults:
    """What a stage leaves behind.

    Attributes:
        job: The stage.
        class_weights: What classes weighed in its loss, for the bundle.
    """

    job: StageJob
    class_weights: Mapping[str, float | list[float]]

    def write(self, state: TrainState, trained: nn.Module) -> None:
        """Leave the best weights in the model, and all results of the stage on the disk.

        Args:
            state: At the end.
            trained: What of the model was trained.

        Raises:
            NumericError: If no epoch was the best.
        """
        job, place = self.job, (self.job.fold, self.job.stage.index)
        if state.best_epoch < 0:
            msg = (
                f"fold {job.fold}, stage {job.stage.index}: expected a number for "
                f"{job.stage.primary_metric!r} in some epoch, got NaN in all"
            )
            hint = "choose another `primary_metric`: this one is undefined on the validation fold"
            raise NumericError(msg, hint=hint, slug="numeric/metric")
        sha256 = (state.best_sha256, state.best_predictions_sha256)
        folder = job.folder.state(job.fold)
        tensors, predictions = load_best(folder, job.stage.index, state.best_epoch, sha256)
        load_model_tensors(trained, tensors)
        frozen = job.stage.trains_head_alone
        weights_sha256, encoder_sha256 = save_trained(job.folder, *place, job.model, frozen=frozen)
        write_bytes(job.folder.predictions("validation", *place), predictions)
        forget_later(job.folder, *place)
        if len(job.data.left_out):
            self._predict_all()
        self._draw_examples()
        described = self._described(state.best_epoch, state.rows[state.best_epoch], weights_sha256)
        bundle = replace(described, encoder_sha256=encoder_sha256)
        save_bundle(job.folder.bundle(*place), bundle)
        forget_running(folder, job.stage.index)

    def _predict_all(self) -> None:
        """Predict the whole validation fold where epochs have measured a part of it."""
        job, data = self.job, self.job.data
        rows, place = data.whole_val_rows, Place(job.fold, job.stage.index)
        what = f"fold {job.fold}, stage {job.stage.index}: samples that were left out"
        with job.progress.bar(what, len(rows)) as advance:
            found = find(
                job.model,
                data.images,
                rows,
                job.stage,
                place,
                threads=data.threads,
                advance=advance,
            )
        found.save(job.folder.predictions("validation", job.fold, job.stage.index))

    def _described(self, epoch: int, row: Mapping[str, float], sha256: str) -> Bundle:
        job = self.job
        return Bundle(
            spec=job.spec,
            input_spec=job.model.input_spec,
            sha256=sha256,
            fold=job.fold,
            stage=job.stage.index,
            epoch=epoch,
            metrics=row,
            origin=job.model.origin,
            config=job.config,
            class_weights=self.class_weights,
            prior_shift=tuple(job.model.head.prior_shift.tolist())
            if job.stage.prior_correction
            else (),
            validated=len(job.data.val_rows),
        )

    def save_epoch(self, stem: Path, epoch: int, row: Mapping[str, float]) -> None:
        """Write the whole model for a callback, and what describes it."""
        sha256 = save_weights(stem.with_suffix(".safetensors"), self.job.model)
        save_bundle(stem.with_suffix(".json"), self._described(epoch, row, sha256))

    def draw_epoch(self, epoch: int, found: Found) -> None:
        """Draw the same samples in every epoch whose turn it is, as they are predicted by then.

        Args:
            epoch: 0-based.
            found: In the validation fold, in its order.
        """
        job = self.job
        if epoch not in drawn_epochs(job.stage.epochs, job.stage.example_epochs):
            return
        picture = self.draw(found, self._drawing.steady(found))
        write_bytes(job.folder.example(job.fold, job.stage.index, epoch), picture)

    def draw(self, found: Found, chosen: Sequence[int] | Indices) -> bytes:
        """Draw some rows of what an epoch has found, as a PNG file."""
        rows = np.asarray(self.job.data.val_rows)[np.asarray(chosen, np.int64)]
        return self._drawing.draw(rows, found.take(chosen))

    def draw_mistakes(self, found: Found, limit: int) -> bytes:
        """Draw the worst mistakes of an epoch, as a PNG file; empty where all is right."""
        chosen = self._drawing.mistakes(found, limit)
        return self.draw(found, chosen) if len(chosen) else b""

    def pictures(self, rows: Sequence[int]) -> list[Image]:
        """Give the images of some rows of an epoch's predictions, in their order."""
        data = self.job.data
        return [data.images.get(data.val_rows[row]) for row in rows]

    @property
    def _drawing(self) -> Drawing:
        return drawing_of(self.job.model, self.job.data, self.job.stage)

    def _draw_examples(self) -> None:
        job, place = self.job, (self.job.fold, self.job.stage.index)
        found = load_found(job.folder.predictions("validation", *place))
        chosen = self._drawing.telling(found)
        rows = np.asarray(job.data.whole_val_rows)[chosen]
        picture = self._drawing.draw(rows, found.take(chosen))
        write_bytes(job.folder.examples(*place) / "validation.png", picture)


def drawn_epochs(epochs: int, count: int) -> set[int]:
    """Choose epochs from the first to the last evenly; one alone is the first.

    Args:
        epochs: Of the stage.
        count: How many to choose at most.

    Returns:
        0-based.
    """
    count = min(count, epochs)
    return {round(i * (epochs - 1) / max(count - 1, 1)) for i in range(count)}


def forget_later(folder: RunFolder, fold: int, stage: int) -> None:
    """Remove what other weights of a stage have predicted that is made once it is finished."""
    made = (
        folder.maps("validation", fold, stage),
        folder.predictions("holdout", fold, stage),
        folder.ensemble_maps(stage),
        folder.ensemble_scores(stage),
    )
    for path in made:
        if path.exists():
            remove(path)


def forget_running(folder: Path, stage: int) -> None:
    """Remove what a stage needed only while it ran."""
    forget_stage(folder, stage)
    forget_best(folder, stage)
