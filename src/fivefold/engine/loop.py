"""One epoch of training, one pass of validation; nothing else."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from fivefold.config import ResolvedStage
from fivefold.core.errors import DataError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.seeding import seed_for
from fivefold.core.types import Floats, Indices
from fivefold.data.batches import Batch
from fivefold.engine.average import Average
from fivefold.engine.device import DeviceBatch, accelerator, images_of, targets_of, tensor_of
from fivefold.engine.fold_data import FoldData
from fivefold.engine.grouping import Grouping
from fivefold.engine.memory import is_out_of_memory, out_of_memory
from fivefold.engine.predictor import Advance, Place, as_predictions, predict_logits
from fivefold.engine.resident import AnyBatches
from fivefold.evaluation import compute
from fivefold.models import Classifier, probabilities
from fivefold.optim import SCALE, Moment, Schedule
from fivefold.optim.eager import take_step

LossFunction = Callable[[Tensor, Tensor], Tensor]
TrainingLoss = Callable[..., Tensor]  # of logits, targets and, where they differ, weights


def _unheard(step: int, loss: float, lr: float) -> None:
    """Tell nobody of a step."""


@dataclass(frozen=True)
class Task:
    """What a stage trains, and on what.

    Attributes:
        seed: The experiment's seed.
        fold: 0-based.
        stage: What is done in it.
        data: The fold's samples.
        model: Trained in place.
        loss: What training minimises, from logits and targets [N, all classes] and, where they do
            not count the same, weights of samples [N] to a scalar.
        val_loss: What is measured: the loss without weights of classes and penalties.
        optimizer: Over the model's trainable parameters.
        schedule: From the place of a step in the stage to its learning rate.
        train: The batches of an epoch, in its own order, augmented.
        val: The validation samples, in a fixed order.
        class_weights: How much each class counts in `loss`, by its name, for the record: one
            number, or those of false and of true answers.
        average: Of the weights, if the stage asks for it.
        head_losses: What is measured of each of several heads, by its name.
        on_step: Told the step of the stage, its mean loss and its learning rate.
    """

    seed: int
    fold: int
    stage: ResolvedStage
    data: FoldData
    model: Classifier
    loss: TrainingLoss
    val_loss: LossFunction
    optimizer: Optimizer
    schedule: Schedule
    train: Callable[[int], AnyBatches]
    val: AnyBatches
    class_weights: Mapping[str, float | list[float]] = field(default_factory=dict)
    average: Average | None = None
    head_losses: Mapping[str, LossFunction] = field(default_factory=dict)
    on_step: Callable[[int, float, float], None] = _unheard

    def minimised(self, logits: Tensor, targets: Tensor, rows: Indices) -> Tensor:
        """Compute `loss` of some rows of the table [N], a scalar.

        Of a mixed image counts the weight of that of which there is most.
        """
        weights = self.data.weights(rows)
        if weights is None:
            return self.loss(logits, targets)
        return self.loss(logits, targets, tensor_of(weights))

    def describe(self, epoch: int) -> str:
        """Say where in the experiment an epoch is."""
        place = f"fold {self.fold}, stage {self.stage.index}"
        return f"{place}, epoch {epoch + 1} of {self.stage.epochs}"


class Seen:
    """What an epoch of training saw, so that its numbers are over samples, not over batches."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.logits: list[Tensor] = []
        self.loss_sum = 0.0

    def add(self, rows: Indices, logits: Tensor, loss: float) -> None:
        """Remember a step: the table's rows [B], their logits [B, all classes], the mean loss."""
        self.rows += rows.tolist()
        self.logits.append(logits.detach().float().cpu())
        self.loss_sum += loss * len(rows)

    def numbers(self, task: Task) -> dict[str, float]:
        """Give the mean loss, and the metrics over all samples as they were when trained on."""
        logits = torch.cat(self.logits)
        found = _predictions(task, self.rows, logits)
        return {"loss": self.loss_sum / len(self.rows), **compute(found, task.stage.metrics)}


def train_epoch(task: Task, epoch: int, lr: float, advance: Advance) -> dict[str, float]:
    """Train on every sample once.

    Args:
        task: What to train.
        epoch: 0-based; decides order, augmentation and dropout.
        lr: The stage's learning rate before the schedule has its part in it.
        advance: Told the number of samples after each step.

    Returns:
        The mean loss, the metrics over all samples as they were when trained on, and `lr`, the
        rate of the last step.

    Raises:
        NumericError: If the loss is NaN or infinite; the weights are those before that step.
        ResourceError: If memory runs out.
    """
    torch.manual_seed(seed_for(task.seed, "epoch", task.fold, task.stage.index, epoch))
    task.model.train()
    batches = task.train(epoch)
    groups = Grouping.of(batches.parts, task.stage.accumulate)
    seen, rate, mean = Seen(), lr, 0.0
    task.optimizer.zero_grad(set_to_none=True)
    for number, batch in enumerate(batches):
        now = moment(task, lr, epoch, (groups.step(number), groups.steps))
        rate, share = set_rate(task, now), groups.share(number)
        where = f"{task.describe(epoch)}, learning rate {rate:g}"
        logits, loss = back_propagate(task, batch, share, where)
        mean += share * loss
        if groups.is_last(number):
            learn(task, now.step)
            task.on_step(now.step, mean, rate)
            mean = 0.0
        seen.add(batch.indices, logits, loss)
        advance(len(batch.indices))
    return {**seen.numbers(task), "lr": rate}


