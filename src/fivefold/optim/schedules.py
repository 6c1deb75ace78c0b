"""Learning rates over a stage, as pure functions of where in it a step is.

A schedule is `def name(now, *, options) -> rate`, or a class with those options whose objects are
called with `now`. It keeps no state, so a resumed run needs none. Most of them multiply `now.lr`;
those that Keras and Musket know as callbacks name their rates themselves. Definitions are those of
`torch.optim.lr_scheduler` where a docstring names no other source.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, Field

from fivefold.core.catalog import Catalog
from fivefold.optim.own import guarded_schedule


@dataclass(frozen=True)
class Moment:
    """Where in a stage a step of the optimizer is.

    Attributes:
        step: Steps of the stage that are done before it.
        per_epoch: Steps in an epoch, at least 1.
        epochs: Epochs of the stage, at least 1.
        lr: The stage's learning rate after what callbacks did to it.
        given: The stage's learning rate as the config gives it.
    """

    step: int
    per_epoch: int
    epochs: int
    lr: float
    given: float

    @property
    def progress(self) -> float:
        """Part of the stage that is done, 0 at its first step and 1 at its last."""
        return self.step / max(self.epochs * self.per_epoch - 1, 1)

    @property
    def epoch(self) -> int:
        """Epochs that are done, 0-based."""
        return self.step // self.per_epoch


Schedule: TypeAlias = Callable[[Moment], float]
Share = Annotated[float, Field(gt=0, lt=1)]
Divisor = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Epochs = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

schedules: Catalog[Any] = Catalog("schedule", ("now",), guarded_schedule)


@schedules.add()
def constant(now: Moment) -> float:
    """Keep the stage's learning rate."""
    return now.lr


@schedules.add("one_cycle", "OneCycleLR", name="OneCycle")
def one_cycle(
    now: Moment,
    *,
    pct_start: Share = 0.3,
    div_factor: Divisor = 25.0,
    final_div_factor: Divisor = 1e4,
) -> float:
    """Rise to the stage's learning rate, then fall far below the start, both along a cosine.

    Args:
        now: The step.
        pct_start: Part of the stage in which it rises.
        div_factor: The stage's learning rate divided by the first.
        final_div_factor: The first learning rate divided by the last.

    References:
        Smith and Topin, 2017, https://arxiv.org/abs/1708.07120; the curve is that of torch's
        `OneCycleLR`.
    """
    first, progress = 1 / div_factor, now.progress
    if progress < pct_start:
        return now.lr * _along_cosine(first, 1.0, progress / pct_start)
    part = (progress - pct_start) / (1 - pct_start)
    return now.lr * _along_cosine(1.0, first / final_div_factor, part)


@schedules.add("CosineAnnealing", "CosineAnnealingLR", "cosine_annealing")
def cosine(
    now: Moment,
    *,
    final_factor: Factor = 0.0,
    warmup_epochs: Epochs = 0.0,
    warmup_factor: Factor = 0.01,
) -> float:
    """Fall from the stage's learning rate along a cosine, after a warm-up if that is set.

    Args:
        now: The step.
        final_factor: The last learning rate divided by the stage's.
        warmup_epochs: Epochs, also parts of one, in which it rises along a line.
        warmup_factor: The first learning rate of that line divided by the stage's.

    References:
        Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983; the warm-up is that of Goyal
        et al., 2017, https://arxiv.org/abs/1706.02677.
    """
    warm = round(warmup_epochs * now.per_epoch)
    if now.step < warm:
        return now.lr * (warmup_factor + (1 - warmup_factor) * now.step / warm)
    rest = max(now.epochs * now.per_epoch - 1 - warm, 1)
    return now.lr * _along_cosine(1.0, final_factor, (now.step - warm) / rest)


@schedules.add("CosineAnnealingWarmRestarts", name="CosineRestarts")
def cosine_restarts(
    now: Moment,
    *,
    t_0: Annotated[Count, Field(validation_alias=AliasChoices("T_0", "t_0"))] = 10,
    t_mult: Annotated[Count, Field(validation_alias=AliasChoices("T_mult", "t_mult"))] = 1,
    eta_min: Rate = 0.0,
) -> float:
    """Fall along a cosine again and again, each time from the stage's learning rate.

    Args:
        now: The step.
        t_0: Epochs of the first fall.
        t_mult: How many times as long each next one is.
        eta_min: The learning rate at the end of each.

    References:
        Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983
    """
    done, length = now.step / now.per_epoch, float(t_0)
    while done >= length:
        done -= length
        length *= t_mult
    return eta_min + (now.lr - eta_min) * _along_cosine(1.0, 0.0, done / length)


