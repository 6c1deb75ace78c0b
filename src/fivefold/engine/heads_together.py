"""Heads of several folds trained at once on features: each with the bits that it has alone."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator, Tensor

from fivefold.core.seeding import seed_for
from fivefold.core.types import Indices
from fivefold.engine.device import accelerator, tensor_of
from fivefold.engine.features import Features
from fivefold.engine.loop import Seen, clip, judge, not_finite, set_rate
from fivefold.engine.predictor import Advance
from fivefold.engine.stage import StageRun
from fivefold.models import logits_together


def run_heads(runs: Sequence[StageRun], features: Mapping[str, Features]) -> None:
    """Train the heads of several stages with frozen backbones to their ends, in lockstep.

    Args:
        runs: Any number; each goes on from its own epoch.
        features: By the `encoder` of each run that has epochs left.

    Raises:
        FivefoldError: As `StageRun.run`; epochs that were committed are kept.
    """
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(run.watched())
        while any(run.running for run in runs):
            _epoch([_Lane(run, features[run.encoder]) for run in runs if run.running])
    for run in runs:
        run.finish()


@dataclass
class _Lane:
    """One head in one epoch."""

    run: StageRun
    features: Features
    parts: list[Indices] = field(init=False)
    seen: Seen = field(init=False, default_factory=Seen)
    rate: float = field(init=False)
    generator: Generator = field(init=False, default_factory=Generator)

    def __post_init__(self) -> None:
        task, state = self.run.task, self.run.state
        self.parts = task.train(state.epoch).parts
        self.rate = state.lr
        place = (task.fold, task.stage.index, state.epoch)
        self.generator.manual_seed(seed_for(task.seed, "epoch", *place))
        task.model.train()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, features and classes of a step; the same in every step, whatever is beside it."""
        linear = self.run.task.model.head.linear
        rows = max(map(len, self.parts))
        # Every batch size that the stage can have: a last batch of one joins the one before.
        rows = min(rows, self.run.job.stage.batch) + 1
        return rows, linear.in_features, linear.out_features

    def prepare(self, block: Tensor, step: int) -> None:
        """Set the step's learning rate, and put its features into a block [rows, D]."""
        task, state, rows = self.run.task, self.run.state, self.parts[step]
        self.rate = set_rate(task, state.lr, state.epoch, (step, len(self.parts)))
        found = self.features.of_epoch(state.epoch).of(rows)
        block[: len(rows)] = task.model.head.dropped(found, self.generator)

    def loss(self, logits: Tensor, step: int) -> Tensor:
        """Compute the loss of the step from a block of logits [rows, all classes]."""
        task, rows = self.run.task, self.parts[step]
        return task.loss(logits[: len(rows)], tensor_of(task.data.targets(rows)))

    def learn(self, logits: Tensor, loss: float, step: int) -> None:
        """Take the step, its gradients being there."""
        task, rows = self.run.task, self.parts[step]
        clip(task)
        task.optimizer.step()
        task.optimizer.zero_grad(set_to_none=True)
        self.seen.add(rows, logits[: len(rows)], loss)

    def check(self, loss: float) -> None:
        """Refuse a loss that is not finite, before anything is learned from it."""
        if not math.isfinite(loss):
            place = self.run.task.describe(self.run.state.epoch)
            where = f"{place}, learning rate {self.rate:g}"
            raise not_finite(where, loss)


def _epoch(lanes: Sequence[_Lane]) -> None:
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
        _end(lane, share)


def _describe(lanes: Sequence[_Lane]) -> str:
    first = lanes[0].run
    if len(lanes) == 1:
        return first.task.describe(first.state.epoch)
    return f"stage {first.job.stage.index}, {len(lanes)} heads, epoch {first.state.epoch + 1}"


def _train(lanes: Sequence[_Lane], advance: Advance) -> None:
    for step in range(max(len(lane.parts) for lane in lanes)):
        active = [lane for lane in lanes if step < len(lane.parts)]
        _step(active, step)
        advance(sum(len(lane.parts[step]) for lane in active))


def _step(lanes: Sequence[_Lane], step: int) -> None:
    rows, num_features, _ = lanes[0].shape
    # Rows that a batch lacks stay zero and have no part in a loss: their gradients are zero.
    blocks = torch.zeros(len(lanes), rows, num_features, device=accelerator().device)
    for lane, block in zip(lanes, blocks, strict=True):
        lane.prepare(block, step)
    logits = logits_together([lane.run.task.model.head for lane in lanes], blocks)
    losses = torch.stack([lane.loss(own, step) for lane, own in zip(lanes, logits, strict=True)])
    values = losses.tolist()
    for lane, value in zip(lanes, values, strict=True):
        lane.check(value)
    accelerator().backward(losses.sum())
    for lane, own, value in zip(lanes, logits, values, strict=True):
        lane.learn(own, value, step)


def _end(lane: _Lane, share: float) -> None:
    started, run = time.monotonic(), lane.run
    row = {**lane.seen.numbers(run.task), "lr": lane.rate}
    rows = np.asarray(run.job.data.val_rows)
    head = run.task.model.head.eval()
    with torch.inference_mode():
        logits = head(lane.features.plain.of(rows)).float().cpu()
    predictions, measured = judge(run.task, run.state.epoch, logits, run.job.data.targets(rows))
    run.end_epoch(row | measured, predictions, started - share)
