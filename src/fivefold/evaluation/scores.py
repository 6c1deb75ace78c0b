"""Metrics of answers: what was counted right and wrong of each class, and of each sample.

Definitions are scikit-learn's; a ratio whose denominator is zero counts 0, unless said otherwise.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray
from fivefold.evaluation.metrics import Doubles, Flags, answers_of, checked, metrics


class _Counts(NamedTuple):
    """How many answers were right and wrong: one number for each class, sample, or in all."""

    tp: Doubles
    fp: Doubles
    fn: Doubles
    tn: Doubles

    def f_score(self, beta: float = 1.0) -> Doubles:
        """(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)."""
        square = beta**2
        hits = (1 + square) * self.tp
        return _ratio(hits, hits + square * self.fn + self.fp)

    def precision(self) -> Doubles:
        return _ratio(self.tp, self.tp + self.fp)

    def recall(self) -> Doubles:
        return _ratio(self.tp, self.tp + self.fn)


@metrics.add("f1", "f1_score", "dice_score", best="max")
def macro_f1(predictions: Predictions) -> float:
    """Mean of the classes' F1; a class that is neither true nor predicted anywhere counts 0."""
    return _mean(_by_class(predictions).f_score())


@metrics.add(best="max")
def micro_f1(predictions: Predictions) -> float:
    """F1 of all answers together: 2 TP / (2 TP + FP + FN)."""
    return _mean(_together(predictions).f_score())


@metrics.add(best="max")
def weighted_f1(predictions: Predictions) -> float:
    """Mean of the classes' F1, each weighted by how often the class is true."""
    counts = _by_class(predictions)
    return _weighted(counts.f_score(), counts)


@metrics.add(best="max")
def samples_f1(predictions: Predictions) -> float:
    """Mean of the samples' F1, for samples with several classes."""
    return _mean(_by_sample(predictions).f_score())


@metrics.add("macro_f2", best="max")
def f2_score(predictions: Predictions) -> float:
    """Mean of the classes' F2, for which recall counts twice as much as precision."""
    return _mean(_by_class(predictions).f_score(beta=2))


@metrics.add("precision", best="max")
def macro_precision(predictions: Predictions) -> float:
    """Mean of the classes' precision: how many of the answers are right, TP / (TP + FP)."""
    return _mean(_by_class(predictions).precision())


@metrics.add(best="max")
def micro_precision(predictions: Predictions) -> float:
    """Precision of all answers together."""
    return _mean(_together(predictions).precision())


@metrics.add(best="max")
def weighted_precision(predictions: Predictions) -> float:
    """Mean of the classes' precision, each weighted by how often the class is true."""
    counts = _by_class(predictions)
    return _weighted(counts.precision(), counts)


@metrics.add(best="max")
def samples_precision(predictions: Predictions) -> float:
    """Mean of the samples' precision, for samples with several classes."""
    return _mean(_by_sample(predictions).precision())


@metrics.add("recall", "sensitivity", best="max")
def macro_recall(predictions: Predictions) -> float:
    """Mean of the classes' recall: how many of the true ones are found, TP / (TP + FN)."""
    return _mean(_by_class(predictions).recall())


@metrics.add(best="max")
def micro_recall(predictions: Predictions) -> float:
    """Recall of all answers together."""
    return _mean(_together(predictions).recall())


@metrics.add(best="max")
def weighted_recall(predictions: Predictions) -> float:
    """Mean of the classes' recall, each weighted by how often the class is true."""
    counts = _by_class(predictions)
    return _weighted(counts.recall(), counts)


@metrics.add(best="max")
def samples_recall(predictions: Predictions) -> float:
    """Mean of the samples' recall, for samples with several classes."""
    return _mean(_by_sample(predictions).recall())


@metrics.add(best="max")
def specificity(predictions: Predictions) -> float:
    """Mean of the classes' specificity: how many of the false ones are left out, TN / (TN + FP).

    Classes that are true of every sample are left out; NaN if there are no others.
    """
    counts = _by_class(predictions)
    return _mean(_ratio(counts.tn, counts.tn + counts.fp), counts.tn + counts.fp > 0)


@metrics.add("mean_per_class_accuracy", "mpca", best="max")
def balanced_accuracy(predictions: Predictions) -> float:
    """Mean of the recall of the classes that occur; of a sigmoid head, of yes and no as well.

    Of a sigmoid head it is the mean over classes of the mean of recall and specificity, each where
    there is something to find. NaN where no class is true of any sample of a softmax head.
    """
    counts = _by_class(predictions)
    recall, occurs = counts.recall(), counts.tp + counts.fn > 0
    if predictions.heads[0].activation != "sigmoid":
        return _mean(recall, occurs)
    parts = np.array([recall, _ratio(counts.tn, counts.tn + counts.fp)])
    there = np.array([occurs, counts.tn + counts.fp > 0])
    return _mean(np.where(there, parts, 0).sum(axis=0) / there.sum(axis=0))


@metrics.add(best="max")
def matthews_correlation(predictions: Predictions) -> float:
    """Musket's: correlation, -1 to 1, of all truths with all probabilities above one half.

    (TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)) over all classes together
    (Matthews, 1975, https://doi.org/10.1016/0005-2795(75)90109-9); 0 where a factor is 0.
    """
    probs, truth = checked(predictions)
    return float(_matthews(_counts(probs > 0.5, truth > 0.5, (0, 1))))