def validate(task: Task, epoch: int, advance: Advance) -> tuple[Predictions, dict[str, float]]:
    """Predict the validation fold, and measure it as a whole.

    Args:
        task: What was trained.
        epoch: 0-based; for messages.
        advance: Told the number of samples after each batch.

    Returns:
        The predictions, and the loss and metrics under their `val_` names.

    Raises:
        NumericError: If an output or the loss is NaN or infinite; nothing of this epoch is kept.
    """
    logits, targets = predict_logits(task.model, task.val, advance)
    return judge(task, epoch, logits, targets)


def judge(
    task: Task, epoch: int, logits: Tensor, targets: Floats
) -> tuple[Predictions, dict[str, float]]:
    """Measure logits [N, all classes] of the validation fold, on the CPU; see `validate`."""
    loss = task.val_loss(logits.to(accelerator().device), tensor_of(targets)).item()
    if not (math.isfinite(loss) and logits.isfinite().all()):
        rate = task.optimizer.param_groups[0]["lr"]
        where = f"{task.describe(epoch)}, validation, learning rate {rate:g}"
        raise not_finite(where, loss if not math.isfinite(loss) else math.nan)
    found = _predictions(task, task.data.val_rows, logits)
    measured = {"loss": loss, **_of_heads(task, logits, targets)}
    measured |= compute(found, task.stage.metrics)
    return found, {f"val_{name}": value for name, value in measured.items()}


def _of_heads(task: Task, logits: Tensor, targets: Floats) -> dict[str, float]:
    places = logits.to(accelerator().device), tensor_of(targets)
    return {f"{name}_loss": loss(*places).item() for name, loss in task.head_losses.items()}


def back_propagate(
    task: Task, batch: Batch | DeviceBatch, share: float, where: str
) -> tuple[Tensor, float]:
    """Add a batch's part to the gradients.

    Args:
        task: Whose model.
        batch: Some samples.
        share: Part of the step's samples that these are.
        where: For messages.

    Returns:
        The logits [B, all classes], and the mean loss of the batch.

    Raises:
        NumericError: If the loss is NaN or infinite; the gradients are as before.
        ResourceError: If memory runs out.
    """
    try:
        logits = task.model(images_of(batch))
        loss = task.minimised(logits, targets_of(batch), batch.indices)
        value = float(loss.item())
        if not math.isfinite(value):
            raise not_finite(where, value)
        accelerator().backward(loss if share == 1 else loss * share)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        msg = f"{where}: expected several samples for BatchNorm, got {len(batch.indices)}"
        hint = "set `batch` to at least 2, train on more samples, or `freeze_batchnorm: true`"
        raise DataError(msg, hint=hint, slug="data/batch-of-one") from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        hint = "in a new folder, lower `batch` or `shape`"
        raise out_of_memory(error, where, len(batch.indices), hint) from error
    return logits, value


def learn(task: Task, step: int) -> None:
    """Take a step of the stage, its gradients being there, and forget them.

    As in Keras, the norm of all gradients is limited before each one's value.
    """
    if task.stage.clipnorm:
        accelerator().clip_grad_norm_(task.model.parameters(), task.stage.clipnorm)
    if task.stage.clipvalue:
        accelerator().clip_grad_value_(task.model.parameters(), task.stage.clipvalue)
    take_step(task.optimizer)
    task.optimizer.zero_grad(set_to_none=True)
    if task.average is not None:
        task.average.update(step + 1)


def not_finite(where: str, value: float) -> NumericError:
    """Word a loss that is NaN or infinite."""
    msg = f"{where}: expected a finite loss, got {value}"
    hint = "in a new folder, lower `lr` or set `clipnorm: 1`; this one keeps the epochs before"
    return NumericError(msg, hint=hint, slug="numeric/loss")


def moment(task: Task, lr: float, epoch: int, place: tuple[int, int]) -> Moment:
    """Say where in its stage a step is.

    Args:
        task: Of which stage.
        lr: The stage's learning rate before the schedule has its part in it.
        epoch: 0-based.
        place: The step in the epoch, 0-based, and how many steps an epoch has.
    """
    step, steps = place
    return Moment(epoch * steps + step, steps, task.stage.epochs, lr, task.stage.lr)


def set_rate(task: Task, now: Moment) -> float:
    """Give the optimizer the rate of a step, each layer its part of it, and return it."""
    rate = task.schedule(now)
    give_rate(task.optimizer, rate)
    return rate


def give_rate(optimizer: Optimizer, rate: float) -> None:
    """Set an optimizer's learning rate, each layer's own part of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(SCALE, 1.0)


def _predictions(task: Task, rows: Sequence[int] | Indices, logits: Tensor) -> Predictions:
    probs: Floats = probabilities(logits, task.model.heads).numpy().astype(np.float32)
    place = Place(task.fold, task.stage.index)
    return as_predictions(task.model.heads, task.data.table, rows, probs, place)
