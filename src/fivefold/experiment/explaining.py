"""Where an experiment's models look: in new images, and in those that they have not seen."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NoReturn, get_args

import numpy as np
import torch

from fivefold.augment import build_transforms
from fivefold.build.pixels import build_preprocess, show_alpha
from fivefold.core.arguments import refuse_argument
from fivefold.core.cells import each_cell
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.core.predictions import mean_of
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Floats, Head, Image, head_slices
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.engine.device import images_of
from fivefold.engine.explaining import Looker, Method, of_each
from fivefold.engine.incoming import read_batches
from fivefold.engine.laying import lay, traced
from fivefold.engine.predictor import view_probs
from fivefold.experiment.applying import scaled
from fivefold.experiment.inference import Ensemble
from fivefold.experiment.readable import Readable, nothing_readable, tell_listing
from fivefold.models import Classifier

_BATCH = 8  # images whose pixels wait at a time


@dataclass(frozen=True)
class Question:
    """What is to be shown of each image.

    Attributes:
        classes: Their names; empty: those that the models answer, and those that are true.
        at_least: All classes of this probability, 0-1, in place of named ones.
        head: Only of this output; "" is all.
        method: "gradcam", "layercam", or "rollout", whose map is the same for every class.
        layer: Of the backbone; "" finds the last one whose map decides.
    """

    classes: tuple[str, ...] = ()
    at_least: float | None = None
    head: str = ""
    method: Method = "gradcam"
    layer: str = ""


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Where an image speaks for a class.

    Attributes:
        head: The name of the output; "" where there is only one.
        class_name: The class; of a roll-out what the models answer, though it is not about that.
        probability: What the models give to it, 0-1.
        is_true: Whether it is true; None where nobody knows.
        heat: How much each place speaks for it, 0-1 [H, W]; 0 everywhere where nothing does.
    """

    head: str
    class_name: str
    probability: float
    is_true: bool | None
    heat: Floats


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where models look in one image.

    Attributes:
        number: Which image it is of those that were asked for, from 0.
        sample_id: Of the image.
        image: As it was read, at its own size [H, W, C].
        maps: One for each class that was asked for; none where no class was likely enough.
        folds: Whose models looked.
        layer: Of the backbone; "" for a roll-out.
    """

    number: int
    sample_id: str
    image: Image
    maps: tuple[ClassMap, ...]
    folds: tuple[int, ...]
    layer: str

    @property
    def heat(self) -> Floats:
        """The first map [H, W], 0-1."""
        return self.maps[0].heat


def check_question(question: Question, heads: Sequence[Head]) -> None:
    """Make sure that an experiment can answer a question.

    Raises:
        ConfigError: If there is no such class, output or method, or they exclude each other.
    """
    names = [head.name for head in heads if head.name]
    if question.head and question.head not in names:
        _refuse("config/no-such-head", "head", question.head, names)
    if question.method not in get_args(Method):
        _refuse("config/bad-value", "method", question.method, get_args(Method))
    known = [name for head in _asked(question, heads) for name in head.class_names]
    for name in question.classes:
        if name not in known:
            _refuse("config/no-such-class", "class", name, known)
    if question.at_least is not None and not 0 <= question.at_least <= 1:
        refuse_argument("at_least", "from 0 to 1", question.at_least)
    of_classes = question.classes or question.at_least is not None or question.head
    stray = [("layer", question.layer), ("class", of_classes)]
    given = [name for name, value in stray if value]
    if question.method == "rollout" and given:
        message = f"{given[0]}: expected none beside 'rollout', which takes all layers and classes"
        raise ConfigError([Problem("cli/stray-option", "", message, "leave it out")])
    if question.classes and question.at_least is not None:
        message = "class: expected either names or a probability, got both"
        raise ConfigError([Problem("cli/stray-option", "", message, "leave one of them out")])


@dataclass(frozen=True, eq=False)
class Looking:
    """Who looks, and for what.

    Attributes:
        ensemble: The models, whose maps are averaged.
        folds: Theirs.
        question: What to show.
        thresholds: A class of a sigmoid head is answered above its own [all classes]; None: above
            one half.
    """

    ensemble: Ensemble
    folds: tuple[int, ...]
    question: Question
    thresholds: AnyArray | None = None


def explain_source(looking: Looking, source: Source, progress: Progress) -> Generator[Explanation]:
    """Show where models look in every readable image of a source; none is kept.

    Args:
        looking: Who looks, and for what.
        source: The images; their truth is used where it is known.
        progress: Who watches.

    Raises:
        ConfigError: If the network has no such layer or map.
        DataError: If no image can be read.
    """
    tell_listing(source)
    if not len(source):
        raise nothing_readable(source)
    eye, shape = _Eye(looking, source), looking.ensemble.spec.shape
    show_alpha(source, shape)
    # Transforms are left to the eye, which has to know where pixels were before them.
    preprocess, threads = build_preprocess(shape), min(_BATCH, decoding_threads())
    incoming = read_batches(source, preprocess, batch=_BATCH, threads=threads)
    with closing(incoming), progress.bar("explain", len(source)) as advance:
        for batch in Readable(source, advance).batches(incoming):
            for position, resized in zip(batch.indices.tolist(), batch.images, strict=True):
                yield eye.explain(position, resized)
                advance(1)


class _Eye:
    """Explains single images.

    Args:
        looking: Who looks, and for what.
        source: Where images are read at their own size.

    Raises:
        ConfigError: If the models cannot answer the question.
    """

    def __init__(self, looking: Looking, source: Source) -> None:
        ensemble, question = looking.ensemble, looking.question
        check_question(question, ensemble.heads)
        self._looking, self._source = looking, source
        self._looker = Looker(ensemble.models, question.method, question.layer)
        spec = ensemble.spec
        self._transform = each_cell(build_transforms(spec.transforms), spec.crops)
        self._columns = [(head, name) for head in ensemble.heads for name in head.class_names]
        # Truth that was told under other names says nothing about these classes.
        same = [one.class_names for one in source.labels] == [h.class_names for h in ensemble.heads]
        self._truth_known = same

    def explain(self, position: int, resized: Image) -> Explanation:
        """Show where the models look in one image.

        Args:
            position: Of the image in the source.
            resized: Its pixels before the transforms.
        """
        pixels = self._transform(resized)
        probs = self._probs(pixels)
        truth = self._source.target(position) if self._truth_known else None
        columns = chosen_columns(self._looking, probs, truth)
        image = self._source.image(position)
        maps = []
        if columns:
            small = self._looker.look(pixels, columns)
            heats = lay(small, image.shape[:2], traced(self._looking.ensemble.spec, resized))
            maps = [
                self._class_map(*each, probs, truth) for each in zip(columns, heats, strict=True)
            ]
        name, layer = self._source.sample_ids[position], self._looker.layer
        return Explanation(position, name, image, tuple(maps), self._looking.folds, layer)

    def _probs(self, pixels: Image) -> Floats:
        """Predict one image as the experiment does [all classes]."""
        batch = Batch(np.zeros(1, np.int64), pixels[None], None)
        ensemble = self._looking.ensemble

        def predict(model: Classifier) -> Floats:
            # Not in inference mode: what a net keeps of it could have no gradient afterwards.
            with torch.no_grad():
                probs = view_probs(model, images_of(batch), ensemble.views)
            return scaled(probs, ensemble.heads, ensemble.temperatures)

        found: Floats = mean_of(of_each(ensemble.models, predict))[0]
        return found

    def _class_map(
        self, column: int, heat: Floats, probs: Floats, truth: Floats | None
    ) -> ClassMap:
        head, name = self._columns[column]
        is_true = None if truth is None else bool(truth[column] > 0.5)
        return ClassMap(head.name, name, float(probs[column]), is_true, heat)


def chosen_columns(looking: Looking, probs: Floats, truth: Floats | None = None) -> list[int]:
    """Choose the classes to show of one sample, among all heads' columns, the likeliest first.

    Args:
        looking: Its question names them, or says how likely they must be. Otherwise they are the
            answers: of a softmax head the likeliest class, of others those above their thresholds,
            else the likeliest; and behind them what is true and was not answered.
        probs: Of the sample [all classes].
        truth: 0 or 1 [all classes], where it is known.
    """
    question, heads = looking.question, looking.ensemble.heads
    limits = np.full(len(probs), 0.5) if looking.thresholds is None else looking.thresholds
    answered: list[int] = []
    missed: list[int] = []
    for head, columns in zip(heads, head_slices(heads), strict=True):
        if question.head not in ("", head.name):
            continue
        order = (columns.start + np.argsort(-probs[columns], kind="stable")).tolist()
        names = dict(zip(range(columns.start, columns.stop), head.class_names, strict=True))
        if question.classes:
            answered += [k for k in order if names[k] in question.classes]
        elif question.at_least is not None:
            answered += [k for k in order if probs[k] >= question.at_least]
        else:
            above = [k for k in order if head.activation == "sigmoid" and probs[k] > limits[k]]
            answers = above or order[:1]
            answered += answers
            true = [] if truth is None else [k for k in order if truth[k] > 0.5]
            missed += [k for k in true if k not in answers]
    found = answered + missed
    return found[:1] if question.method == "rollout" else found


def _asked(question: Question, heads: Sequence[Head]) -> list[Head]:
    return [head for head in heads if question.head in ("", head.name)]


def _refuse(slug: str, what: str, got: str, known: Sequence[str]) -> NoReturn:
    few = ", ".join(repr(name) for name in known[:5]) + (", …" if len(known) > 5 else "")
    wanted = f"one of {few}" if known else "none, since there is one output"
    message = f"{what}: expected {wanted}, got {got!r}"
    raise ConfigError([Problem(slug, "", message, did_you_mean(got, known))])
