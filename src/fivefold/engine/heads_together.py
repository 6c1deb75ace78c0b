"""Heads of several folds trained at once on features: each with the bits that it has alone."""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator, Tensor

from fivefold.core.errors import NumericError
from fivefold.core.seeding import seed_for
from fivefold.core.types import Indices
from fivefold.engine.device import accelerator, tensor_of
from fivefold.engine.features import Features
from fivefold.engine.grouping import Grouping
from fivefold.engine.loop import Seen, judge, learn, moment, not_finite, set_rate
from fivefold.engine.pace import Pace
from fivefold.engine.predictor import Advance
from fivefold.engine.stage import StageRun
from fivefold.models import logits_together
from fivefold.optim import Moment

logger = logging.getLogger(__name__)


def run_heads(
    runs: Sequence[StageRun], features: Mapping[str, Features]
) -> dict[int, NumericError]:
    """Train the heads of several stages with frozen backbones to their ends, in lockstep.

    Args:
        runs: Any number; each goes on from its own epoch.
        features: By the `encoder` of each run that has epochs left.

    Returns:
        By fold, why it has failed with numbers of its own: the others are finished all the same.

    Raises:
        FivefoldError: As `StageRun.run`, of what concerns all; committed epochs are kept.
        TimeOverError: If the run's time is over before that.
    """
    failed: dict[int, NumericError] = {}
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(run.watched())
        while going := [run for run in runs if run.running and run.job.fold not in failed]:
            _end_in_time(going[0].job.pace, failed)
            failed |= _epoch([_Lane(run, features[run.encoder]) for run in going])
    for run in runs:
        if run.job.fold in failed:
            continue
        try:
            run.finish()
        except NumericError as error:
            failed[run.job.fold] = error
    return failed


def _end_in_time(pace: Pace, failed: Mapping[int, NumericError]) -> None:
    """End if time is over; what has failed before that would be told by nobody else."""
    if pace.over:
        for fold, error in sorted(failed.items()):
            logger.warning("fold %d has failed: %s", fold, error)
    pace.stop_if_over()


