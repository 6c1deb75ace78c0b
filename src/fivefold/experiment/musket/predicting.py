"""Musket's methods that predict."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, Final, TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions, mean_of
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.engine.checkpoint import load_bundle
from fivefold.engine.device import images_of
from fivefold.engine.predictor import map_batches, view_probs
from fivefold.engine.tta import views_of
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.inference import Ensemble, load_ensemble, require_all
from fivefold.experiment.musket.batches import PredictedBatch, as_array, by_sample
from fivefold.experiment.musket.given import Given
from fivefold.experiment.musket.places import FIRST, Fold, Place, Stage, places_of

Flips: TypeAlias = str | bool | None
"""False or None for none, "Horizontal", "Horizontal_and_vertical", True for all four."""

NOT_GIVEN: Final[Any] = object()
"""In the place of an argument."""


class Predicting(Given):
    """What predicts new samples, and samples of the folds.

    Everywhere `fold` and `stage` are one number or several, whose models are averaged, each output
    by itself; `ttflips` averages over flips; `limit` is how many samples at most, -1 for all;
    `batch_size` how many at a time, the config's `inference_batch` if not given. Images are read
    once and then forgotten, so memory does not grow with their number. What cannot be read is
    warned of and left out, unless rows have to line up.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self._kept: dict[tuple[tuple[Place, ...], str], Ensemble] = {}

    def predict_on_directory(
        self,
        path: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> Generator[PredictedBatch]:
        """Predict the images of a folder, batch by batch.

        Args:
            path: The folder, whose images are named relative to it; or a `ConstrainedDirectory`.
            fold: Whose models.
            stage: Whose weights.
            limit: How many images at most.
            batch_size: How many at a time.
            ttflips: Average over flips.

        Yields:
            Batches with `data` (the names), `images`, `images_aug` and `results`.

        Raises:
            DataError: If there is nothing to predict.
            StateError: If a model is not trained.
        """
        return self.predict_on_dataset(path, fold, stage, limit, batch_size, ttflips)

    def predict_on_dataset(
        self,
        dataset: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
        cacheModel: bool = False,
    ) -> Generator[PredictedBatch]:
        """Predict a data set, batch by batch; see `predict_on_directory`.

        Args:
            dataset: Any object with `__len__` and `__getitem__`, or a name such as "validation3".
            fold: Whose models.
            stage: Whose weights.
            limit: How many items at most.
            batch_size: How many at a time.
            ttflips: Average over flips.
            cacheModel: Keep the models in memory for the next call.
        """
        source = self._to_predict(dataset, limit)
        ensemble = self._ensemble(places_of(self.experiment, fold, stage), ttflips, keep=cacheModel)
        return self._batches(ensemble, source, batch_size)

    def predict_on_directory_with_model(
        self,
        mdl: Any,
        path: Any,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> Generator[PredictedBatch]:
        """Predict the images of a folder with a model that `load_model` gave."""
        run = self.experiment
        place = places_of(run, None, -1)[0]
        spec = load_bundle(run.folder.bundle(*place)).spec
        models = getattr(mdl, "models", [mdl])
        ensemble = Ensemble(models, spec, run.config, views_of(ttflips))
        return self._batches(ensemble, self._to_predict(path, limit), batch_size)

    def predict_in_directory(
        self,
        spath: Any,
        fold: Fold,
        stage: Any = FIRST,
        cb: Any = NOT_GIVEN,
        data: Any = NOT_GIVEN,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> None:
        """Predict the images of a folder and hand each to a function.

        Both of Musket's call shapes work: `(path, fold, stage, cb, data)`, and without the stage
        `(path, fold, cb, data)`.

        Args:
            spath: The folder.
            fold: Whose models.
            stage: Whose weights.
            cb: Called with the file's name, its probabilities as in `results`, and `data`.
            data: Handed on.
            limit: How many images at most.
            batch_size: How many at a time.
            ttflips: Average over flips.
        """
        if callable(stage):
            data, limit, batch_size, ttflips = _without_stage(cb, data, limit, batch_size, ttflips)
            stage, cb = FIRST, stage
        given = None if data is NOT_GIVEN else data
        self.predict_in_dataset(spath, fold, stage, cb, given, limit, batch_size, ttflips)

    def predict_in_dataset(
        self,
        dataset: Any,
        fold: Fold,
        stage: Stage,
        cb: Callable[[str, Any, Any], object],
        data: Any,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> None:
        """Predict a data set and hand each item to a function; see `predict_in_directory`."""
        if not callable(cb):
            msg = f"cb: expected a function of a name, a result and the data, got {cb!r}"
            raise DataError(msg, slug="data/callback")
        with closing(
            self.predict_on_dataset(dataset, fold, stage, limit, batch_size, ttflips)
        ) as found:
            for batch in found:
                for name, result in zip(batch.data, batch.results, strict=True):
                    cb(name, result, data)

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

    def _ensemble(self, places: Sequence[Place], ttflips: Flips, *, keep: bool = False) -> Ensemble:
        """Load models, or take those that a call before has kept."""
        run = self.experiment
        key = (tuple(places), self._flips(ttflips))
        found = self._kept.get(key)
        if found is None:
            views = views_of(ttflips or run.config.test_time_augmentation)
            found = load_ensemble(run.folder, places, config=run.config, views=views)
        if keep:
            self._kept = {key: found}
        return found

    def _flips(self, ttflips: Flips) -> str:
        return str(ttflips or self.experiment.config.test_time_augmentation or False)

    def _predict(
        self,
        source: Source,
        places: Sequence[Place],
        ttflips: Flips = False,
        batch_size: int | None = None,
    ) -> Predictions:
        ensemble = self._ensemble(places, ttflips)
        return ensemble.predict(source, self.experiment.progress, batch_size)


def _without_stage(
    first: Any, second: Any, limit: Any, batch_size: Any, ttflips: Flips
) -> tuple[Any, int, int | None, Flips]:
    """Read what is behind `cb` in `predict_in_directory(path, fold, cb, data, limit, …)`.

    Each value stands one place earlier than its name says, but for those given by name.
    """
    if first is NOT_GIVEN or second is NOT_GIVEN:
        return second if first is NOT_GIVEN else first, limit, batch_size, ttflips
    if isinstance(batch_size, bool | str):
        return first, second, limit, batch_size
    return first, second, batch_size if limit == -1 else limit, ttflips
