"""Predictions of new samples by the mean of several folds' models: one pass over the images."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from fivefold.augment import build_transforms
from fivefold.build.pixels import build_preprocess, show_alpha
from fivefold.config import ExperimentConfig
from fivefold.core.cache_home import cache_home
from fivefold.core.cells import each_cell
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError, ResourceError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, mean_of
from fivefold.core.progress import Progress
from fivefold.core.types import Floats, Head, Image, Indices
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.engine.batch_probe import choose_batch
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import images_of, on_device
from fivefold.engine.incoming import read_batches
from fivefold.engine.memory import InParts, is_out_of_memory
from fivefold.engine.predictor import Advance, map_batches, view_probs
from fivefold.engine.tta import View
from fivefold.evaluation.metrics import Flags
from fivefold.experiment.applying import scaled, sets_of, temperatures_of
from fivefold.experiment.decisions import Decisions
from fivefold.experiment.manifest import choices_to_predict
from fivefold.experiment.own_code import own_code
from fivefold.experiment.readable import Readable, nothing_readable, tell_listing
from fivefold.models import Classifier, ModelSpec


@dataclass(frozen=True, eq=False)
class Predicted:
    """Some samples, and what the models say of them.

    Attributes:
        positions: Of the samples in their source [B].
        images: What the network saw: pixels [B, H, W, C], 0-255.
        probs: Probabilities, averaged over models and views [B, all classes].
        sets: Which classes are in the prediction sets [B, all classes]; none without levels.
    """

    positions: Indices
    images: Image
    probs: Floats
    sets: Flags


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Models that answer together: their probabilities are averaged.

    Attributes:
        models: In eval mode on the device, of the same classes.
        spec: What the first was built from.
        config: Says the batch, the threads that decode, and where choices are remembered.
        views: Flips to average over.
        temperatures: Each model's logits are divided by them, one for each head; none leaves them.
        sets_by: Whose levels make prediction sets; without it all are empty.
    """

    models: Sequence[Classifier]
    spec: ModelSpec
    config: ExperimentConfig
    views: Sequence[View]
    temperatures: Sequence[float] = ()
    sets_by: Decisions | None = None

    @property
    def heads(self) -> tuple[Head, ...]:
        """What the columns of the probabilities mean."""
        return self.models[0].heads

    def batches(
        self, source: Source, progress: Progress, batch: int | None = None
    ) -> Generator[Predicted]:
        """Predict a source batch by batch: each image is read once and then forgotten.

        Args:
            source: The samples; those that cannot be read are warned of and left out.
            progress: Who watches.
            batch: Samples at a time; the config's `inference_batch` if not given.

        Raises:
            DataError: If there is no sample, or none can be read.
        """
        tell_listing(source)
        if not len(source):
            raise nothing_readable(source)
        size = batch or self._batch(source)
        show_alpha(source, self.spec.shape)
        preprocess = build_preprocess(self.spec.shape)
        incoming = read_batches(
            source,
            preprocess,
            batch=size,
            threads=_threads(self.config),
            transform=each_cell(build_transforms(self.spec.transforms), self.spec.crops),
        )
        with closing(incoming), progress.bar("predict", len(source)) as advance:
            readable = Readable(source, advance)
            yield from self._each(readable.batches(incoming), InParts(size), advance)

    def predict(self, source: Source, progress: Progress, batch: int | None = None) -> Predictions:
        """Predict every readable sample of a source; see `batches`."""
        return self.predict_with_sets(source, progress, batch)[0]

    def predict_with_sets(
        self, source: Source, progress: Progress, batch: int | None = None
    ) -> tuple[Predictions, Flags]:
        """Predict, and say which classes are in the sets [N, all classes]; none without levels."""
        positions, probs, sets = list[int](), list[Floats](), list[Flags]()
        for found in self.batches(source, progress, batch):
            positions += found.positions.tolist()
            probs.append(found.probs)
            sets.append(found.sets)
        ids = tuple(source.sample_ids[i] for i in positions)
        predictions = Predictions(ids, np.concatenate(probs), self.heads)
        return predictions, np.concatenate(sets)

    def scaled_by(self, decisions: Decisions, folder: RunFolder) -> "Ensemble":
        """Give the same models, each of which is scaled by the decisions' temperatures."""
        return replace(self, temperatures=temperatures_of(decisions, self.heads, folder))

    def _batch(self, source: Source) -> int:
        batch = self.config.inference_batch
        if batch != "auto":
            return batch
        looks = len(source) * len(self.models) * len(self.views)
        known = own_code()
        home = None if known is None else cache_home(self.config.cache)
        return choose_batch(home, self.models[0], self.spec, looks, known or ())

    def _each(
        self, batches: Iterator[Batch], parts: InParts, advance: Advance
    ) -> Generator[Predicted]:
        """Average all models for each batch.

        A batch of one model is what a thread works on: few images keep all cores busy too.
        """

        def run(work: tuple[Batch, Classifier]) -> tuple[Batch, Floats]:
            batch, model = work
            probs = parts.run(lambda part: view_probs(model, images_of(part), self.views), batch)
            return batch, scaled(probs, self.heads, self.temperatures)

        found = map_batches(run, ((batch, model) for batch in batches for model in self.models))
        with closing(found):
            while each := list(islice(found, len(self.models))):
                batch, every = each[0][0], [probs for _, probs in each]
                mean, by = mean_of(every), self.sets_by
                sets = np.zeros(mean.shape, bool) if by is None else sets_of(every, by)
                yield Predicted(batch.indices, batch.images, mean, sets)
                advance(len(batch.indices))


def predict_source(
    folder: RunFolder,
    source: Source,
    places: Sequence[tuple[int, int]],
    *,
    config: ExperimentConfig,
    views: Sequence[View],
    progress: Progress,
    decisions: Decisions | None = None,
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
        decisions: Whose temperatures each model's probabilities are scaled by.

    Raises:
        DataError: If no sample can be read.
        StateError: If the decisions are about other classes.
        ResourceError: If the models do not fit into memory all together.
    """
    if not len(source):
        raise nothing_readable(source)
    ensemble = load_ensemble(folder, places, config=config, views=views)
    if decisions is not None:
        ensemble = ensemble.scaled_by(decisions, folder)
    return replace(ensemble.predict(source, progress), stage=places[0][1])


def predict_sets(
    folder: RunFolder,
    source: Source,
    places: Sequence[tuple[int, int]],
    *,
    config: ExperimentConfig,
    views: Sequence[View],
    progress: Progress,
    decisions: Decisions,
) -> tuple[Predictions, Flags]:
    """Predict as `predict_source` does, and make prediction sets by the decisions' levels.

    Returns:
        The predictions, and whether a class is in a sample's set [N, all classes].
    """
    if not len(source):
        raise nothing_readable(source)
    ensemble = load_ensemble(folder, places, config=config, views=views)
    ensemble = replace(ensemble.scaled_by(decisions, folder), sets_by=decisions)
    predictions, sets = ensemble.predict_with_sets(source, progress)
    return replace(predictions, stage=places[0][1]), sets


def load_ensemble(
    folder: RunFolder,
    places: Sequence[tuple[int, int]],
    *,
    config: ExperimentConfig,
    views: Sequence[View],
) -> Ensemble:
    """Load models that answer together; see `predict_source`."""
    models = load_models(folder, places)
    return Ensemble(models, load_bundle(folder.bundle(*places[0])).spec, config, views)


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


def _threads(config: ExperimentConfig) -> int:
    """Choose how many threads decode: as the config says, else one for each core."""
    if "num_workers" in config.model_fields_set:
        return config.num_workers
    return decoding_threads()


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
