"""Musket's methods that compare predicted masks with the truth."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Head
from fivefold.data import Source
from fivefold.experiment.musket.asking import NOT_GIVEN, Flips
from fivefold.experiment.musket.mask_batches import MaskBatch
from fivefold.experiment.musket.mask_keeping import MaskKeeping
from fivefold.experiment.musket.mask_thresholds import Pair, best_by_class, best_threshold
from fivefold.experiment.musket.places import Fold, Stage, places_of
from fivefold.experiment.musket.thresholds import Score, check_given, check_score
from fivefold.experiment.negatives import Negatives


class MaskEvaluating(MaskKeeping):
    """What measures models on masks that are known."""

    def evaluateAll(
        self,
        ds: Any,
        fold: int,
        stage: Stage = -1,
        negatives: Negatives = "real",
        ttflips: Flips = None,
        batchSize: int | None = None,
    ) -> Generator[MaskBatch]:
        """Predict a fold's validation samples, batch by batch.

        Args:
            ds: The data set of `fit`; None for the config's own.
            fold: Whose samples, and whose model.
            stage: Whose weights; -1 is the last.
            negatives: Which samples that show nothing count.
            ttflips: Average over flips, undone on the maps.
            batchSize: How many at a time.

        Yields:
            Batches with `images`, `data` (the ids), `segmentation_maps` (the truth) and
            `predicted_maps_aug`, both with `.arr` [H, W, classes] at the image's own size. The last
            one is as long as samples are left.
        """
        ensemble = self._ensemble(places_of(self.experiment, fold, stage), ttflips)
        source = self._validation_source(ds, fold, negatives, (ensemble.head,))
        kind = _known_kind(source, ensemble.head)
        with closing(self._batches(ensemble, source, batchSize)) as found:
            for batch in found:
                yield replace(batch, kind=kind)

    def evaluate(
        self,
        d: Any,
        fold: int,
        stage: Stage,
        negatives: Negatives = "all",
        limit: int = 16,
    ) -> Generator[MaskBatch]:
        """Predict some of a fold's validation samples.

        Args:
            d: The data set of `fit`; None for the config's own.
            fold: Whose samples, and whose model.
            stage: Whose weights; -1 is the last.
            negatives: Which samples that show nothing count; "all" is all of them.
            limit: How many samples at most.

        Yields:
            One batch as of `evaluateAll`; `heatmaps_aug` is `predicted_maps_aug`. Images are as
            in validation, so not augmented.
        """
        wanted: Negatives = "real" if negatives == "all" else negatives
        with closing(self.evaluateAll(d, fold, stage, wanted, batchSize=limit)) as found:
            yield from islice(found, 1)

    def find_threshold(
        self,
        ds: Any = NOT_GIVEN,
        fold: Fold = NOT_GIVEN,
        func: Score = NOT_GIVEN,
        stage: Stage = -1,
    ) -> float:
        """Find the best threshold of pixels on a data set; only `stage` may be left out.

        Samples that a model was trained on flatter it: "validation0" are those that fold 0's model
        has not seen, "holdout" those that none has.

        Args:
            ds: A data set with masks, or a name such as "validation0" or "holdout".
            fold: Whose models; None for all that are trained.
            func: A metric's name, such as "dice"; or a function of an image's truth and of what is
                above the threshold, true or false [H, W, classes] both, whose mean over images
                counts: more is better.
            stage: Whose weights; -1 is the last.

        Returns:
            The first of 0.00, 0.01, … 0.99 with the best score: a pixel shows a class above it.

        Raises:
            ConfigError: If an argument is missing, or the classes are exclusive.
            DataError: If the data set has no masks of these classes, or `func` is neither.
        """
        check_given("find_threshold", ds=ds, fold=fold, func=func)
        check_score(func)
        pairs, head = self._pairs_of(ds, fold, stage)
        return best_threshold(pairs, head, func)

    def find_thresholds(
        self,
        ds: Any = NOT_GIVEN,
        fold: Fold = NOT_GIVEN,
        func: Callable[[AnyArray, AnyArray], float] | None = None,
        stage: Stage = -1,
    ) -> dict[str, float]:
        """Find the best threshold of each class; Musket has no name for it.

        Args:
            ds: A data set with masks, or a name such as "validation0" or "holdout".
            fold: Whose models; None for all that are trained.
            func: Only None: the dice of all pixels decides.
            stage: Whose weights; -1 is the last.

        Returns:
            Class name to threshold.

        Raises:
            ConfigError: If `ds` or `fold` is missing, or the classes are exclusive.
            DataError: If the data set has no masks of these classes, or `func` is given.
        """
        check_given("find_thresholds", ds=ds, fold=fold)
        if func is not None:
            msg = f"func: expected None for masks, got {func!r:.80}"
            raise DataError(msg, hint="use `find_threshold` for all classes", slug="data/callback")
        pairs, head = self._pairs_of(ds, fold, stage)
        return best_by_class(pairs, head)

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
        folds = dict.fromkeys(fold for fold, _ in places_of(self.experiment, None, stages))
        found = [self.find_threshold(f"validation{fold}", fold, func, stages) for fold in folds]
        return float(np.mean(found))

    def find_optimal_threshold_by_holdout(
        self, func: Score = NOT_GIVEN, stages: Stage = -1
    ) -> float:
        """Find the best threshold of all folds together on the holdout.

        Args:
            func: As for `find_threshold`; it cannot be left out.
            stages: Whose weights; -1 is the last, several are averaged, None is all stages.
        """
        check_given("find_optimal_threshold_by_holdout", func=func)
        return self.find_threshold("holdout", None, func, stages)

    find_treshold = find_threshold
    find_optimal_treshold = find_threshold
    find_optimal_treshold_by_validation = find_optimal_threshold_by_validation
    find_optimal_treshold_by_holdout = find_optimal_threshold_by_holdout

    def _pairs_of(self, ds: Any, fold: Fold, stage: Stage) -> tuple[Generator[Pair], Head]:
        """Predict a data set whose masks are known: map and true mask of each image in turn."""
        ensemble = self._ensemble(places_of(self.experiment, fold, stage), False)
        named = isinstance(ds, str) and self.is_name(ds)
        source = self._to_predict(ds) if named else self._labelled(ds, (ensemble.head,))
        _known_kind(source, ensemble.head)

        def pairs() -> Generator[Pair]:
            with closing(ensemble.maps(source, self.experiment.progress)) as found:
                for one in found:
                    yield one.probs.arr, source.mask(one.position)

        return pairs(), ensemble.head


def _known_kind(source: Source, head: Head) -> MaskKind:
    """Make sure that a source's masks mean what a model's classes do.

    Raises:
        DataError: If they do not, or there are none.
    """
    kind = MaskKind.of_head(head)
    if source.masks is None:
        msg = "data set: expected masks, got none"
        raise DataError(msg, hint="measure on data with masks", slug="data/no-labels")
    names = source.labels[0].class_names if source.labels else ()
    if source.masks != kind or tuple(names) != head.class_names:
        msg = f"masks: expected the classes of the model, {head.class_names}, got {tuple(names)}"
        raise DataError(msg, hint="give the data set of `fit`", slug="data/heads")
    return kind
