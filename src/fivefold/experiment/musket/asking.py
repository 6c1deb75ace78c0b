"""Musket's methods that predict whatever there is to predict: labels or masks."""

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Any, Final, Generic, TypeAlias, TypeVar

from fivefold.core.errors import DataError
from fivefold.data import Source
from fivefold.engine.checkpoint import load_bundle
from fivefold.engine.tta import View, views_of
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.given import Given
from fivefold.experiment.musket.places import FIRST, Fold, Place, Stage, places_of
from fivefold.models import Classifier, ModelSpec

Flips: TypeAlias = str | bool | None
"""False or None for none, "Horizontal", "Horizontal_and_vertical", True for all four."""

NOT_GIVEN: Final[Any] = object()
"""In the place of an argument."""

_Together = TypeVar("_Together")
_Batch = TypeVar("_Batch")


class Asking(Given, Generic[_Together, _Batch]):
    """What predicts new samples, and samples of the folds.

    Everywhere `fold` and `stage` are one number or several, whose models are averaged, each output
    by itself; `ttflips` averages over flips; `limit` is how many samples at most, -1 for all;
    `batch_size` how many at a time, the config's `inference_batch` if not given. Images are read
    once and then forgotten, so memory does not grow with their number. What cannot be read is
    warned of and left out, unless rows have to line up.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self._kept: dict[tuple[tuple[Place, ...], str], _Together] = {}

    @abstractmethod
    def _loaded(self, places: Sequence[Place], views: Sequence[View]) -> _Together:
        """Load models that answer together."""

    @abstractmethod
    def _together(
        self, models: Sequence[Classifier], spec: ModelSpec, views: Sequence[View]
    ) -> _Together:
        """Let models answer together."""

    @abstractmethod
    def _batches(
        self, ensemble: _Together, source: Source, batch_size: int | None
    ) -> Generator[_Batch]:
        """Predict a source batch by batch."""

    @abstractmethod
    def _pairs(self, batch: _Batch) -> Iterable[tuple[str, Any]]:
        """Give the id of each sample of a batch, and what is handed to functions of users."""

    def predict_on_directory(
        self,
        path: Any,
        fold: Fold = 0,
        stage: Stage = FIRST,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
    ) -> Generator[_Batch]:
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
    ) -> Generator[_Batch]:
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
    ) -> Generator[_Batch]:
        """Predict the images of a folder with a model that `load_model` gave."""
        run = self.experiment
        place = places_of(run, None, -1)[0]
        spec = load_bundle(run.folder.bundle(*place)).spec
        models = getattr(mdl, "models", [mdl])
        ensemble = self._together(models, spec, views_of(ttflips))
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
                for name, result in self._pairs(batch):
                    cb(name, result, data)

    def _ensemble(
        self, places: Sequence[Place], ttflips: Flips, *, keep: bool = False
    ) -> _Together:
        """Load models, or take those that a call before has kept."""
        run = self.experiment
        key = (tuple(places), self._flips(ttflips))
        found = self._kept.get(key)
        if found is None:
            views = views_of(ttflips or run.config.test_time_augmentation)
            found = self._loaded(places, views)
        if keep:
            self._kept = {key: found}
        return found

    def _flips(self, ttflips: Flips) -> str:
        return str(ttflips or self.experiment.config.test_time_augmentation or False)

    def _forget(self) -> None:
        """Let go of models, since others are about to be trained."""
        self._kept.clear()


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
