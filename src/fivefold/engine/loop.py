"""One epoch of training, one pass of validation; nothing else."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from fivefold.config import ResolvedStage
from fivefold.core.errors import DataError, NumericError
from fivefold.core.found import Found
from fivefold.core.seeding import seed_for
from fivefold.core.types import Indices
from fivefold.engine.answers import Answers, AnyBatch
from fivefold.engine.average import Average
from fivefold.engine.device import accelerator, images_of, tensor_of
from fivefold.engine.fold_data import FoldData
from fivefold.engine.grouping import Grouping
from fivefold.engine.memory import is_out_of_memory, out_of_memory
from fivefold.engine.predictor import Advance, map_batches
from fivefold.engine.resident import AnyBatches
from fivefold.evaluation import compute
from fivefold.models import Classifier
from fivefold.optim import SCALE, Moment, Schedule
from fivefold.optim.eager import take_step

TrainingLoss = Callable[..., Tensor]  # of logits, truth and, where they differ, weights


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
        loss: What training minimises, from logits and their truth and, where samples do not count
            the same, their weights [N] to a scalar.
        answers: What is asked of a batch, and measured: the loss without weights of classes and
            penalties.
        optimizer: Over the model's trainable parameters.
        schedule: From the place of a step in the stage to its learning rate.
        train: The batches of an epoch, in its own order, augmented.
        val: The validation samples, in a fixed order.
        class_weights: How much each class counts in `loss`, by its name, for the record: one
            number, or those of false and of true answers.
        average: Of the weights, if the stage asks for it.
        on_step: Told the step of the stage, its mean loss and its learning rate.
    """

    seed: int
    fold: int
    stage: ResolvedStage
    data: FoldData
    model: Classifier
    loss: TrainingLoss
    answers: Answers
    optimizer: Optimizer
    schedule: Schedule
    train: Callable[[int], AnyBatches]
    val: AnyBatches
    class_weights: Mapping[str, float | list[float]] = field(default_factory=dict)
    average: Average | None = None
    on_step: Callable[[int, float, float], None] = _unheard

    def minimised(self, logits: Tensor, truth: Tensor, rows: Indices) -> Tensor:
        """Compute `loss` of some rows of the table [N], a scalar.

        Of a mixed image counts the weight of that of which there is most.
        """
        weights = self.data.weights(rows)
        if weights is None:
            return self.loss(logits, truth)
        return self.loss(logits, truth, tensor_of(weights))

    def describe(self, epoch: int) -> str:
        """Say where in the experiment an epoch is."""
        place = f"fold {self.fold}, stage {self.stage.index}"
        return f"{place}, epoch {epoch + 1} of {self.stage.epochs}"


class Seen:
    """What an epoch of training saw, so that its numbers are over samples, not over batches."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.kept: list[Any] = []
        self.loss_sum = 0.0

    def add(self, rows: Indices, kept: Any, loss: float) -> None:
        """Remember a step: the table's rows [B], what answers keep of it, the mean loss."""
        self.rows += rows.tolist()
        self.kept.append(kept)
        self.loss_sum += loss * len(rows)

    def numbers(self, task: Task) -> dict[str, float]:
        """Give the mean loss, and the metrics over all samples as they were when trained on."""
        found = task.answers.learned(self.rows, self.kept)
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
        logits, truth, loss = back_propagate(task, batch, share, where)
        mean += share * loss
        if groups.is_last(number):
            learn(task, now.step)
            task.on_step(now.step, mean, rate)
            mean = 0.0
        seen.add(batch.indices, task.answers.seen(logits, truth), loss)
        advance(len(batch.indices))
    return {**seen.numbers(task), "lr": rate}


def validate(task: Task, epoch: int, advance: Advance) -> tuple[Found, dict[str, float]]:
    """Predict the validation fold, and measure it as a whole.

    Args:
        task: What was trained.
        epoch: 0-based; for messages.
        advance: Told the number of samples after each batch.

    Returns:
        What was found, and the loss and metrics under their `val_` names.

    Raises:
        NumericError: If an output or the loss is NaN or infinite; nothing of this epoch is kept.
    """
    return judge(task, epoch, answers_of(task, advance))


def answers_of(task: Task, advance: Advance) -> list[Any]:
    """Ask the model about the validation fold; gives what answers keep of each batch."""
    task.model.eval()

    def ask(batch: AnyBatch) -> tuple[int, Any]:
        logits = task.model(images_of(batch))
        return len(batch.indices), task.answers.answered(logits, batch)

    kept = []
    for count, part in map_batches(ask, task.val):
        kept.append(part)
        advance(count)
    return kept


def judge(task: Task, epoch: int, kept: Sequence[Any]) -> tuple[Found, dict[str, float]]:
    """Measure what answers keep of the validation fold; see `validate`."""
    found, losses = task.answers.judged(task.data.val_rows, kept)
    if not math.isfinite(losses["loss"]):
        rate = task.optimizer.param_groups[0]["lr"]
        where = f"{task.describe(epoch)}, validation, learning rate {rate:g}"
        raise not_finite(where, losses["loss"])
    measured = {**losses, **compute(found, task.stage.metrics)}
    return found, {f"val_{name}": value for name, value in measured.items()}


class Step(NamedTuple):
    """What came of a batch.

    Attributes:
        logits: Of its samples.
        truth: What the loss compared them with, on the device.
        loss: Its mean over the batch.
    """

    logits: Tensor
    truth: Tensor
    loss: float


def back_propagate(task: Task, batch: AnyBatch, share: float, where: str) -> Step:
    """Add a batch's part to the gradients.

    Args:
        task: Whose model.
        batch: Some samples.
        share: Part of the step's samples that these are.
        where: For messages.

    Raises:
        NumericError: If the loss is NaN or infinite; the gradients are as before.
        ResourceError: If memory runs out.
    """
    try:
        logits, truth = task.model(images_of(batch)), task.answers.truth(batch)
        loss = task.minimised(logits, truth, batch.indices)
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
    return Step(logits, truth, value)


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
