"""Folds of a config's data: drawn or given, with what must stay together, and how good they are."""

import logging
from dataclasses import replace
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core.progress import Progress
from fivefold.core.types import Indices
from fivefold.data import Source
from fivefold.data.drawn_folds import make_splits
from fivefold.data.given_folds import GivenFolds
from fivefold.data.images import ResizedImages
from fivefold.data.near.ties import find_near, tied
from fivefold.data.packed import chosen
from fivefold.data.samples import SampleTable
from fivefold.data.split_report import (
    COPIES,
    GROUPS,
    NEAR,
    SplitReport,
    area_evenness_of,
    evenness_of,
    ties_of,
)
from fivefold.data.splits import Splits
from fivefold.data.text_order import first_alike

logger = logging.getLogger(__name__)


def split_settings(config: ExperimentConfig) -> dict[str, Any]:
    """The keys of a config that decide the folds."""
    return {
        "folds": config.folds_count,
        "seed": config.random_state,
        "stratified": config.stratified,
        "holdout": config.test_split,
        "holdout_seed": config.test_split_seed,
        "validation": config.validation_split,
        "near_duplicates": near_distance(config),
    }


def near_distance(config: ExperimentConfig) -> int:
    """Tell in how many bits the hashes of near duplicates may differ; 0: nobody looks for them."""
    return 0 if config.near_duplicates == "off" else config.near_duplicates


def draw_folds(
    config: ExperimentConfig,
    source: Source,
    images: ResizedImages,
    given: GivenFolds,
    progress: Progress,
) -> tuple[Splits, SplitReport]:
    """Make the folds of the samples that images are of.

    Args:
        config: Its keys decide the folds.
        source: What the samples were listed by.
        images: Their pixels; near duplicates are found by them.
        given: What is settled already.
        progress: Who watches.

    Returns:
        The folds, and what is to be known of them.

    Raises:
        DataError: If the data cannot be divided like that.
    """
    settings, distance = split_settings(config), near_distance(config)
    table, near = images.table, None
    if distance:
        near = find_near(images, distance, progress)
        table = tied(table, near)
    asked = {key: value for key, value in settings.items() if key != "near_duplicates"}
    splits = make_splits(table, **asked, given=given)
    splits = replace(splits, settings={**splits.settings, "near_duplicates": distance})
    report = _report(source, table, splits, near, distance)
    if not given.fold_of:  # of these it has been said
        for leak in report.leaks():
            logger.warning("folds: %s: models know what they test", leak)
    return splits, report


def _report(
    source: Source, table: SampleTable, splits: Splits, near: Indices | None, distance: int
) -> SplitReport:
    found = {COPIES: first_alike(table.digests)}
    if source.groups is not None:
        found[GROUPS] = first_alike(chosen(source.groups, table.indices))
    if near is not None:
        found[NEAR] = near
    ties = {reason: ties_of(table, splits, firsts) for reason, firsts in sorted(found.items())}
    return SplitReport(evenness_of(table, splits), ties, distance, area_evenness_of(table, splits))
