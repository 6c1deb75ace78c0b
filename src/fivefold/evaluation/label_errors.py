"""Labels that may be wrong: those that models contradict which have not seen them."""

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from fivefold.core.arguments import refuse_argument
from fivefold.core.errors import DataError, NumericError
from fivefold.core.optional import require
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Head, Indices
from fivefold.evaluation.confident import (
    NOBODY,
    Contradicted,
    Question,
    Share,
    contradicted,
    doubt_about,
    share_of,
    wrong_parts,
)

Ranking: TypeAlias = Literal["own", "cleanlab"]
"""Who says which labels are suspects; both say the same."""
Flagged: TypeAlias = tuple[Indices, Indices]
"""Rows whose labels are suspects, and the classes that are most likely for them [S]."""
Told: TypeAlias = tuple[int, tuple[str, ...], tuple[str, ...], float, float]
"""A suspect's row and what `Suspect` has from `given` to `score`."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that may be wrong.

    Attributes:
        sample_id: The sample's id.
        head: Which of several questions; empty for the only one.
        given: The classes that the label says.
        suggested: The classes that the models say.
        confidence: How sure they are of it, 0-1: the probability of the suggested class; of
            several answers that differ, the lowest.
        score: How good the label is, 0-1: the worst has 0. The given class's probability minus the
            most likely other one's, put into 0-1; of several answers that differ, the lowest.
        fold: Whose model has not seen it; -1 if none has, as of a holdout, or nobody said.
    """

    sample_id: str
    head: str
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    confidence: float
    score: float
    fold: int = -1


@dataclass(frozen=True)
class HeadErrors:
    """What is to be expected of one head's labels.

    Attributes:
        name: The head's; empty for the only one.
        samples: How many were looked at.
        suspects: How many of them have a suspicious label.
        wrong: The estimated share of labels that are wrong, or of answers. None where nothing can
            be said, or where models are too weak to count them.
        undefined: Why not; else empty.
        skipped: Classes that were not asked, since all samples or none have them, or since models
            say the same of all samples.
        binary: Whether each sample has an answer for each class, as in a sigmoid head.
        agreement: The part of the labels, or answers, that are the most likely ones for models too,
            0-1; None where nothing can be said.
        doubt: Why there is no estimate though there may be suspects; see `doubt_about`.
    """

    name: str
    samples: int
    suspects: int
    wrong: Share | None
    undefined: str = ""
    skipped: tuple[str, ...] = ()
    binary: bool = False
    agreement: float | None = None
    doubt: str = ""


@dataclass(frozen=True)
class LabelErrors:
    """Which labels may be wrong, and how many are.

    Attributes:
        suspects: The worst first; of equal ones, by id.
        heads: What is to be expected of each head.
        ranking: Who said it.
    """

    suspects: tuple[Suspect, ...]
    heads: tuple[HeadErrors, ...]
    ranking: Ranking


def suspects_of(
    predictions: Predictions, *, fold_of: Mapping[str, int] | None = None
) -> tuple[Suspect, ...]:
    """Find labels that may be wrong, the worst first; see `find_label_errors`.

    Args:
        predictions: By models that have not seen the samples; with targets.
        fold_of: Sample id to the fold whose model predicted it.

    Raises:
        DataError: As `find_label_errors`.
    """
    return find_label_errors(predictions, fold_of=fold_of).suspects


def find_label_errors(
    predictions: Predictions,
    *,
    fold_of: Mapping[str, int] | None = None,
    ranking: Ranking = "own",
) -> LabelErrors:
    """Find labels that may be wrong, and estimate how many are.

    Of each class as many labels are suspects as confident learning estimates to be wrong, see
    `contradicted`. Of a sigmoid head each class is a question of its own with two answers. The
    order of the samples does not matter: of equally probable ones the first by id are suspects.

    Args:
        predictions: By models that have not seen the samples; with targets.
        fold_of: Sample id to the fold whose model predicted it.
        ranking: Who decides; "cleanlab" asks the package of that name.

    Raises:
        ConfigError: If there is no such ranking.
        DataError: If there are no targets, or a sample has not exactly one class of a softmax head.
        NumericError: If a probability is NaN or infinite.
        MissingExtraError: If cleanlab is asked for and not installed.
    """
    if ranking not in _ANSWERS:
        refuse_argument("ranking", "'own' or 'cleanlab'", ranking)
    folds = {} if fold_of is None else fold_of
    parts = [_of_head(part, folds, ranking) for part in predictions.sorted().by_head()]
    found = [suspect for suspects, _ in parts for suspect in suspects]
    found.sort(key=lambda suspect: (suspect.score, suspect.sample_id, suspect.head))
    return LabelErrors(tuple(found), tuple(head for _, head in parts), ranking)


def default_ranking() -> Ranking:
    """Name cleanlab where it is installed; looks without loading it."""
    return "cleanlab" if importlib.util.find_spec("cleanlab") else "own"


