"""Predictions of new samples by the mean of several folds' models: one pass over the images."""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from fivefold.augment import resize
from fivefold.config import ExperimentConfig
from fivefold.core.cache_home import cache_home
from fivefold.core.cores import usable_cores
from fivefold.core.errors import DataError, ResourceError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, mean_of
from fivefold.core.progress import Progress
from fivefold.core.types import Floats
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.data.class_checks import twins
from fivefold.data.decode import ImageProblem, Reason
from fivefold.data.reasons import QUIET_RULES, by_reason, counted, left_out
from fivefold.engine.batch_probe import choose_batch
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import images_of, on_device
from fivefold.engine.incoming import Incoming, read_batches
from fivefold.engine.memory import InParts, is_out_of_memory
from fivefold.engine.predictor import Advance, map_batches, view_probs
from fivefold.engine.tta import View
from fivefold.experiment.manifest import choices_to_predict
from fivefold.models import Classifier

logger = logging.getLogger(__name__)

_NAMED = 10  # broken images that are named one by one
_MOST_THREADS = 8  # each holds an image


def predict_source(
    folder: RunFolder,
    source: Source,
    places: Sequence[tuple[int, int]],
    *,
    config: ExperimentConfig,
    views: Sequence[View],
    progress: Progress,
) -> Predictions:
    """Predict every readable sample of a source.

    Each image is read and decoded once, goes through all models and views, and is forgotten: the
    memory needed does not grow with the number of images.

    Args:
        folder: The experiment.
        source: The samples; labels are not needed.
        places: Fold and stage of each model; their probabilities are averaged.
        config: Says the batch, the threads that decode, and where choices are remembered.
        views: Flips to average over.
        progress: Who watches.

    Raises:
        DataError: If no sample can be read.
        ResourceError: If the models do not fit into memory all together.
    """
    _tell_listing(source)
    if not len(source):
        raise _nothing_readable(source, "")
    models = load_models(folder, places)
    spec = load_bundle(folder.bundle(*places[0])).spec
    batch = config.inference_batch
    if batch == "auto":
        looks = len(source) * len(models) * len(views)
        batch = choose_batch(cache_home(config.cache), models[0], spec, looks)
    height, width, _ = spec.shape
    incoming = read_batches(
        source,
        partial(resize, height=height, width=width),
        spec.shape,
        batch=batch,
        threads=_threads(config),
    )
    with closing(incoming), progress.bar("predict", len(source)) as advance:
        told = _Told(source, advance)
        batches = told.readable(incoming)
        probs = [*_ensemble(models, batches, views, InParts(batch), advance)]
    ids = tuple(source.sample_ids[i] for i in told.positions)
    return Predictions(ids, np.concatenate(probs), models[0].heads, stage=places[0][1])


def load_models(folder: RunFolder, places: Sequence[tuple[int, int]]) -> list[Classifier]:
    """Load the models of some folds and stages, in eval mode on the device.

    Raises:
        DataError: If they do not answer the same questions.
        ResourceError: If they do not fit into memory all together.
    """
    models: list[Classifier] = []
    choices = choices_to_predict(folder)
    for fold, stage in places:
        try:
            models.append(on_device(load_model(folder, fold, stage), choices))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            msg = (
                f"{folder.root}: expected memory for {len(places)} models at a time, "
                f"got enough for {len(models)}: {error}"
            )
            hint = "average fewer folds with --folds, such as --folds 0,1"
            raise ResourceError(msg, hint=hint, slug="resource/models") from error
    if any(model.heads != models[0].heads for model in models):
        msg = f"{folder.root}: expected the same classes from every model, got different ones"
        raise DataError(msg, hint="average folds of one training only", slug="data/heads")
    return models


def _ensemble(
    models: Sequence[Classifier],
    batches: Iterator[Batch],
    views: Sequence[View],
    parts: InParts,
    advance: Advance,
) -> Generator[Floats]:
    """Give the mean of all models for each batch [B, all classes].

    A batch of one model is what a thread works on: few images keep all cores busy too.
    """

    def run(work: tuple[Batch, Classifier]) -> Floats:
        batch, model = work
        return parts.run(lambda part: view_probs(model, images_of(part), views), batch)

    found = map_batches(run, ((batch, model) for batch in batches for model in models))
    with closing(found):
        while each := list(islice(found, len(models))):
            mean = mean_of(each)
            yield mean
            advance(len(mean))


@dataclass
class _Told:
    """Which samples were predicted, and what was said of the others.

    Attributes:
        source: The samples.
        advance: Told the number of broken ones.
        positions: Of the readable ones in the source, in the order of their probabilities.
        broken: How many could not be read.
        lost: Where the first missing one was looked for, or nothing.
    """

    source: Source
    advance: Advance
    positions: list[int] = field(default_factory=list)
    broken: int = 0
    lost: str = ""

    def readable(self, incoming: Iterator[Incoming]) -> Iterator[Batch]:
        """Pass on what can be predicted; warn of what cannot."""
        for one in incoming:
            for position, problem in one.broken:
                self._tell(position, problem)
            if one.broken:
                self.advance(len(one.broken))
            if len(one.batch.indices):
                self.positions += one.batch.indices.tolist()
                yield one.batch
        if self.broken > _NAMED:
            logger.warning("%d more images were not predicted", self.broken - _NAMED)
        if not self.positions:
            raise _nothing_readable(self.source, self.lost)

    def _tell(self, position: int, problem: ImageProblem) -> None:
        self.broken += 1
        path, detail = self.source.path(position), problem.detail
        if problem.reason == Reason.MISSING:
            self.lost = self.lost or path
            detail = f"looked for {Path(path).absolute()}"
        if self.broken <= _NAMED:
            sample_id = self.source.sample_ids[position]
            logger.warning("%s: not predicted: %s: %s", sample_id, problem.reason, detail)


def _threads(config: ExperimentConfig) -> int:
    """Choose how many threads decode: as the config says, else one for each core."""
    if "num_workers" in config.model_fields_set:
        return config.num_workers
    return min(usable_cores(), _MOST_THREADS)


def _tell_listing(source: Source) -> None:
    """Say what is odd about the listing, before any image is read."""
    for text in (*source.warnings, *twins(source), *left_out(source.excluded)):
        logger.warning(text)
    quiet = [pair for pair in source.excluded if pair[1] in QUIET_RULES]
    if quiet:
        logger.info("left out: %s", counted(by_reason(quiet)))


def _nothing_readable(source: Source, lost: str) -> DataError:
    msg = f"expected at least 1 image to predict, got none of {len(source)} readable"
    where = f"looked for {Path(lost).absolute()}; --images DIR says where a table's images are"
    return DataError(msg, hint=where if lost else "", slug="data/nothing-to-predict")


def require_all(predictions: Predictions, source: Source) -> Floats:
    """Give the probabilities of all samples of a source, in its order [N, all classes].

    Raises:
        DataError: If some could not be read.
    """
    known = set(predictions.ids)
    missing = [sample_id for sample_id in source.sample_ids if sample_id not in known]
    if missing:
        msg = f"expected predictions for all {len(source)} samples, got none for {missing[:5]}"
        hint = "take out what cannot be read; the warnings above say why"
        raise DataError(msg, hint=hint, slug="data/unreadable")
    return predictions.probs
