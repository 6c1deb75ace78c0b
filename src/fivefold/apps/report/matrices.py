"""What is taken for what: confusion matrices, worst mistakes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.core.predictions import Predictions
from fivefold.engine.examples import decided, worst_answers

MAX_CLASSES = 100
"""More do not fit a page: then those with most mistakes are shown."""


@dataclass(frozen=True)
class Matrix:
    """Counts of truth (rows) against prediction (columns) [C, C].

    Attributes:
        class_names: The classes shown.
        classes: Their numbers [C].
        counts: How many samples.
        totals: Samples of each class, those in columns not shown included [C].
        left_out: How many classes are not shown.
    """

    class_names: tuple[str, ...]
    classes: tuple[int, ...]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]
    left_out: int

    @property
    def shares(self) -> NDArray[np.float64]:
        """Counts as fractions of their class, 0-1."""
        return self.counts / np.maximum(self.totals, 1)[:, None]

    def confused(self, limit: int = 8) -> list["Pair"]:
        """List the commonest confusions."""
        off = self.counts - np.diag(np.diag(self.counts))
        order = np.argsort(-off, axis=None, kind="stable")[:limit]
        pairs = (divmod(int(i), len(self.class_names)) for i in order)
        names, shares, numbers = self.class_names, self.shares, self.classes
        return [
            Pair(names[t], names[p], (numbers[t], numbers[p]), int(off[t, p]), float(shares[t, p]))
            for t, p in pairs
            if off[t, p]
        ]


@dataclass(frozen=True)
class Pair:
    """One class that is taken for another.

    Attributes:
        truth: The class.
        taken: What it is taken for.
        classes: The numbers of both.
        count: How many samples.
        share: Of the class, 0-1.
    """

    truth: str
    taken: str
    classes: tuple[int, int]
    count: int
    share: float


@dataclass(frozen=True)
class Answer:
    """What one head says of a sample: its name, what is true, what it answers."""

    head: str
    truth: str
    predicted: str

    @property
    def is_right(self) -> bool:
        """Whether it is so."""
        return self.truth == self.predicted


@dataclass(frozen=True)
class Mistake:
    """One sample that the model is wrong about.

    Attributes:
        row: Its place in the predictions.
        sample_id: Its id.
        answers: Of all heads, the wrong ones first.
        confidence: Of the surest wrong answer, 0-1.
        sure_of: What it is sure of, where that is one of several labels or outputs; else empty.
    """

    row: int
    sample_id: str
    answers: tuple[Answer, ...]
    confidence: float
    sure_of: str = ""


def confusion(predictions: Predictions) -> Matrix | None:
    """Count what is taken for what by one head; None where several labels may be true."""
    names = predictions.class_names
    if predictions.heads[0].activation == "sigmoid":
        return None
    truth, found = predictions.truth.argmax(axis=1), predictions.probs.argmax(axis=1)
    counts = np.bincount(truth * len(names) + found, minlength=len(names) ** 2)
    counts = counts.reshape(len(names), -1)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-wrong, kind="stable")[:MAX_CLASSES])
    return Matrix(
        class_names=tuple(names[i] for i in kept),
        classes=tuple(kept.tolist()),
        counts=counts[np.ix_(kept, kept)],
        totals=counts.sum(axis=1)[kept],
        left_out=len(names) - len(kept),
    )


def worst_mistakes(predictions: Predictions, limit: int = 20) -> list[Mistake]:
    """List the most confident mistakes, the worst first."""
    confidence, columns = worst_answers(predictions)
    order = sorted(
        np.flatnonzero(confidence).tolist(), key=lambda i: (-confidence[i], predictions.ids[i])
    )
    mistakes = []
    for i in order[:limit]:
        answers = [_answer(part) for part in predictions.take([i]).by_head()]
        wrong_first = tuple(sorted(answers, key=lambda answer: answer.is_right))
        sure_of = _sure_of(predictions, i, int(columns[i]))
        mistakes.append(Mistake(i, predictions.ids[i], wrong_first, float(confidence[i]), sure_of))
    return mistakes


def _sure_of(predictions: Predictions, row: int, column: int) -> str:
    """Name the class of a wrong answer; nothing of the only answer, which stands there anyway."""
    if len(predictions.heads) == 1 and predictions.heads[0].activation != "sigmoid":
        return ""
    names = [(head, name) for head in predictions.heads for name in head.class_names]
    head, name = names[column]
    invented = head.activation != "sigmoid" or predictions.probs[row, column] > 0.5
    return name if invented else f"no {name}"


def _answer(sample: Predictions) -> Answer:
    """Word one head's truth and answer of one sample."""
    truth, found = sample.truth[0] > 0.5, decided(sample)[0] > 0.5
    return Answer(sample.heads[0].name, _labels(sample, truth), _labels(sample, found))


def _labels(sample: Predictions, chosen: NDArray[np.bool_]) -> str:
    names = [name for name, is_chosen in zip(sample.class_names, chosen, strict=True) if is_chosen]
    return ", ".join(names) or "none"
