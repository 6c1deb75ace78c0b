"""Musket's methods that compare predictions with the truth."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray
from fivefold.experiment.musket.asking import NOT_GIVEN, Flips
from fivefold.experiment.musket.batches import PredictedBatch, as_array, by_sample
from fivefold.experiment.musket.given import targets_of, truth_of
from fivefold.experiment.musket.keeping import Keeping
from fivefold.experiment.musket.places import Fold, Stage, places_of
from fivefold.experiment.musket.thresholds import (
    Score,
    best_by_class,
    best_threshold,
    check_given,
    check_score,
)
from fivefold.experiment.negatives import Negatives


class Evaluating(Keeping):
    """What measures models on samples whose truth is known."""

    def evaluateAll(
        self,
        ds: Any,
        fold: int,
        stage: Stage = -1,
        negatives: Negatives = "real",
        ttflips: Flips = None,
        batchSize: int | None = None,
    ) -> Generator[PredictedBatch]:
        """Predict a fold's validation samples, batch by batch.

        Args:
            ds: The data set of `fit`; None for the config's own.
            fold: Whose samples, and whose model.
            stage: Whose weights; -1 is the last.
            negatives: Which samples without any class count.
            ttflips: Average over flips.
            batchSize: How many at a time.

        Yields:
            Batches with `results`, `ground_truth`, and in `data` the ids and the truth. The last
            one is as long as samples are left.
        """
        places = places_of(self.experiment, fold, stage)
        ensemble = self._ensemble(places, ttflips)
        source = self._validation_source(ds, fold, negatives, ensemble.heads)
        with closing(self._batches(ensemble, source, batchSize)) as found:
            for batch in found:
                truth = targets_of(source, batch.positions, ensemble.heads)
                known = by_sample(truth, ensemble.heads)
                yield replace(batch, data=[batch.data, known], ground_truth=known)

    def evaluate_all_to_arrays(
        self,
        ds: Any,
        fold: int,
        stage: Stage = -1,
        negatives: Negatives = "real",
        ttflips: Flips = None,
        batchSize: int | None = None,
    ) -> tuple[Any, Any]:
        """Predict a fold's validation samples; gives their predictions and their truth.

        Returns:
            Two arrays as of `predict_all_to_array`.
        """
        places = places_of(self.experiment, fold, stage)
        ensemble = self._ensemble(places, ttflips)
        source = self._validation_source(ds, fold, negatives, ensemble.heads)
        found = ensemble.predict(source, self.experiment.progress, batchSize)
        truth = truth_of(found, source)
        return as_array(found.probs, found.heads), as_array(truth, found.heads)

    def find_threshold(
        self,
        ds: Any = NOT_GIVEN,
        fold: Fold = NOT_GIVEN,
        func: Score = NOT_GIVEN,
        stage: Stage = -1,
    ) -> float:
        """Find the best threshold on a data set; only `stage` may be left out.

        Samples that a model was trained on flatter it: "validation0" are those that fold 0's model
        has not seen, "holdout" those that none has.

        Args:
            ds: A labelled data set, or a name such as "validation0" or "holdout".
            fold: Whose models; None for all that are trained.
            func: A metric's name; or a function of a sample's truth and of what is above the
                threshold, whose mean over samples counts: more is better.
            stage: Whose weights; -1 is the last.

        Returns:
            The first of 0.00, 0.01, … 0.99 with the best score: a class is true above it.

        Raises:
            ConfigError: If an argument is missing.
            DataError: If the data set has no labels, or `func` is neither.
        """
        check_given("find_threshold", ds=ds, fold=fold, func=func)
        check_score(func)
        return best_threshold(self._known(ds, fold, stage), func, self.experiment.progress)

    def find_thresholds(
        self,
        ds: Any = NOT_GIVEN,
        fold: Fold = NOT_GIVEN,
        func: Callable[[AnyArray, AnyArray], float] | None = None,
        stage: Stage = -1,
    ) -> dict[str, float]:
        """Find the best threshold of each class; Musket has no name for it.

        Args:
            ds: A labelled data set, or a name such as "validation0" or "holdout".
            fold: Whose models; None for all that are trained.
            func: From a class's truth and answers, both true or false [N], to a score; F1 if not
                given.
            stage: Whose weights; -1 is the last.

        Returns:
            Class name to threshold.

        Raises:
            ConfigError: If `ds` or `fold` is missing.
            DataError: If the data set has no labels, or `func` is no function.
        """
        check_given("find_thresholds", ds=ds, fold=fold)
        if func is not None:
            check_score(func, named=False)
        return best_by_class(self._known(ds, fold, stage), func)

    def find_optimal_threshold_by_validation(
        self, func: Score = NOT_GIVEN, stages: Stage = -1
    ) -> float:
        """Average the best thresholds of the trained folds, each on its validation samples.

        Args:
            func: As for `find_threshold`; it cannot be left out.
            stages: Whose weights; -1 is the last, several are averaged, None is all stages.
        """
        check_given("find_optimal_threshold_by_validation", func=func)
        check_score(func)
        places = places_of(self.experiment, None, stages)
        folds = dict.fromkeys(fold for fold, _ in places)
        found = [self.predictions(f"validation{fold}", None, stages) for fold in folds]
        progress = self.experiment.progress
        return float(np.mean([best_threshold(part.predictions, func, progress) for part in found]))

    def find_optimal_threshold_by_holdout(
        self, func: Score = NOT_GIVEN, stages: Stage = -1
    ) -> float:
        """Find the best threshold of all folds together on the holdout.

        Args:
            func: As for `find_threshold`; it cannot be left out.
            stages: Whose weights; -1 is the last, several are averaged, None is all stages.
        """
        check_given("find_optimal_threshold_by_holdout", func=func)
        check_score(func)
        found = self.predictions("holdout", None, stages).predictions
        return best_threshold(found, func, self.experiment.progress)

    find_treshold = find_threshold
    find_optimal_treshold = find_threshold
    find_optimal_treshold_by_validation = find_optimal_threshold_by_validation
    find_optimal_treshold_by_holdout = find_optimal_threshold_by_holdout

    def _known(self, ds: Any, fold: Fold, stage: Stage) -> Predictions:
        """Predict a data set whose truth is known."""
        run = self.experiment
        ensemble = self._ensemble(places_of(run, fold, stage), False)
        if isinstance(ds, str) and self.is_name(ds):
            source = self._to_predict(ds)
        else:
            source = self._labelled(ds, ensemble.heads)
        found = ensemble.predict(source, run.progress)
        return replace(found, targets=truth_of(found, source))
