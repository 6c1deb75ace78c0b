"""What a stage minimises: its loss, how much classes count in it, and the penalty on weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from fivefold.build.checks import stage_place
from fivefold.build.metric_checks import mask_metric_problems
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.types import Head, head_slices
from fivefold.losses import (
    Balance,
    HeadWeights,
    build_head_losses,
    build_loss,
    build_mask_loss,
    check_fit,
    check_mask_fit,
    check_sample_weights,
    head_weights,
    with_penalty,
)
from fivefold.losses.objective import WeightedLoss
from fivefold.losses.weights import Doubles

if TYPE_CHECKING:
    from torch import Tensor

    from fivefold.models import Classifier

LossFunction: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"


def build_loss_function(stage: ResolvedStage, heads: tuple[Head, ...]) -> LossFunction:
    """Make a stage's loss over all heads as it is measured: neither weighted nor penalised."""
    if stage.makes_masks:
        return build_mask_loss(stage.losses, heads[0])
    return build_loss(stage.losses, heads)


def build_losses_of_heads(
    stage: ResolvedStage, heads: tuple[Head, ...]
) -> Mapping[str, LossFunction]:
    """Make the losses of several heads by their names, as they are measured; of one head none."""
    return build_head_losses(stage.losses, heads)


def build_training_loss(
    stage: ResolvedStage, model: "Classifier", weights: Sequence[HeadWeights]
) -> WeightedLoss:
    """Make what a stage minimises.

    As in Keras, weights of classes and penalties are for training: `val_loss` has neither, so that
    it can be compared with other experiments'.

    Args:
        stage: Its loss, `l1` and `l2`.
        model: With what is frozen being frozen: that has no part in the penalty.
        weights: Of each head's classes, or none.
    """
    loss: WeightedLoss
    if stage.makes_masks:
        loss = build_mask_loss(stage.losses, model.heads[0], weights)
    else:
        loss = build_loss(stage.losses, model.heads, weights)
    return with_penalty(loss, model.named_parameters(), stage.l1, stage.l2)


def build_class_weights(
    stage: ResolvedStage, heads: tuple[Head, ...], count: Callable[[], tuple[Doubles, int]]
) -> tuple[HeadWeights, ...]:
    """Compute how much each head's classes count in a stage of a fold.

    Args:
        stage: Its `class_weights` and `pos_weight`.
        heads: Of the model.
        count: Counts the fold's training samples of each class [all classes], and all of them; of
            masks, their pixels.

    Returns:
        One for each head; none where all classes count the same.
    """
    balance = _balance(stage)
    if balance.is_off:
        return ()
    counts, samples = count()
    of_heads = zip(heads, head_slices(heads), strict=True)
    return tuple(head_weights(balance, head, counts[own], samples) for head, own in of_heads)


def check_heads(
    config: ExperimentConfig,
    stages: Sequence[ResolvedStage],
    heads: tuple[Head, ...],
    *,
    weighted: bool = False,
) -> None:
    """Refuse losses, weights of classes and metrics of masks that the heads cannot have.

    Args:
        config: For messages.
        stages: What is trained.
        heads: Of the model.
        weighted: Whether some samples count more than others.

    Raises:
        ConfigError: With every problem and its line.
    """
    problems = [
        problem
        for stage in stages
        for problem in _of_stage(config, stage, heads, weighted=weighted)
    ]
    if config.makes_masks:
        problems += mask_metric_problems(config, heads[0])
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))


def _balance(stage: ResolvedStage) -> Balance:
    return Balance(stage.class_weights, stage.positive_weights_multiply, stage.pos_weight)


def _of_stage(
    config: ExperimentConfig, stage: ResolvedStage, heads: tuple[Head, ...], *, weighted: bool
) -> list[Problem]:
    def place_of(key: str) -> tuple[str | int, ...]:
        said = "balance" if key == "class_weights" and _balance_weighs(config, stage) else key
        return stage_place(config, stage.index, said)

    def where(key: str) -> str:
        return config.where(*place_of(key))

    def at_stage(problem: Problem) -> Problem:
        key, _, rest = problem.message.partition(": ")
        place = place_of(key)
        return replace(problem, message=f"{'.'.join(map(str, place))}: {rest}")

    if stage.makes_masks:  # each image has a loss of its own, which may count more or less
        found = check_mask_fit(stage.losses, heads[0], _balance(stage), where)
        return [at_stage(problem) for problem in found]
    problems = check_fit(stage.losses, heads, _balance(stage), where)
    if weighted and not problems:
        problems = check_sample_weights(stage.losses, heads, where)
    return [at_stage(problem) for problem in problems]


def _balance_weighs(config: ExperimentConfig, stage: ResolvedStage) -> bool:
    """Say whether a stage's `class_weights` come from the key `balance`."""
    own = config.stages[stage.index].balance if stage.index < len(config.stages or ()) else None
    balance = config.balance if own is None else own
    return balance == "weights" or isinstance(balance, Mapping)
