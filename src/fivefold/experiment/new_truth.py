"""New labelled samples for trained models: their truth in the columns of the models' heads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fivefold.config import ExperimentConfig
from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Silent
from fivefold.core.types import Floats, Head
from fivefold.data import Labels, Source
from fivefold.data.columns import ColumnError
from fivefold.data.packed_numbers import in_parts
from fivefold.evaluation.assessment import RESAMPLES, Assessment, assess
from fivefold.experiment.named_data import Reading, kind_of, open_data
from fivefold.experiment.sources import open_section

_SHOWN = 5  # classes named in a message
_AS_BEFORE = Reading()
_OF_TRAINING = dict.fromkeys(("weight_column", "split_column", "fold_column", "coco_validation"))
"""Keys of a data set that say how it is trained on."""


def open_labelled(
    config: ExperimentConfig, data: Source | Path | str, reading: Reading = _AS_BEFORE
) -> Source:
    """Open new samples with labels: a folder of classes, a table or a COCO file.

    Where nothing is said of how to read it, data of the kind that was trained on are read as those
    were: by the same columns, for example.

    Args:
        config: What was trained with.
        data: Where they are; a source is taken as it is.
        reading: How to read them.

    Raises:
        ConfigError: If an option means nothing for this kind of data.
        DataError: If there is no such data, or it has no labels.
    """
    if isinstance(data, Source):
        return data
    path = Path(data)
    section = config.dataset
    if config.makes_masks and section is not None and section.kind == "masks" and path.is_dir():
        return _opened(config, _folders_like(config, path))
    kind = kind_of(path)
    told = [name for name, value in vars(reading).items() if value and name != "images"]
    if told or section is None or section.kind != kind or kind == "folder":
        return open_data(path, reading).source
    images = str((reading.images or path.parent).resolve())
    here = {kind: str(path.resolve()), "images": images, "corrections": None, **_OF_TRAINING}
    try:
        return _opened(config, here)
    except ColumnError as error:  # new samples need no groups
        if error.key != "group_column":
            raise
        return _opened(config, {**here, "group_column": None})


def _folders_like(config: ExperimentConfig, path: Path) -> dict[str, str | None]:
    """Find the folders of images and masks below one, named as those that were trained on.

    Raises:
        DataError: If one is not there.
    """
    section, found = config.dataset, dict[str, str | None]()
    for key in ("images", "masks"):
        name = Path(str(getattr(section, key))).name
        if not (path / name).is_dir():
            msg = f"{path}: expected a folder {name!r} of {key} in it, as trained on, got none"
            hint = f"name the folders as `dataset` of {config.where()} does"
            raise DataError(msg, hint=hint, slug="data/not-data")
        found[key] = str((path / name).resolve())
    return {**found, "corrections": None, **_OF_TRAINING}


def check_known(heads: Sequence[Head], source: Source) -> None:
    """Make sure that models know all classes of a labelled source, before it is predicted.

    Raises:
        DataError: If it has no labels, other outputs, or classes that no model knows.
    """
    _matched(heads, source)
    for places in in_parts(len(source)):
        _truth(heads, source, places)


def with_truth(predictions: Predictions, source: Source) -> Predictions:
    """Give predictions of a labelled source their truth.

    Args:
        predictions: Of samples of the source.
        source: With labels.

    Raises:
        DataError: If it has no labels, other outputs, or classes that the model does not know.
    """
    places = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    rows = [places[sample_id] for sample_id in predictions.ids]
    return replace(predictions, targets=_truth(predictions.heads, source, rows))


def _truth(heads: Sequence[Head], source: Source, rows: Sequence[int]) -> Floats:
    """Give the truth of some samples in the columns of the heads."""
    labels = _matched(heads, source)
    truth = source.targets(rows)
    starts = np.cumsum([0, *(len(own.class_names) for own in source.labels)]).tolist()
    of_labels = dict(zip((own.name for own in source.labels), starts, strict=False))
    blocks = []
    for head, own in zip(heads, labels, strict=True):
        start = of_labels[own.name]
        block = truth[:, start : start + len(own.class_names)]
        blocks.append(_in_columns(head, own, block))
    return np.concatenate(blocks, axis=1)


def assess_new(
    predictions: Predictions, source: Source, seed: int, *, resamples: int = RESAMPLES
) -> Assessment:
    """Assess predictions of a labelled source; its groups are resampled as wholes.

    Raises:
        DataError: If it has no labels, other outputs, or classes that the model does not know.
    """
    found = with_truth(predictions, source)
    return assess(found, groups=groups_among(source, found.ids), resamples=resamples, seed=seed)


def groups_among(source: Source, ids: Sequence[str]) -> list[str] | None:
    """Tell the groups of some samples of a source [N]; None if it has none."""
    if source.groups is None:
        return None
    groups = dict(zip(source.sample_ids, source.groups, strict=True))
    return [groups[sample_id] for sample_id in ids]


def _opened(config: ExperimentConfig, changes: Mapping[str, str | None]) -> Source:
    section = config.dataset
    if section is None:  # whoever asks has looked
        raise TypeError
    alike = section.model_copy(update=dict(changes))
    return open_section(config, "dataset", alike, allow_imports=False, progress=Silent())


def _matched(heads: Sequence[Head], source: Source) -> list[Labels]:
    """Find the labels that each head answers."""
    if not source.labels:
        msg = "expected labelled samples, got none with a label"
        raise DataError(msg, hint="`fivefold predict` needs no labels", slug="data/no-labels")
    if len(heads) == len(source.labels) == 1:
        return list(source.labels)
    by_name = {labels.name: labels for labels in source.labels}
    wanted = [head.name for head in heads]
    if not set(wanted) <= by_name.keys():
        msg = f"expected labels for the outputs {wanted}, got {[*by_name]}"
        hint = "name the columns of labels as those that were trained on"
        raise DataError(msg, hint=hint, slug="data/other-outputs")
    return [by_name[name] for name in wanted]


def _in_columns(head: Head, labels: Labels, truth: Floats) -> Floats:
    """Put truth into the columns of a head."""
    columns = {name: i for i, name in enumerate(head.class_names)}
    counts = np.count_nonzero(truth > 0.5, axis=0).tolist()
    found = zip(labels.class_names, counts, strict=True)
    unknown = {name: count for name, count in found if name not in columns and count}
    if unknown:
        raise _unknown_classes(head, unknown)
    result = np.zeros((len(truth), head.num_classes), dtype=np.float32)
    for i, name in enumerate(labels.class_names):
        if name in columns:
            result[:, columns[name]] = truth[:, i]
    return result


def _unknown_classes(head: Head, unknown: Mapping[str, int]) -> DataError:
    samples = sum(unknown.values())
    counted = f"{samples} sample{'s' * (samples != 1)}"
    told = [f"{name!r} ({count})" for name, count in unknown.items()]
    output = f"output {head.name}: " if head.name else ""
    known = _some([repr(name) for name in head.class_names])
    msg = (
        f"{output}expected only classes that the model knows, {known}, "
        f"got {counted} of others: {_some(told)}"
    )
    first = next(iter(unknown))
    hint = did_you_mean(first, list(head.class_names), "take them out, or give them another label")
    return DataError(msg, hint=hint, slug="data/other-classes")


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