def _of_head(
    predictions: Predictions, folds: Mapping[str, int], ranking: Ranking
) -> tuple[list[Suspect], HeadErrors]:
    _check_numbers(predictions)
    head, ids, count = predictions.heads[0], predictions.ids, len(predictions)
    estimates: list[float] = []
    agreed: list[float] = []
    moved = np.zeros(count)
    flagged: dict[int, Flagged] = {}
    for column, question in _questions(predictions):
        if _can_be_told(question):
            found = _ANSWERS[ranking](question)
            value, own = wrong_parts(question, found.sure)
            estimates.append(value)
            agreed.append(float((found.likely == question.given).mean()))
            moved += own
            rows = np.flatnonzero(found.suspect)
            flagged[column] = rows, found.likely[rows]
    binary = head.activation == "sigmoid"
    if not flagged:
        why = _why_not(predictions)
        return [], HeadErrors(head.name, count, 0, None, why, binary=binary)
    told = _several_classes if binary else _one_class
    suspects = [
        Suspect(ids[i], head.name, given, suggested, sure, score, folds.get(ids[i], NOBODY))
        for i, given, suggested, sure, score in told(predictions, flagged)
    ]
    wrong = share_of(float(np.mean(estimates)), moved / len(estimates))
    agreement = float(np.mean(agreed))
    doubt = doubt_about(wrong, agreement)
    return suspects, HeadErrors(
        head.name,
        count,
        len(suspects),
        None if doubt else wrong,
        skipped=_skipped(head, flagged),
        binary=binary,
        agreement=agreement,
        doubt=doubt,
    )


def _can_be_told(question: Question) -> bool:
    """Say whether samples differ, in their labels and in what models say of them."""
    given, probs = question.given, question.probs
    return bool(len(given) and given.min() < given.max() and (probs != probs[0]).any())


def _check_numbers(predictions: Predictions) -> None:
    wrong = ~np.isfinite(predictions.probs).all(axis=1)
    if wrong.any():
        first = predictions.ids[int(np.argmax(wrong))]
        msg = f"label errors: {first}: expected finite probabilities, got NaN or infinity"
        raise NumericError(msg, hint="predict these samples again", slug="numeric/predictions")


def _questions(predictions: Predictions) -> Iterator[tuple[int, Question]]:
    """Give the questions of one head, each with its column; a softmax head is a single one.

    Raises:
        DataError: If a sample has not exactly one class of a softmax head.
    """
    targets = predictions.truth > 0.5
    if predictions.heads[0].activation == "sigmoid":
        for column, (said, given) in enumerate(zip(predictions.probs.T, targets.T, strict=True)):
            yield column, Question(np.stack([1 - said, said], axis=1), given.astype(np.int64))
        return
    classes = targets.sum(axis=1)
    if (classes != 1).any():
        place = int(np.argmax(classes != 1))
        msg = f"label errors: {predictions.ids[place]}: expected exactly 1 true class"
        msg += f", got {classes[place]}"
        raise DataError(msg, slug="data/not-single-label")
    yield 0, Question(predictions.probs, targets.argmax(axis=1))


def _asked_cleanlab(question: Question) -> Contradicted:
    """Let cleanlab choose the suspects; what models are sure of is said as ever.

    Its variant for several labels asks the same of each class. Which samples of exactly the same
    probability are suspects, where not all of them are, is its own choice.
    """
    cleanlab = require("cleanlab.filter", extra="clean")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class of one sample is not asked
        suspect = cleanlab.find_label_issues(
            question.given,
            question.probs.astype(np.float64),
            filter_by="prune_by_class",
            n_jobs=1,
        )
    return replace(contradicted(question), suspect=suspect)


_ANSWERS: Mapping[Ranking, Callable[[Question], Contradicted]] = {
    "own": contradicted,
    "cleanlab": _asked_cleanlab,
}


def _one_class(predictions: Predictions, flagged: Mapping[int, Flagged]) -> Iterator[Told]:
    """Word the suspects of a softmax head."""
    names, probs = predictions.heads[0].class_names, predictions.probs
    rows, likely = flagged[0]
    given = predictions.truth[rows].argmax(axis=1)
    for i, old, new in zip(rows.tolist(), given.tolist(), likely.tolist(), strict=True):
        sure = float(probs[i, new])
        yield i, (names[old],), (names[new],), sure, (float(probs[i, old]) - sure + 1) / 2


def _several_classes(predictions: Predictions, flagged: Mapping[int, Flagged]) -> Iterator[Told]:
    """Word the suspects of a sigmoid head: all answers of a sample that differ together."""
    names = predictions.heads[0].class_names
    columns: dict[int, list[int]] = {}
    for column, (rows, _) in flagged.items():
        for i in rows.tolist():
            columns.setdefault(i, []).append(column)
    for i, differ in sorted(columns.items()):
        given = predictions.truth[i] > 0.5
        suggested = given.copy()
        suggested[differ] = ~given[differ]
        probs = predictions.probs[i, differ].astype(np.float64)
        sure = float(np.where(given[differ], 1 - probs, probs).min())
        worst = float(np.where(given[differ], probs, 1 - probs).min())
        yield i, _named(names, given), _named(names, suggested), sure, worst


def _named(names: Sequence[str], holds: AnyArray) -> tuple[str, ...]:
    return tuple(names[k] for k in np.flatnonzero(holds).tolist())


def _skipped(head: Head, flagged: Mapping[int, Flagged]) -> tuple[str, ...]:
    if head.activation != "sigmoid":
        return ()
    return tuple(name for k, name in enumerate(head.class_names) if k not in flagged)


def _why_not(predictions: Predictions) -> str:
    """Say why nothing can be said of a head's labels."""
    if not len(predictions):
        return "there are no samples"
    if (predictions.truth != predictions.truth[0]).any():
        return "models say the same of all samples"
    if predictions.heads[0].activation == "sigmoid":
        return "all samples have the same labels"
    (only,) = _named(predictions.heads[0].class_names, predictions.truth[0] > 0.5)
    return f"all samples have the class {only!r}"