@schedules.add("StepLR", name="Step")
def step(now: Moment, *, step_size: Count = 10, gamma: Factor = 0.1) -> float:
    """Multiply the learning rate by `gamma` after every `step_size` epochs.

    Args:
        now: The step.
        step_size: Epochs.
        gamma: The factor.
    """
    return now.lr * float(gamma) ** (now.epoch // step_size)


@schedules.add(name="StepDrop")
def step_drop(now: Moment, *, drop: Factor = 0.1, steps: Count = 10) -> float:
    """Multiply the learning rate by `drop` before every epoch whose number `steps` divides.

    It is lr x drop^floor((1 + epoch) / steps), epochs counted from 0: one epoch earlier than
    `Step`, as the trainers do it that call it `step` with `drop` and `steps`.

    Args:
        now: The step.
        drop: The factor.
        steps: Epochs.
    """
    return now.lr * float(drop) ** ((1 + now.epoch) // steps)


@schedules.add("MultiStepLR", name="MultiStep")
def multi_step(
    now: Moment,
    *,
    milestones: Annotated[tuple[Count, ...], Field(min_length=1)],
    gamma: Factor = 0.1,
) -> float:
    """Multiply the learning rate by `gamma` at each of some epochs.

    Args:
        now: The step.
        milestones: Numbers of epochs after which it is done, in any order; one may stand there
            several times.
        gamma: The factor.
    """
    return now.lr * float(gamma) ** bisect_right(sorted(milestones), now.epoch)


@schedules.add("ExponentialLR", "exp", name="Exponential")
def exponential(
    now: Moment,
    *,
    gamma: Annotated[Factor, Field(validation_alias=AliasChoices("gamma", "rate"))] = 0.95,
) -> float:
    """Multiply the learning rate by `gamma`, also called `rate`, after every epoch.

    Args:
        now: The step.
        gamma: The factor.
    """
    return now.lr * float(gamma) ** now.epoch


@schedules.add("PolynomialLR", "poly", name="Polynomial")
def polynomial(now: Moment, *, power: Positive = 1.0, final_factor: Factor = 0.0) -> float:
    """Fall along (1 - progress)^power, step by step.

    Args:
        now: The step.
        power: 1 is a line.
        final_factor: The last learning rate divided by the stage's.
    """
    left = math.pow(1 - now.progress, power)
    return now.lr * (final_factor + (1 - final_factor) * left)


@schedules.add("LinearLR", name="Warmup")
def warmup(now: Moment, *, epochs: Epochs = 1.0, factor: Factor = 0.01) -> float:
    """Rise along a line to the stage's learning rate, then keep it.

    Args:
        now: The step.
        epochs: In which it rises, also a part of one.
        factor: The first learning rate divided by the stage's.

    References:
        Goyal et al., 2017, https://arxiv.org/abs/1706.02677
    """
    warm = round(epochs * now.per_epoch)
    return now.lr * (factor + (1 - factor) * now.step / warm) if now.step < warm else now.lr


def _cyclic_clash(options: Mapping[str, Any]) -> str:
    lowest, highest = options["base_lr"], options["max_lr"]
    if lowest > highest:
        return f"base_lr is the lowest rate: {lowest:g} is above max_lr, {highest:g}"
    return "" if highest else "nothing learns where every rate is 0"


@schedules.add("cyclic", callback=True, clash=_cyclic_clash)
def CyclicLR(  # noqa: N802  Keras's name
    now: Moment,
    *,
    base_lr: Rate = 0.001,
    max_lr: Rate = 0.006,
    step_size: Annotated[
        float,
        Field(gt=0, validation_alias=AliasChoices("step_size", "step_size_up")),
    ] = 2000.0,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: Factor = 1.0,
) -> float:
    """Go up and down between `base_lr` and `max_lr` along lines of `step_size` steps each.

    With s steps done, cycle = floor(1 + s / (2 step_size)) and x = |s / step_size - 2 cycle + 1|,
    the rate is base_lr + (max_lr - base_lr) max(0, 1 - x) f, where f is 1 (`triangular`),
    1 / 2^(cycle - 1) (`triangular2`) or gamma^s (`exp_range`). The stage's `lr` has no part in it.

    Args:
        now: The step.
        base_lr: The lowest rate, and the first.
        max_lr: The highest rate of the first cycle.
        step_size: Steps of the optimizer in half a cycle.
        mode: What becomes of the peaks.
        gamma: With `exp_range`: the factor on the peak from step to step.

    References:
        Smith, 2017, https://arxiv.org/abs/1506.01186
    """
    cycle = math.floor(1 + now.step / (2 * step_size))
    x = abs(now.step / step_size - 2 * cycle + 1)
    peak = {
        "triangular": 1.0,
        "triangular2": 0.5 ** (cycle - 1),
        "exp_range": float(gamma) ** now.step,
    }[mode]
    return base_lr + (max_lr - base_lr) * max(0.0, 1 - x) * peak


def _along_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
