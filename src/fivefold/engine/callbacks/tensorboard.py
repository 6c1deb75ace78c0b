"""The callback that writes for TensorBoard: numbers, counts, curves and pictures."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.engine.callbacks.event_files import drop_from
from fivefold.engine.callbacks.places import apart, inside
from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    StageInfo,
    Validation,
    callbacks,
)

_UNSUPPORTED = (
    "histogram_freq",
    "batch_size",
    "write_graph",
    "write_grads",
    "write_images",
    "embeddings_freq",
    "embeddings_layer_names",
    "embeddings_metadata",
    "embeddings_data",
)
_MISTAKES = 16  # pictures of them at most
_QUEUE = 10_000  # events: with the usual ten, training waits for the disk


def _idle(options: Mapping[str, Any]) -> Iterator[str]:
    for name in _UNSUPPORTED:
        if options[name]:
            yield f"{name}: weights and inputs are not written, only what was measured"


@callbacks.add(idle=_idle)
@dataclass(kw_only=True)
class TensorBoard(Callback):
    """Writes what is measured in every epoch for TensorBoard, a folder for each fold and stage.

    Every epoch: all numbers, how many images a second were learned from and validated, and how
    many answers about each class were true and false, positive and negative. Now and then: the
    confusion matrix, a precision-recall curve for each class, and the surest mistakes. Where masks
    are predicted, answers are about pixels, and of pictures there are those of the worst masks: the
    others would need the probabilities of all pixels.

    Attributes:
        log_dir: Where, below the experiment's folder.
        update_freq: `batch` writes the loss and the learning rate of every step too, into a folder
            `steps` of its own.
        picture_freq: Curves and pictures are written in the first epoch, in every one whose number
            is a multiple of this, and in the last; 0 writes none.
        max_classes: Counts and curves are those of so many classes of each output, the first
            ones, and of all classes together; 0 writes none for single classes.
        histogram_freq: Like those that follow, Keras's and without effect.
    """

    log_dir: Annotated[str, AfterValidator(inside), AfterValidator(apart)] = "logs"
    update_freq: Literal["epoch", "batch"] = "epoch"
    picture_freq: Annotated[int, Field(ge=0)] = 5
    max_classes: Annotated[int, Field(ge=0, le=10_000)] = 50
    histogram_freq: Any = None
    batch_size: Any = None
    write_graph: Any = None
    write_grads: Any = None
    write_images: Any = None
    embeddings_freq: Any = None
    embeddings_layer_names: Any = None
    embeddings_metadata: Any = None
    embeddings_data: Any = None

    def __post_init__(self) -> None:
        self._writer: Any = None
        self._of_steps: Any = None
        self._epochs = 0

    def on_stage_start(self, info: StageInfo) -> None:
        """Drop what lies beyond the epochs that are done, and open a file of events."""
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  costs a second

        folder, first = self.folder(info), info.first_epoch
        self._epochs = info.epochs
        drop_from(folder, first)
        self._writer = SummaryWriter(str(folder), max_queue=_QUEUE)
        if self.update_freq == "batch":
            drop_from(folder / "steps", first * info.steps)
            self._of_steps = SummaryWriter(str(folder / "steps"))

    def folder(self, info: StageInfo) -> Path:
        """Name the folder that a stage's events are in."""
        return info.root / self.log_dir / f"{info.fold}.{info.stage}"

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Name that folder."""
        return (self.folder(info),)

    def on_step(self, step: int, loss: float, lr: float) -> None:
        """Write a step's numbers, if that was asked for."""
        if self._of_steps is not None:
            self._of_steps.add_scalar("batch_loss", loss, step)
            self._of_steps.add_scalar("batch_lr", lr, step)

    def on_validation(self, epoch: int, found: Validation) -> None:
        """Write speed and counts, and curves and pictures where it is time."""
        if found.seconds > 0:
            self._writer.add_scalar("speed/images_per_second", found.images / found.seconds, epoch)
            self._writer.add_scalar("speed/seconds", found.seconds, epoch)
        if isinstance(found.predictions, MaskScores):
            names, counts = found.predictions.class_names, _counted_pixels(found.predictions)
            self._write_counts(names, counts, "", epoch)
        else:
            self._write_heads(found.predictions.by_head(), epoch)
        if self._draws(epoch):
            self._write_mistakes(found, epoch)

    def _write_heads(self, parts: Sequence[Predictions], epoch: int) -> None:
        for part in parts:
            head = f"/{_text(part.heads[0].name)}" if len(parts) > 1 else ""
            self._write_counts(part.class_names, _counts(part), head, epoch)
            if self._draws(epoch):
                self._write_curves(part, head, epoch)
                self._write_matrix(part, head, epoch)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Write one point for each number."""
        for name, value in sorted(row.items()):
            self._writer.add_scalar(name, value, epoch)
        for writer in (self._writer, self._of_steps):
            if writer is not None:
                writer.flush()

    def on_stage_end(self) -> None:
        """Close the events files."""
        for writer in (self._writer, self._of_steps):
            if writer is not None:
                writer.close()

    def _draws(self, epoch: int) -> bool:
        number = epoch + 1
        if not self.picture_freq:
            return False
        return number in (1, self._epochs) or number % self.picture_freq == 0

    def _write_counts(
        self, class_names: Sequence[str], found: Mapping[str, Any], head: str, epoch: int
    ) -> None:
        for kind, counts in found.items():
            self._writer.add_scalar(f"all_classes{head}/{kind}", counts.sum(), epoch)
            for name, count in zip(class_names[: self.max_classes], counts, strict=False):
                self._writer.add_scalar(f"{kind}{head}/{_text(name)}", count, epoch)

    def _write_curves(self, part: Predictions, head: str, epoch: int) -> None:
        for column, name in enumerate(part.class_names[: self.max_classes]):
            probs = part.probs[:, column].clip(0, 1)  # a mean may be rounded to above 1
            tag = f"pr_curves{head}/{_text(name)}"
            self._writer.add_pr_curve(tag, part.truth[:, column] > 0.5, probs, epoch)

    def _write_matrix(self, part: Predictions, head: str, epoch: int) -> None:
        from fivefold.engine.matrix_picture import MOST, draw_matrix  # noqa: PLC0415  loads Pillow
        from fivefold.evaluation.confusion import confusion_matrix  # noqa: PLC0415  with it

        excludes = part.heads[0].activation != "sigmoid"
        if excludes and len(part.class_names) <= MOST and _is_single(part):
            picture = draw_matrix(confusion_matrix(part), part.class_names)
            self._write_picture(f"confusion_matrix{head}", picture, epoch)

    def _write_mistakes(self, found: Validation, epoch: int) -> None:
        picture = found.draw_mistakes(_MISTAKES)
        if picture:
            self._write_picture("mistakes", picture, epoch)

    def _write_picture(self, tag: str, png: bytes, epoch: int) -> None:
        """Write a PNG file as it is: `add_image` would take four times as long to encode it."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415  with the writer

        width, height = struct.unpack(">II", png[16:24])
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self._writer.file_writer.add_summary(summary, epoch)


def _counts(part: Predictions) -> dict[str, Any]:
    """Count the answers about each class of one head [C]."""
    from fivefold.engine.examples import decided  # noqa: PLC0415  loads Pillow

    answers, truth = decided(part) > 0.5, part.truth > 0.5
    return {
        "true_positives": (answers & truth).sum(axis=0),
        "false_positives": (answers & ~truth).sum(axis=0),
        "true_negatives": (~answers & ~truth).sum(axis=0),
        "false_negatives": (~answers & truth).sum(axis=0),
    }


def _counted_pixels(scores: MaskScores) -> dict[str, Any]:
    """Count the answers about each class, pixel by pixel [C]."""
    hits, said, true = (array.sum(axis=0) for array in (scores.hits, scores.said, scores.true))
    return {
        "true_positives": hits,
        "false_positives": said - hits,
        "true_negatives": scores.pixels.sum() - said - true + hits,
        "false_negatives": true - hits,
    }


def _is_single(part: Predictions) -> bool:
    return bool(np.all((part.truth > 0.5).sum(axis=1) == 1))


def _text(name: str) -> str:
    """Make a name one that an events file can hold: bytes that are no text become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
