"""What a trained experiment says of new samples, and what becomes of that."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from fivefold.config import ExperimentConfig
from fivefold.core.arguments import as_path, refuse_argument
from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Progress
from fivefold.core.types import Floats
from fivefold.data import Source
from fivefold.engine.checkpoint import load_model
from fivefold.engine.device import on_device
from fivefold.engine.tiles import overlap_of
from fivefold.engine.tta import View, views_of
from fivefold.evaluation.metrics import Flags
from fivefold.experiment.datasets import open_inputs, wrap
from fivefold.experiment.decisions import Decisions, Wishes, decisions_for
from fivefold.experiment.inference import predict_sets, predict_source, require_all
from fivefold.experiment.manifest import choices_to_predict
from fivefold.experiment.mask_inference import load_mask_ensemble
from fivefold.experiment.mask_rules import USUAL_RULE, MaskRule, given_rule
from fivefold.experiment.predicted_masks import PredictedMasks
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.trained_sizes import largest_trained_on
from fivefold.models import Classifier


class Predicting:
    """The part of an experiment that uses its models.

    Args:
        config: Checked.
        folder: Where everything is written.
        progress: Who watches.
    """

    def __init__(self, config: ExperimentConfig, folder: RunFolder, progress: Progress) -> None:
        self.config = config
        self.folder = folder
        self.progress = progress
        self._decided: dict[tuple[int, tuple[int, ...], Wishes], Decisions] = {}

    def predict(
        self,
        inputs: Source | Path | str | Sequence[Path],
        folds: Sequence[int] | None = None,
        stage: int = -1,
        *,
        tta: str | bool = False,
        raw: bool = False,
    ) -> Predictions:
        """Predict images with the mean of several folds' models.

        Each model's probabilities are scaled first, if the config says `calibration: temperature`;
        `decisions` gives the thresholds from which on a class counts as predicted.

        Args:
            inputs: A Source, a folder, a CSV table with paths, or single files.
            folds: Whose models; all finished ones if not given.
            stage: Whose weights; -1 is the last.
            tta: Average over flips: "Horizontal", "Horizontal_and_vertical", True for all four.
            raw: Leave probabilities as the models say them.

        Raises:
            DataError: If there is nothing to predict, or the experiment makes masks.
            StateError: If a model is not trained or damaged.
        """
        self._check_task(masks=False)
        return self._predict(_opened(inputs), folds, stage, self._views(tta), raw=raw)

    def predict_sets(
        self,
        inputs: Source | Path | str | Sequence[Path],
        coverage: float | None = None,
        folds: Sequence[int] | None = None,
        stage: int = -1,
        *,
        tta: str | bool = False,
        raw: bool = False,
    ) -> tuple[Predictions, Flags]:
        """Predict images as `predict` does, with sets of classes that hold the true one so often.

        In a set is what at least half of the models have in their own, and what is answered.

        Args:
            inputs: As for `predict`.
            coverage: How often one model's set is to hold the true class; the config's if None.
            folds: As for `predict`.
            stage: As for `predict`.
            tta: As for `predict`.
            raw: As for `predict`; what is answered is so from one half on.

        Returns:
            The predictions, and whether a class is in a sample's set [N, all classes].

        Raises:
            FivefoldError: As `predict`.
        """
        return predict_sets(
            self.folder,
            _opened(inputs),
            self._places(folds, stage),
            config=self.config,
            views=self._views(tta),
            progress=self.progress,
            decisions=self.decisions(stage, coverage=coverage, raw=raw),
        )

    def predict_masks(  # noqa: PLR0913  each is a choice of the user's
        self,
        inputs: Source | Path | str | Sequence[Path],
        folds: Sequence[int] | None = None,
        stage: int = -1,
        *,
        tta: str | bool = False,
        raw: bool = False,
        tiles: float | bool = False,
        threshold: float | None = None,
        smallest_area: int | None = None,
    ) -> PredictedMasks:
        """Predict the masks of images with the mean of several folds' models.

        Args:
            inputs: As for `predict`.
            folds: As for `predict`.
            stage: As for `predict`.
            tta: As for `predict`; maps are turned back.
            raw: Leave out what was decided: a class is where it is more probable than one half.
            tiles: Cut each image into tiles of as many pixels as a typical image trained on had,
                which share this fraction of their sides at least, 0 to 0.5; True: a quarter. Each
                is resized as in training, and its map back. False does so with whole images.
            threshold: A pixel shows a class where it is more probable; the decisions' thresholds if
                not given. Exclusive classes need none.
            smallest_area: Connected parts of fewer pixels are left out; what the decisions say if
                not given.

        Returns:
            What gives a `PredictedMask` for each image, one after the other.

        Raises:
            ConfigError: If an argument is none of these.
            DataError: If the experiment makes no masks, or there is nothing to predict; also while
                images are predicted.
            StateError: If a model is not trained or damaged.
        """
        self._check_task(masks=True)
        ensemble = load_mask_ensemble(
            self.folder,
            self._places(folds, stage),
            config=self.config,
            views=self._views(tta),
            tiles=overlap_of(tiles),
        )
        decided = USUAL_RULE if raw else self._mask_rule(stage, ensemble.tile)
        rule = given_rule(decided, ensemble.head, threshold, smallest_area)
        largest = largest_trained_on(self.folder) if ensemble.tiles is None else None
        return PredictedMasks(ensemble, _opened(inputs), rule, self.progress, largest)

    def predict_all(
        self,
        dataset: Any,
        folds: Sequence[int] | None = None,
        stage: int = -1,
        *,
        tta: str | bool,
        raw: bool = False,
    ) -> Floats:
        """Predict every sample of a data set, in its own order; see `predict`.

        Returns:
            Probabilities [N, all classes].

        Raises:
            DataError: If a sample cannot be read, since then rows would not line up.
        """
        source = wrap(dataset, self.progress, labelled=False)
        found = self._predict(source, folds, stage, self._views(tta), raw=raw)
        return require_all(found, source)

    def decisions(
        self, stage: int = -1, *, coverage: float | None = None, raw: bool = False
    ) -> Decisions:
        """Give temperatures, thresholds and levels of prediction sets for a stage's predictions.

        They are those of `decisions.json`; where others are asked for they are chosen again, on
        the out-of-fold predictions.

        Args:
            stage: Whose weights predict; -1 is the last.
            coverage: How often the true class is to be in a prediction set; the config's if None.
            raw: For probabilities as the models say them.

        Raises:
            StateError: If nothing is trained, or a file is missing or damaged.
        """
        wishes = Wishes() if raw else Wishes.by(self.config)
        wanted = replace(wishes, coverage=coverage or self.config.coverage)
        index, folds = self._stage_index(stage), self._trained_folds(None, stage)
        key = (index, folds, wanted)  # more folds may be trained meanwhile
        if key not in self._decided:
            self._decided[key] = decisions_for(self.folder, folds, index, wanted)
        return self._decided[key]

    def load_model(self, fold: int = 0, stage: int = -1) -> Classifier:
        """Load the best model of a fold's stage, ready to predict."""
        model = load_model(self.folder, fold, self._stage_index(stage))
        return on_device(model, choices_to_predict(self.folder))

    def _predict(
        self,
        source: Source,
        folds: Sequence[int] | None,
        stage: int,
        views: Sequence[View],
        *,
        raw: bool,
    ) -> Predictions:
        is_scaled = self.config.calibration == "temperature" and not raw
        return predict_source(
            self.folder,
            source,
            self._places(folds, stage),
            config=self.config,
            views=views,
            progress=self.progress,
            decisions=self.decisions(stage) if is_scaled else None,
        )

    def _mask_rule(self, stage: int, tile: tuple[int, int] | None) -> MaskRule:
        """Find what was decided of masks; a tile shows things as large as in training."""
        if Wishes.by(self.config).changes_nothing:
            return USUAL_RULE
        decisions = self.decisions(stage)
        decided = decisions.heads[0]
        counted_at = decisions.wishes.counted_at
        if tile == counted_at:
            return MaskRule(decided.thresholds, decided.areas)
        return MaskRule(decided.thresholds, decided.areas, counted_at, tile)

    def _check_task(self, *, masks: bool) -> None:
        """Refuse what is made for masks where there are labels, and the reverse."""
        if self.config.makes_masks == masks:
            return
        if masks:
            msg = f"{self.folder.root}: expected an experiment that makes masks, got labels"
            raise DataError(msg, hint="`predict` gives them", slug="data/labels-predicted")
        msg = f"{self.folder.root}: expected an experiment that labels images, got one of masks"
        raise DataError(msg, hint="`predict_masks` gives them", slug="data/masks-predicted")

    def _places(self, folds: Sequence[int] | None, stage: int) -> list[tuple[int, int]]:
        index = self._stage_index(stage)
        return [(fold, index) for fold in self._trained_folds(folds, stage)]

    def _views(self, tta: str | bool) -> Sequence[View]:  # noqa: FBT001  as `predict` takes it
        return views_of(tta or self.config.test_time_augmentation)

    def _stage_index(self, stage: int) -> int:
        return stage_index(self.folder, self.config, stage)

    def _trained_folds(self, folds: Sequence[int] | None, stage: int) -> tuple[int, ...]:
        return trained_folds(self.folder, self.config, folds, stage)


def _opened(inputs: Any) -> Source:
    """Open what is to be predicted.

    Raises:
        ConfigError: If it is neither a source nor paths.
        DataError: As `open_inputs`.
    """
    if isinstance(inputs, Source):
        return inputs
    if isinstance(inputs, str | PathLike):
        return open_inputs(as_path("inputs", inputs))
    if not isinstance(inputs, Sequence) or not inputs:
        refuse_argument("inputs", "a path, or several", inputs)
    return open_inputs([as_path("inputs", one) for one in inputs])