@dataclass
class _Lane:
    """One head in one epoch."""

    run: StageRun
    features: Features
    parts: list[Indices] = field(init=False)
    groups: Grouping = field(init=False)
    now: Moment = field(init=False)
    truth: Tensor = field(init=False)
    mean: float = field(init=False, default=0.0)
    seen: Seen = field(init=False, default_factory=Seen)
    rate: float = field(init=False)
    generator: Generator = field(init=False, default_factory=Generator)
    error: NumericError | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        task, state = self.run.task, self.run.state
        self.parts = task.train(state.epoch).parts
        self.groups = Grouping.of(self.parts, task.stage.accumulate)
        self.rate = state.lr
        place = (task.fold, task.stage.index, state.epoch)
        self.generator.manual_seed(seed_for(task.seed, "epoch", *place))
        task.model.train()
        task.optimizer.zero_grad(set_to_none=True)

    @property
    def shape(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Rows of a step and sizes of layers; the same in every step, whatever is beside it."""
        rows = max(map(len, self.parts))
        # Every batch size that the stage can have: a last batch of one joins the one before.
        rows = min(rows, self.run.job.stage.batch) + 1
        return rows, self.run.task.model.head.sizes

    def prepare(self, number: int) -> Tensor:
        """Set the rate of a batch's step, and give its features [B, D]."""
        task, state, rows = self.run.task, self.run.state, self.parts[number]
        place = (self.groups.step(number), self.groups.steps)
        self.now = moment(task, state.lr, state.epoch, place)
        self.rate = set_rate(task, self.now)
        return self.features.of_epoch(state.epoch).of(rows)

    def loss(self, logits: Tensor, number: int) -> Tensor:
        """Compute the loss of a batch from its logits [B, all classes]."""
        task, rows = self.run.task, self.parts[number]
        self.truth = tensor_of(task.data.targets(rows))
        return task.minimised(logits, self.truth, rows)

    def learn(self, logits: Tensor, loss: float, number: int) -> None:
        """Take the step if this batch is its last one, its gradients being there."""
        task, rows = self.run.task, self.parts[number]
        self.mean += self.groups.share(number) * loss
        if self.groups.is_last(number):
            learn(task, self.now.step)
            task.on_step(self.now.step, self.mean, self.rate)
            self.mean = 0.0
        self.seen.add(rows, task.answers.seen(logits, self.truth), loss)

    def is_sound(self, loss: float) -> bool:
        """Say whether a loss is finite; one that is not ends this head, and nothing is learned."""
        if not math.isfinite(loss):
            place = self.run.task.describe(self.run.state.epoch)
            self.error = not_finite(f"{place}, learning rate {self.rate:g}", loss)
        return self.error is None


def _epoch(lanes: Sequence[_Lane]) -> dict[int, NumericError]:
    started = time.monotonic()
    total = sum(len(rows) for lane in lanes for rows in lane.parts)
    with lanes[0].run.job.progress.bar(_describe(lanes), total) as advance:
        groups = defaultdict(list)
        for lane in lanes:
            groups[lane.shape].append(lane)
        for group in groups.values():
            _train(group, advance)
    share = (time.monotonic() - started) / len(lanes)
    for lane in lanes:
        if lane.error is None:
            _end(lane, share)
    return {
        lane.run.job.fold: lane.error
        for lane in lanes
        if lane.error and not lane.run.ends_on(lane.error)
    }


def _describe(lanes: Sequence[_Lane]) -> str:
    first = lanes[0].run
    if len(lanes) == 1:
        return first.task.describe(first.state.epoch)
    return f"stage {first.job.stage.index}, {len(lanes)} heads, epoch {first.state.epoch + 1}"


def _train(lanes: Sequence[_Lane], advance: Advance) -> None:
    for number in range(max(len(lane.parts) for lane in lanes)):
        active = [lane for lane in lanes if number < len(lane.parts)]
        _step([lane for lane in active if lane.error is None], number)
        advance(sum(len(lane.parts[number]) for lane in active))


def _step(lanes: Sequence[_Lane], number: int) -> None:
    if not lanes:
        return
    features = [lane.prepare(number) for lane in lanes]
    heads = [lane.run.task.model.head for lane in lanes]
    generators, (rows, _) = [lane.generator for lane in lanes], lanes[0].shape
    logits = logits_together(heads, features, generators, rows)
    losses = torch.stack([lane.loss(own, number) for lane, own in zip(lanes, logits, strict=True)])
    values = losses.tolist()
    sound = [i for i, lane in enumerate(lanes) if lane.is_sound(values[i])]
    if sound:
        parts = losses * _shares(lanes, number) if lanes[0].groups.accumulate > 1 else losses
        accelerator().backward((parts[sound] if len(sound) < len(lanes) else parts).sum())
    for i in sound:
        lanes[i].learn(logits[i], values[i], number)


def _shares(lanes: Sequence[_Lane], number: int) -> Tensor:
    shares = [lane.groups.share(number) for lane in lanes]
    return torch.tensor(shares, device=accelerator().device)


def _end(lane: _Lane, share: float) -> None:
    started, run = time.monotonic(), lane.run
    row = {**lane.seen.numbers(run.task), "lr": lane.rate}
    rows = np.asarray(run.job.data.val_rows)
    head = run.task.model.head.eval()
    with run.shown(), torch.inference_mode():
        logits = head(lane.features.plain.of(rows)).float().cpu()
    try:
        kept = [(logits, run.job.data.targets(rows))]
        predictions, measured = judge(run.task, run.state.epoch, kept)
    except NumericError as error:
        lane.error = error
        return
    run.end_epoch(row | measured, predictions, started - share)
