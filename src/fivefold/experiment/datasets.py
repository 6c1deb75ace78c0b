"""From a config's `dataset:` section to audited samples and their folds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.build.pixels import add_larger, build_images, build_kept
from fivefold.config import ExperimentConfig
from fivefold.core.errors import DataError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data import CsvSource, FilesSource, ParquetSource, PythonSource, Source
from fivefold.data.audit import audit
from fivefold.data.audited import Audit
from fivefold.data.balance import check_positives, positives_of
from fivefold.data.columns import ColumnError
from fivefold.data.datasets import source_of
from fivefold.data.decode import DEFAULT_LIMITS, Limits
from fivefold.data.extended import without_copies
from fivefold.data.findings import absent_from_folds, told_in_a_line
from fivefold.data.given_folds import (
    HOLDOUT,
    GivenFolds,
    NumberedFolds,
    check_known,
    folds_of_lists,
    folds_of_positions,
    folds_of_table,
)
from fivefold.data.images import ResizedImages
from fivefold.data.looks import FORMATS
from fivefold.data.reasons import by_reason, counted
from fivefold.data.samples import SampleTable, table_of
from fivefold.data.split_report import SplitReport
from fivefold.data.splits import Splits, check_splits
from fivefold.experiment.plan import has_begun
from fivefold.experiment.splitting import draw_folds, split_settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A data set that is ready for training.

    Attributes:
        source: Reads the samples.
        audit: What each sample is worth.
        table: The used ones.
        splits: Their folds.
        images: Their pixels at the network's size.
        positives: Of each of them whether it is positive [N]; empty where no stage asks.
        report: What is to be known of the folds.
    """

    source: Source
    audit: Audit
    table: SampleTable
    splits: Splits
    images: ResizedImages
    positives: AnyArray
    report: SplitReport | None = None


def wrap(dataset: Any, progress: Progress, *, labelled: bool = True) -> Source:
    """Take a Source as it is, or from below our own classes; wrap any other data set.

    Args:
        dataset: Either, or an object with `__len__` and `__getitem__`.
        progress: Who watches the labels being collected.
        labelled: Whether labels are wanted.
    """
    source = dataset if isinstance(dataset, Source) else source_of(dataset)
    if source is not None:
        return source
    return PythonSource(dataset, None if labelled else (), progress=progress)


def prepare(
    source: Source,
    config: ExperimentConfig,
    folder: RunFolder,
    progress: Progress,
    *,
    save: bool = False,
) -> Prepared:
    """Audit the samples and settle the folds: made once, then only checked.

    Args:
        source: The samples.
        config: Its keys decide the folds.
        folder: The experiment; what an earlier run has found there is used.
        progress: Who watches.
        save: Whether to keep the audit and the folds in the folder.

    Raises:
        DataError: If the data cannot be used.
        StateError: If it changed since the folds were made.
    """
    for note in source.notes:
        progress.line(f"data: {note}")
    previous = folder.audit_path if folder.audit_path.exists() else None
    kept = build_kept(config, source)
    found = audit(
        source,
        folds=config.folds_count,
        progress=progress,
        previous=previous,
        folder=folder if save else None,
        kept=kept,
    )
    if worth_a_look := told_in_a_line(found.rows):
        logger.warning(worth_a_look)
    table = _without_copies(table_of(source, found), source)
    images, given = build_images(config.shape, source, table, kept), given_folds(config, source)
    if has_begun(folder):
        splits, report = _settled_folds(folder), _settled_report(folder)
        check_splits(splits, table, split_settings(config) | {"given": given})
        splits = splits.shared_with(table)
    else:
        splits, report = draw_folds(config, source, images, given, progress)
        if save:
            splits.save(folder.folds_path)
            report.save(folder.split_report_path)
            progress.line(f"folds: {report}")
    _warn_of_absent_classes(table, splits)
    positives = _positives(config, source, table, splits)
    return Prepared(source, found, table, splits, images, positives, report)


def with_larger(prepared: Prepared, config: ExperimentConfig, progress: Progress) -> ResizedImages:
    """Give a data set's images their larger pictures, if a stage's augmentation enlarges."""
    sizes = prepared.audit.rows.sizes[prepared.table.indices]
    return add_larger(config, prepared.images, sizes, progress)


def draft_folds(source: Source, config: ExperimentConfig, progress: Progress) -> Splits:
    """Make the folds of a data set that is to be changed before it is trained on; saves nothing.

    Raises:
        DataError: If the data cannot be used.
    """
    kept = build_kept(config, source)
    found = audit(source, folds=config.folds_count, progress=progress, kept=kept)
    images = build_images(config.shape, source, table_of(source, found), kept)
    return draw_folds(config, source, images, given_folds(config, source), progress)[0]


def _without_copies(table: SampleTable, source: Source) -> SampleTable:
    """Leave out further training samples that some fold's model would be tested on."""
    rest, count = without_copies(table, source.train_only)
    if count:
        text = "%d further training samples are exact copies of others: left out"
        logger.warning(text, count)
    return rest


