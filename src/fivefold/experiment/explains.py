"""The part of an experiment that shows where its models look."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.arguments import as_whole, refuse_argument
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Progress
from fivefold.data import PredictionItem, PythonSource, Source
from fivefold.data.chosen import ChosenSource
from fivefold.engine.checkpoint import load_bundle
from fivefold.experiment.applying import temperatures_of, thresholds_of
from fivefold.experiment.datasets import open_inputs, wrap
from fivefold.experiment.decisions import Decisions, Wishes
from fivefold.experiment.explaining import (
    Explanation,
    Looking,
    Question,
    check_question,
    explain_source,
)
from fivefold.experiment.inference import load_ensemble
from fivefold.experiment.labels_only import refuse_masks
from fivefold.experiment.own_samples import Group, unseen_groups, worst_mistakes
from fivefold.experiment.predicting import Predicting

_PLAIN = Question()
_OF_MASKS = "a mask says itself where something was seen; `fivefold predict --overlays` draws it"


class Explains(Predicting, ABC):
    """The part of an experiment that shows where its models look.

    Attributes:
        trained_on: The data of the last `fit`, so that they need not be opened again.
    """

    trained_on: Source | None = None

    @abstractmethod
    def source(self, dataset: Any = None) -> Source:
        """Open a data set with its labels, or else the config's own."""

    def explain(
        self,
        inputs: Any,
        question: Question = _PLAIN,
        *,
        folds: Sequence[int] | None = None,
        stage: int = -1,
    ) -> Generator[Explanation]:
        """Show where models look in images, one after the other; none is kept.

        What they answer, and how probable it is, is what `predict` says.

        Args:
            inputs: An image [H, W, C] or [H, W]; or as for `predict`: a Source, a folder, a table
                with paths, files; or a data set of Python's.
            question: For which classes, and how; the answers by Grad-CAM if not given.
            folds: Whose models, whose maps are averaged; all trained ones if not given.
            stage: Whose weights; -1 is the last.

        Returns:
            For each readable image its explanation, with maps from 0 to 1 [H, W].

        Raises:
            ConfigError: If there is no such class, output, layer or method.
            DataError: If there is no image.
            StateError: If a model is not trained or damaged.
        """
        refuse_masks(self.config, "explain", _OF_MASKS)
        index, chosen = self._stage_index(stage), self._trained_folds(folds, stage)
        self._check(question, chosen[0], index)
        source = _source_of(inputs, self.progress)
        every = tuple(range(len(source)))
        everything = Group(chosen, every, every)
        changes_nothing = Wishes.by(self.config).changes_nothing
        decided = None if changes_nothing else self.decisions(index)
        return self._explained(source, [everything], question, index, decided)

    def explain_samples(
        self,
        ids: Sequence[str] | int,
        question: Question = _PLAIN,
        *,
        dataset: Any = None,
        folds: Sequence[int] | None = None,
        stage: int = -1,
    ) -> Generator[Explanation]:
        """Show where models look in samples of the experiment that they have not seen.

        What they answer is what the out-of-fold predictions say, before anything was decided on
        these.

        Args:
            ids: Of the samples; or a number: so many of the surest mistakes out of fold.
            question: As for `explain`.
            dataset: As for `fit`, where the config names no data.
            folds: Only these models, even if they have seen a sample, which is said.
            stage: As for `explain`.

        Returns:
            Their explanations, those by the same models one after the other.

        Raises:
            DataError: If there is no such sample.
            FivefoldError: As `explain`.
        """
        refuse_masks(self.config, "explain", _OF_MASKS)
        index, chosen = self._stage_index(stage), self._trained_folds(folds, stage)
        self._check(question, chosen[0], index)
        if isinstance(ids, int | np.integer):
            if (count := as_whole("mistakes", ids)) < 1:
                refuse_argument("mistakes", "at least 1", count)
            ids = worst_mistakes(self.folder, chosen, index, count)
        if not ids:
            return (each for each in list[Explanation]())
        source = self.trained_on if dataset is None else None
        source = source or self.source(dataset)
        groups = unseen_groups(self.folder, source, list(dict.fromkeys(ids)), chosen)
        return self._explained(source, groups, question, index)

    def _check(self, question: Question, fold: int, stage: int) -> None:
        """Refuse what cannot be answered before images are looked for."""
        check_question(question, load_bundle(self.folder.bundle(fold, stage)).spec.heads)

    def _explained(
        self,
        source: Source,
        groups: Sequence[Group],
        question: Question,
        stage: int,
        decided: Decisions | None = None,
    ) -> Generator[Explanation]:
        for group in groups:
            whole = len(group.positions) == len(source)
            part = source if whole else ChosenSource(source, group.positions)
            places = [(fold, stage) for fold in group.folds]
            ensemble = load_ensemble(
                self.folder, places, config=self.config, views=self._views(tta=False)
            )
            thresholds = None
            if decided is not None:
                own = temperatures_of(decided, ensemble.heads, self.folder)
                ensemble = replace(ensemble, temperatures=own)
                thresholds = thresholds_of(decided)
            looking = Looking(ensemble, group.folds, question, thresholds)
            for one in explain_source(looking, part, self.progress):
                question = replace(question, layer=one.layer)  # the same for all models
                yield replace(one, number=group.numbers[one.number])


def _source_of(inputs: Any, progress: Progress) -> Source:
    if isinstance(inputs, Source):
        return inputs
    if isinstance(inputs, np.ndarray):
        if inputs.ndim not in (2, 3):
            message = f"inputs: expected an image [H, W] or [H, W, C], got shape {inputs.shape}"
            raise ConfigError([Problem("config/bad-value", "", message)])
        return PythonSource([PredictionItem("image", inputs)], ())
    if isinstance(inputs, str | Path):
        return open_inputs(Path(inputs))
    is_list = isinstance(inputs, list | tuple) and inputs
    if is_list and all(isinstance(one, str | Path) for one in inputs):
        return open_inputs([Path(one) for one in inputs])
    return wrap(inputs, progress, labelled=False)
