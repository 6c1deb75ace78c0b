"""Musket's methods whose predictions are kept: as data sets, and on disk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fivefold.core.predictions import Predictions, average, join
from fivefold.core.progress import Silent
from fivefold.data import Source
from fivefold.data.datasets import PredictedDataSet, SourceDataSet
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.musket.asking import Flips
from fivefold.experiment.musket.given import truth_of
from fivefold.experiment.musket.places import ALL, Fold, Place, Stage, places_of
from fivefold.experiment.musket.predicting import Predicting
from fivefold.experiment.musket.stored import StoredPredictions, stored_path
from fivefold.experiment.project import find_experiment


class Keeping(Predicting):
    """What gives predictions as data sets, and keeps those that are made only once."""

    def predict_all_to_dataset(
        self,
        dataset: Any,
        fold: Fold = None,
        stage: Stage = ALL,
        limit: int = -1,
        batch_size: int | None = None,
        ttflips: Flips = False,
        dsPath: Path | str | None = None,
        cacheModel: bool = False,
        verbose: int = 1,
    ) -> StoredPredictions:
        """Predict a data set; gives one whose items have a `prediction`.

        Args:
            dataset: As for `predict_on_dataset`.
            fold: Whose models; None for all that are trained.
            stage: Whose weights; all stages if not given, as in Musket, and None too.
            limit: How many items at most.
            batch_size: How many at a time.
            ttflips: Average over flips.
            dsPath: Where to write the predictions too, for `Predictions.load`; replaced.
            cacheModel: Keep the models in memory for the next call.
            verbose: 0 shows no bar.
        """
        source = self._to_predict(dataset, limit)
        places = places_of(self.experiment, fold, stage)
        ensemble = self._ensemble(places, ttflips, keep=cacheModel)
        progress = self.experiment.progress if verbose else Silent()
        found = ensemble.predict(source, progress, batch_size)
        if dsPath is not None:
            Path(dsPath).parent.mkdir(parents=True, exist_ok=True)
            found.save(Path(dsPath))
        return self._stored(found, source, (fold, stage), dataset)

    def predictions(self, name: Any, fold: Fold = None, stage: Stage = -1) -> StoredPredictions:
        """Give predictions that are made only once.

        They are those of the last stage, which the summary and `evaluate` measure.

        Args:
            name: "validation": every sample by the model that has not seen it. "validation3": the
                samples of fold 3 by its model. "holdout": by all models. "train" or "train3": the
                training samples of fold 0, or 3, by its model. Or any data set; what is said of it
                is kept on disk, until its content or the weights change.
            fold: Whose models instead; of "validation" whose samples.
            stage: Whose weights; -1 is the last, several are averaged, None is all stages.

        Raises:
            DataError: If there is no such data set.
            StateError: If a model is not trained.
        """
        if not isinstance(name, str):
            return self._kept_on_disk(name, fold, stage)
        part, own = self._part_of_name(name)
        models = own if fold is None and name != "validation" and part != "holdout" else fold
        places = places_of(self.experiment, models, stage)
        if name == "validation" or (part == "validation" and models == own):
            parts = self._of_training("validation", places)
            found = join([average(some) for some in parts.values()]).sorted()
        elif part == "holdout" and self._has_predicted("holdout", places):
            parts = self._of_training("holdout", places)
            found = average([one for some in parts.values() for one in some])
        else:
            return self._kept_on_disk(name, models, stage)
        return self._stored(found, self._source(None), (fold, stage), name)

    def _of_training(self, part: str, places: Sequence[Place]) -> dict[int, list[Predictions]]:
        """Read what training has predicted: for each fold one for each stage."""
        by_fold = defaultdict(list)
        for fold, stage in places:
            path = self.experiment.folder.predictions(part, fold, stage)
            by_fold[fold].append(Predictions.load(path))
        return by_fold

    def _has_predicted(self, part: str, places: Sequence[Place]) -> bool:
        """Say whether training has predicted a part: the holdout only with the last stage."""
        folder = self.experiment.folder
        return all(folder.predictions(part, *place).exists() for place in places)

    def _kept_on_disk(self, dataset: Any, fold: Fold, stage: Stage) -> StoredPredictions:
        run, source = self.experiment, self._to_predict(dataset)
        places = places_of(run, fold, stage)
        name = dataset if isinstance(dataset, str) else getattr(dataset, "name", "")
        path = stored_path(run.folder, source, places, self._flips(False), Path(name or "").name)
        if path.exists():
            found = Predictions.load(path)
        else:
            found = self._predict(source, places)
            found.save(path)
        if isinstance(dataset, str) and self.is_name(dataset):
            found = replace(found, targets=truth_of(found, source))
        return self._stored(found, source, (fold, stage), dataset)

    def _stored(
        self, found: Predictions, source: Source, places: tuple[Fold, Stage], dataset: Any
    ) -> StoredPredictions:
        named = isinstance(dataset, str) and self.is_name(dataset)

        def open_whole() -> tuple[Any, Source]:
            if named:
                return self._whole(None), self._source(None)
            files = isinstance(dataset, str | Path | Source)
            return (SourceDataSet(source) if files else dataset), source

        def again(path: Path) -> PredictedDataSet:
            run, place = self.experiment, find_experiment(path)
            other = Experiment.load(place, allow_imports=run.allow_imports, progress=run.progress)
            pipeline = type(self)(other)
            pipeline.dataset = self.dataset
            if named:
                return pipeline.predictions(dataset, *places)
            return pipeline.predict_all_to_dataset(source, *places)

        name = dataset if isinstance(dataset, str) else getattr(dataset, "name", "")
        return StoredPredictions(found, open_whole, str(name), again)