def _positives(
    config: ExperimentConfig, source: Source, table: SampleTable, splits: Splits
) -> AnyArray:
    """Find out which samples are positive [N], if some stage asks, and that each fold has some."""
    stages = config.resolve()
    if all(stage.takes_all for stage in stages):
        return np.zeros(0, dtype=bool)
    positive = positives_of(source, table)
    if positive.all():
        text = "negatives: no effect: all %d samples are positive; `isPositive` says which are"
        logger.warning(text, len(positive))
    for fold in range(splits.num_folds):
        train_rows, val_rows = splits.rows(table, fold)
        for stage in stages:
            check_positives(positive, train_rows, stage.negatives, f"fold {fold}, training")
            most = stage.validation_negatives
            check_positives(positive, val_rows, most, f"fold {fold}, validation")
    return positive


def _settled_folds(folder: RunFolder) -> Splits:
    if folder.folds_path.exists():
        return Splits.load(folder.folds_path)
    msg = f"{folder.folds_path}: expected the folds that were trained on, got no such file"
    hint = "restore it from a copy, or start in a new folder: other folds would mix train and truth"
    raise StateError(msg, hint=hint, slug="state/no-folds")


def _settled_report(folder: RunFolder) -> SplitReport | None:
    """Read what was found of the folds; a run from before there were such reports has none."""
    path = folder.split_report_path
    return SplitReport.load(path) if path.exists() else None


def _warn_of_absent_classes(table: SampleTable, splits: Splits) -> None:
    """Say which classes folds lack: metrics cannot speak of them, or models never see them."""
    for finding in absent_from_folds(table, splits):
        listed = "; ".join(finding.examples) + "; …" * (finding.count > len(finding.examples))
        logger.warning("folds: %s: %s: %s", finding.title, listed, finding.action)


def given_folds(config: ExperimentConfig, source: Source) -> GivenFolds:
    """Find folds and a holdout that the config or the data set settles itself.

    Raises:
        DataError: If they do not fit the data.
    """
    where, lists = config.where("folds_from"), config.folds_from
    if lists is None:
        given = _own_folds(source)
    elif isinstance(lists, str):
        given = folds_of_table(config.directory / lists, where)
    else:
        given = folds_of_lists(lists, where)
    check_known(given, source.sample_ids)
    if given.digest and config.test_split and not config.pretrain_transform:
        logger.warning("testSplit: has no effect: %s decide the holdout", given.where)
    return replace(given, train_only=frozenset(source.sample_ids[i] for i in source.train_only))


def _own_folds(source: Source) -> GivenFolds:
    if source.fold_numbers is not None:
        numbers = np.array(source.fold_numbers)
        out = range(0) if source.held_out is None else source.held_out  # named beside the numbers
        numbers[np.asarray(out, dtype=np.int64)] = HOLDOUT
        return GivenFolds(source.folds_where, NumberedFolds(source.sample_ids, numbers))
    count = len(source) - len(source.train_only)
    drawn = source.fold_lists is None and source.held_out is None
    ids = () if drawn else source.sample_ids[:count]
    return folds_of_positions(source.fold_lists, source.held_out, ids, source.folds_where)


_TABLES: dict[str, type[CsvSource] | type[ParquetSource]] = {
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".parquet": ParquetSource,
}
"""What reads a table to predict, by its ending."""


def open_inputs(
    inputs: Path | Sequence[Path],
    images: Path | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Source:
    """Open images to predict.

    Args:
        inputs: A folder, a CSV or Parquet table with paths, or single files.
        images: Where a table's paths start; its own folder if not given.
        limits: What is too large to be read.

    Raises:
        DataError: If there is nothing at a path, no image is listed, or `images` comes without a
            table.
    """
    paths = [inputs] if isinstance(inputs, Path) else list(inputs)
    opener = _TABLES.get(paths[0].suffix.lower()) if len(paths) == 1 else None
    if opener is not None:
        try:
            table = opener(paths[0], images or paths[0].parent, labelled=False)
            table.limit(limits)
            return table
        except ColumnError as error:  # there is no key here to set
            hint = "call the column of file names 'image', or say where they are: --images DIR"
            raise DataError(error.text, hint=hint, slug=error.slug) from error
    if images is not None:
        msg = f"{paths[0]}: expected a table beside --images, got no table"
        hint = "a folder or single images need no --images"
        raise DataError(msg, hint=hint, slug="data/not-a-table")
    files = FilesSource(inputs)
    files.limit(limits)
    return _not_empty(files, paths)


def _not_empty(source: Source, paths: Sequence[Path]) -> Source:
    if len(source):
        return source
    where = ", ".join(map(str, paths[:3])) + (", …" if len(paths) > 3 else "")
    found = counted(by_reason(source.excluded)) if source.excluded else "no file at all"
    msg = f"{where}: expected at least 1 image to predict, got {found}"
    hint = (
        f"{', '.join(FORMATS)} are read, whatever their names end in; hidden files and endings "
        "such as .txt and .csv are left out"
    )
    raise DataError(msg, hint=hint, slug="data/nothing-to-predict")
