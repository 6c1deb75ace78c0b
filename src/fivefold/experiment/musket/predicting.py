"""Musket's methods that predict labels."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from fivefold.core.predictions import Predictions, mean_of
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.engine.device import images_of
from fivefold.engine.predictor import map_batches, view_probs
from fivefold.engine.tta import View, views_of
from fivefold.experiment.inference import Ensemble, load_ensemble, require_all
from fivefold.experiment.musket.asking import Asking, Flips
from fivefold.experiment.musket.batches import PredictedBatch, as_array, by_sample
from fivefold.experiment.musket.places import FIRST, Fold, Place, Stage, places_of
from fivefold.models import Classifier, ModelSpec


class Predicting(Asking[Ensemble, PredictedBatch]):
    """What predicts labels; see `Asking`."""

    def _loaded(self, places: Sequence[Place], views: Sequence[View]) -> Ensemble:
        run = self.experiment
        return load_ensemble(run.folder, places, config=run.config, views=views)

    def _together(
        self, models: Sequence[Classifier], spec: ModelSpec, views: Sequence[View]
    ) -> Ensemble:
        return Ensemble(models, spec, self.experiment.config, views)

    def _pairs(self, batch: PredictedBatch) -> Iterable[tuple[str, Any]]:
        return zip(batch.data, batch.results, strict=True)

    def predict_all_to_array(
        self,
        dataset: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> Any:
        """Predict a data set in its own order.

        Args:
            dataset: As for `predict_on_dataset`.
            fold: Whose models; None for all that are trained.
            stage: Whose weights; None for all stages.
            limit: How many items at most.
            batch_size: How many at a time.
            ttflips: Average over flips.

        Returns:
            Probabilities [N, classes]. Of several outputs an array [N, outputs] of vectors, so
            that `array[i][k]` is what is said of the i-th item's k-th output.

        Raises:
            DataError: If an item cannot be read, since then rows would not line up.
        """
        return self.predict_all_to_array_with_ids(dataset, fold, stage, limit, batch_size, ttflips)[
            0
        ]

    def predict_all_to_array_with_ids(
        self,
        dataset: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> tuple[Any, list[str]]:
        """Predict a data set; gives `predict_all_to_array`'s result and the items' ids."""
        source = self._to_predict(dataset, limit)
        places = places_of(self.experiment, fold, stage)
        found = self._predict(source, places, ttflips, batch_size)
        return as_array(require_all(found, source), found.heads), list(found.ids)

    def predict_on_batch(self, mdl: Any, ttflips: Flips, batch: Any) -> list[Any]:
        """Predict the `images_aug` of a batch with a model of `load_model`; gives `results`."""
        models, views = getattr(mdl, "models", [mdl]), views_of(ttflips)
        part = Batch(np.arange(len(batch.images_aug)), batch.images_aug, None)
        each = map_batches(lambda model: view_probs(model, images_of(part), views), models)
        return by_sample(mean_of(list(each)), models[0].heads)

    def _batches(
        self, ensemble: Ensemble, source: Source, batch_size: int | None
    ) -> Generator[PredictedBatch]:
        with closing(ensemble.batches(source, self.experiment.progress, batch_size)) as found:
            for one in found:
                positions = one.positions.tolist()
                yield PredictedBatch(
                    data=[source.sample_ids[i] for i in positions],
                    images_aug=one.images,
                    results=by_sample(one.probs, ensemble.heads),
                    source=source,
                    positions=positions,
                )

    def _predict(
        self,
        source: Source,
        places: Sequence[Place],
        ttflips: Flips = False,
        batch_size: int | None = None,
    ) -> Predictions:
        ensemble = self._ensemble(places, ttflips)
        return ensemble.predict(source, self.experiment.progress, batch_size)
