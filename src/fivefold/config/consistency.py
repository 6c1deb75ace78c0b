"""Keys that are right one by one and wrong together."""

import math
from collections.abc import Iterator
from typing import Any

from fivefold.config.keys import ExperimentKeys
from fivefold.config.nodes import Step
from fivefold.config.problems import bad_value
from fivefold.config.source import Source
from fivefold.config.stage_keys import StageConfig
from fivefold.core.errors import Problem


def contradictions(config: ExperimentKeys, source: Source) -> list[Problem]:
    """Find keys that contradict each other."""
    return [
        *_unequal_outputs(config, source),
        *_frozen_and_not(config, source),
        *_uneven_cells(config, source),
        *_uneven_steps(config, source),
        *_balanced_twice(config, source),
        *_unused_columns(config, source),
    ]


def without_effect(config: ExperimentKeys) -> Iterator[tuple[str, str]]:
    """Find keys that another key makes idle.

    Yields:
        The key in its YAML spelling, and why it has no effect.
    """
    given = config.model_fields_set
    if "validation_split" in given and config.folds_count != 1:
        yield (
            "validationSplit",
            f"it only counts for one fold, and folds_count is {config.folds_count}",
        )
    if "test_split_seed" in given and config.test_split == 0:
        yield "testSplitSeed", "it only counts together with testSplit"
    unused = config.declarations.keys() - _named_chains(config)
    if unused:
        names = ", ".join(sorted(unused))
        yield "declarations", f"`preprocessing` names no {names}; other blocks are not built"
    if "positive_weights_multiply" in given and not _weighs_by_log(config):
        yield "positive_weights_multiply", "it only counts together with `class_weights: log`"

    balances = (config.balance, *(stage.balance for stage in config.stages))
    if "prior_correction" in given and all(value in (None, "none") for value in balances):
        yield "prior_correction", "it only counts together with `balance`"

    has_layers = any(entry >= 1 for entry in config.head_layers)
    for key in ("head_activation", "head_batchnorm"):
        if key in given and not has_layers:
            yield key, "it only counts together with `head_layers` that hold a linear layer"
    if "downscaling_filters" in given and not config.downscaling:
        yield "downscaling_filters", "it only counts together with `downscaling`"
    if config.copy_weights and config.downscaling:
        yield "copyWeights", "the steps of `downscaling` give the backbone three channels"


def _unused_columns(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    """Find columns of tables that another key would silently take the place of, or lose."""
    section = config.dataset
    if section is None:
        return
    given = [key for key in ("split_column", "fold_column") if getattr(section, key) is not None]
    if given and config.folds_from is not None:
        message = f"expected folds from one place, got `folds_from` beside dataset.{given[0]}"
        yield bad_value(source, ("folds_from",), message, "leave out one of the two")
    given += [k for k in ("group_column", "weight_column") if getattr(section, k) is not None]
    for key in ("preprocessing", "pretrain_transform", "dataset_augmenter"):
        if given and getattr(config, key):
            message = f"expected no function of data beside dataset.{given[0]}"
            hint = "what the function returns would have lost that column"
            yield bad_value(source, (key,), message, hint)


def _named_chains(config: ExperimentKeys) -> set[str]:
    """Find the chains that `preprocessing` names, directly or by another one."""
    found: set[str] = set()
    left: list[Any] = [name for name, _ in config.preprocessing]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and value in config.declarations and value not in found:
            found.add(value)
            left.append(config.declarations[value])
    return found


def _weighs_by_log(config: ExperimentKeys) -> bool:
    return "log" in (config.class_weights, *(stage.class_weights for stage in config.stages))


def _unequal_outputs(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    expected, first = 0, ""
    for path, count in _outputs(config):
        if not expected:
            expected, first = count, ".".join(map(str, path))
        elif count != expected:
            entries = "entry" if expected == 1 else "entries"
            message = f"expected {expected} {entries}, one for each of {first!r}, got {count}"
            yield bad_value(source, path, message)


def _outputs(config: ExperimentKeys) -> Iterator[tuple[tuple[Step, ...], int]]:
    """Say how many outputs each key speaks of; a single name fits any number."""
    if config.classes is not None:
        yield ("classes",), 1 if isinstance(config.classes, int) else len(config.classes)
    if isinstance(config.activation, tuple):
        yield ("activation",), len(config.activation)
    if isinstance(config.loss, tuple):
        yield ("loss",), len(config.loss)
    for index, stage in enumerate(config.stages):
        if isinstance(stage.loss, tuple):
            yield ("stages", index, "loss"), len(stage.loss)


def _uneven_cells(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    height, width, _ = config.shape
    common = math.gcd(height, width)
    if common % config.crops:
        fitting = [n for n in range(1, 101) if common % n == 0]
        nearest = min(fitting, key=lambda n: abs(n - config.crops))
        expected = f"a number that divides height {height} and width {width}, such as {nearest}"
        yield bad_value(source, ("crops",), f"expected {expected}, got {config.crops}")


def _uneven_steps(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    height, width, channels = config.shape
    cell, steps = config.crops, 2**config.downscaling
    fits = height % cell == width % cell == 0
    if config.downscaling and fits and (height // cell % steps or width // cell % steps):
        unit = cell * steps
        near = [max(1, round(side / unit)) * unit for side in (height, width)]
        expected = f"height and width that can be halved {config.downscaling} times"
        shown = f"such as [{near[0]}, {near[1]}, {channels}]"
        yield bad_value(source, ("shape",), f"expected {expected}, {shown}, got {config.shape}")


def _balanced_twice(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    """Find two keys that both say how much rare classes count, or how long an epoch is."""
    for index, stage in enumerate(config.stages):
        balance = config.balance if stage.balance is None else stage.balance
        if balance == "none":
            continue
        others = _owners_beside(config, stage)
        if balance != "weights" and not isinstance(balance, dict):
            others += ["subsample"] * (config.subsample != 1)
            others += ["maxEpochSize"] * (config.max_epoch_size != 0)
        if others:
            path = ("balance",) if stage.balance is None else ("stages", index, "balance")
            names = " and ".join(f"`{name}`" for name in others)
            message = f"expected no {names} beside it, got {balance!r}"
            yield bad_value(source, path, message, "both decide the same: keep one of them")


def _owners_beside(config: ExperimentKeys, stage: StageConfig) -> list[str]:
    weights = config.class_weights if stage.class_weights is None else stage.class_weights
    positives = config.pos_weight if stage.pos_weight is None else stage.pos_weight
    return ["class_weights"] * (weights != "none") + ["pos_weight"] * (positives != 1)


def _frozen_and_not(config: ExperimentKeys, source: Source) -> Iterator[Problem]:
    for index, stage in enumerate(config.stages):
        frozen, unfrozen = stage.freeze_encoder, stage.unfreeze_encoder
        if frozen is not None and unfrozen is not None and frozen == unfrozen:
            shown = str(unfrozen).lower()
            message = f"expected the opposite of freeze_encoder, got {shown}"
            yield bad_value(source, ("stages", index, "unfreeze_encoder"), message)
        held, layers = frozen if frozen is not None else unfrozen is False, stage.layers_to_train
        said = frozen is not None or unfrozen is not None
        if said and layers is not None and held != (layers == 0):
            expected = "0, since the backbone is frozen" if held else "-1 or at least 1"
            message = f"expected {expected} by this stage's other key, got {layers}"
            yield bad_value(source, ("stages", index, "layers_to_train"), message)