@metrics.add("mcc", best="max")
def matthews_corrcoef(predictions: Predictions) -> float:
    """Correlation of the predicted class with the true one, -1 to 1; of a sigmoid head the mean.

    For several classes Gorodkin's (2004, https://doi.org/10.1016/j.compbiolchem.2004.09.006):
    (c s - sum t p) / sqrt((s^2 - sum p^2)(s^2 - sum t^2)), where c of s samples are right and t and
    p count how often each class is true and predicted; 0 where a factor is 0.
    """
    answers, truth = _answers_and_truth(predictions)
    if predictions.heads[0].activation == "sigmoid":
        return _mean(_matthews(_counts(answers, truth, (0,))))
    right, samples = float((answers & truth).sum()), float(len(truth))
    true, predicted = truth.sum(axis=0, dtype=np.float64), answers.sum(axis=0, dtype=np.float64)
    product = (samples**2 - predicted @ predicted) * (samples**2 - true @ true)
    return float((right * samples - true @ predicted) / np.sqrt(product)) if product > 0 else 0.0


@metrics.add("kappa", best="max")
def cohen_kappa(predictions: Predictions) -> float:
    """Agreement with the truth beyond chance, -1 to 1; of a sigmoid head the mean of the classes'.

    (o - e) / (1 - e), where o is the share of right answers and e what it would be by chance
    (Cohen, 1960, https://doi.org/10.1177/001316446002000104); 0 where chance explains all.
    """
    return _kappa(predictions, np.not_equal)


@metrics.add("quadratic_kappa", "qwk", best="max")
def quadratic_weighted_kappa(predictions: Predictions) -> float:
    """Kappa for classes with an order: an error counts by the square of its distance.

    1 - sum d^2 o / sum d^2 e (Cohen, 1968, https://doi.org/10.1037/h0026256), the classes being in
    the order of the columns.
    """
    return _kappa(predictions, lambda i, j: (i - j) ** 2)


@metrics.add(best="min")
def hamming_loss(predictions: Predictions) -> float:
    """Share of wrong answers; of a softmax head, of samples whose class is wrong."""
    answers, truth = _answers_and_truth(predictions)
    if predictions.heads[0].activation == "sigmoid":
        return float((answers != truth).mean())
    return float((answers != truth).any(axis=1).mean())


@metrics.add("subset_accuracy", "exact_match_ratio", best="max")
def exact_match(predictions: Predictions) -> float:
    """Share of samples of which every answer is right."""
    answers, truth = _answers_and_truth(predictions)
    return float((answers == truth).all(axis=1).mean())


def _kappa(predictions: Predictions, distance: Callable[[Doubles, Doubles], AnyArray]) -> float:
    answers, truth = _answers_and_truth(predictions)
    if predictions.heads[0].activation == "sigmoid":
        both = [np.stack([~array, array], axis=2) for array in (truth, answers)]
        tables = [_table(both[0][:, i], both[1][:, i]) for i in range(truth.shape[1])]
    else:
        tables = [_table(truth, answers)]
    places = np.arange(tables[0].shape[0], dtype=np.float64)
    weights = np.asarray(distance(places[:, None], places[None, :]), np.float64)
    return float(np.mean([_agreement(table, weights) for table in tables]))


def _agreement(table: Doubles, weights: Doubles) -> float:
    chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    expected = float((weights * chance).sum())
    return 1 - float((weights * table).sum()) / expected if expected > 0 else 0.0


def _table(truth: Flags, answers: Flags) -> Doubles:
    """Count how often each true class [rows] got each answer [columns]."""
    return truth.astype(np.float64).T @ answers.astype(np.float64)


def _matthews(counts: _Counts) -> Doubles:
    tp, fp, fn, tn = counts
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return np.where(product > 0, (tp * tn - fp * fn) / np.sqrt(np.maximum(product, 1)), 0.0)


def _answers_and_truth(predictions: Predictions) -> tuple[Flags, Flags]:
    probs, truth = checked(predictions)
    return answers_of(predictions, probs), answers_of(predictions, truth)


def _counts(answers: Flags, truth: Flags, axes: tuple[int, ...]) -> _Counts:
    pairs = ((answers, truth), (answers, ~truth), (~answers, truth), (~answers, ~truth))
    return _Counts(*((a & b).sum(axis=axes, dtype=np.float64) for a, b in pairs))


def _by_class(predictions: Predictions) -> _Counts:
    return _counts(*_answers_and_truth(predictions), (0,))


def _by_sample(predictions: Predictions) -> _Counts:
    return _counts(*_answers_and_truth(predictions), (1,))


def _together(predictions: Predictions) -> _Counts:
    return _counts(*_answers_and_truth(predictions), (0, 1))


def _ratio(part: Doubles, whole: Doubles) -> Doubles:
    return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0))


def _mean(values: Doubles, chosen: Flags | None = None) -> float:
    kept = values if chosen is None else values[chosen]
    return float(kept.mean()) if kept.size else float("nan")


def _weighted(values: Doubles, counts: _Counts) -> float:
    true = counts.tp + counts.fn
    return float(values @ true / true.sum()) if true.sum() else 0.0
