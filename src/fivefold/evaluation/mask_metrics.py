"""Metrics of masks, computed from pixels that were counted over all images.

A metric is `def name(scores) -> float`. The fact `best` says which way is better. Names are those
of metrics of whole images, and ask the same of pixels. A class of which a number is undefined, as
where it is neither true nor said, is left out of the mean over classes; without any it is NaN.

H, S, T and P are as in `evaluation.mask_counts`.
"""

from collections.abc import Mapping

import numpy as np

from fivefold.core.catalog import Catalog
from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation.count_scores import divided, head_scores, mean_over_classes
from fivefold.evaluation.mask_counts import by_class, check_measurable, is_exclusive, pooled
from fivefold.evaluation.metrics import Doubles
from fivefold.evaluation.own import guarded

mask_metrics: Catalog[float] = Catalog("metric", ("scores",), guarded)


@mask_metrics.add(
    "acc", "categorical_accuracy", "sparse_categorical_accuracy", "pixel_accuracy", best="max"
)
def accuracy(scores: MaskScores) -> float:
    """Share of pixels whose class is right; where classes do not exclude, `binary_accuracy`."""
    if not is_exclusive(scores):
        return binary_accuracy(scores)
    tally = pooled(scores)
    return float(divided(tally.hits.sum(), tally.samples))


@mask_metrics.add(best="max")
def binary_accuracy(scores: MaskScores) -> float:
    """Share of single answers that are right: is a class said of a pixel, is it true?"""
    tally = pooled(scores)
    wrong = tally.true + tally.answered - 2 * tally.hits
    return float(1 - divided(wrong.sum(), tally.samples * len(wrong)))


@mask_metrics.add("iou_coef", "iot", "iot_coef", best="max")
def iou(scores: MaskScores) -> float:
    """Intersection over union of all pixels, H / (S + T - H): mean of the classes'.

    Musket's of this name, in training, is a smoothed Dice of up to 2 of each image.
    """
    return _mean(by_class(scores, "iou"))


@mask_metrics.add("jaccard_score", "macro_iou", "mean_iou", best="max")
def iou_score(scores: MaskScores) -> float:
    """The same as `iou`: mean of the classes' intersection over union."""
    return iou(scores)


@mask_metrics.add(best="max")
def dice(scores: MaskScores) -> float:
    """Dice of all pixels, 2 H / (S + T): mean of the classes'."""
    return _mean(by_class(scores, "dice"))


@mask_metrics.add("f1", "f1_score", "dice_score", best="max")
def macro_f1(scores: MaskScores) -> float:
    """The same as `dice`, which is F1 of pixels."""
    return dice(scores)


@mask_metrics.add("macro_f2", best="max")
def f2_score(scores: MaskScores) -> float:
    """Mean of the classes' F2, 5 H / (4 T + S), for which recall counts twice as much."""
    tally = pooled(scores)
    return _mean(divided(5 * tally.hits, 4 * tally.true + tally.answered))


@mask_metrics.add("precision", best="max")
def macro_precision(scores: MaskScores) -> float:
    """Mean of the classes' precision: how many pixels are rightly said to show one, H / S."""
    return _mean(by_class(scores, "precision"))


@mask_metrics.add("recall", "sensitivity", best="max")
def macro_recall(scores: MaskScores) -> float:
    """Mean of the classes' recall: how many of the pixels that show one are found, H / T."""
    return _mean(by_class(scores, "recall"))


@mask_metrics.add(best="max")
def specificity(scores: MaskScores) -> float:
    """Mean of the classes' specificity: (P - S - T + H) / (P - T)."""
    tally = pooled(scores)
    rest = tally.samples - tally.true
    return _mean(divided(rest - tally.answered + tally.hits, rest))


@mask_metrics.add(best="max")
def micro_iou(scores: MaskScores) -> float:
    """Intersection over union with the pixels of all classes added up."""
    tally = pooled(scores)
    both = (tally.true + tally.answered).sum()
    return float(divided(tally.hits.sum(), both - tally.hits.sum()))


@mask_metrics.add(best="max")
def foreground_iou(scores: MaskScores) -> float:
    """The same as `iou`, where classes exclude each other without the first, the background."""
    return _mean(by_class(scores, "iou")[int(is_exclusive(scores)) :])


@mask_metrics.add(best="max")
def foreground_dice(scores: MaskScores) -> float:
    """The same as `dice`, where classes exclude each other without the first, the background."""
    return _mean(by_class(scores, "dice")[int(is_exclusive(scores)) :])


@mask_metrics.add(best="max")
def image_iou(scores: MaskScores) -> float:
    """Intersection over union of each image, averaged: first each class over its images.

    Its images are those of which a pixel shows it or is said to: one that has neither is left out,
    one that has one of them counts 0. With `iou_true_negative_is_one` the former count 1.
    """
    return _mean(by_class(scores, "image_iou"))


@mask_metrics.add(best="max")
def image_dice(scores: MaskScores) -> float:
    """Dice of each image, averaged as in `image_iou`."""
    return _mean(by_class(scores, "image_dice"))


@mask_metrics.add(best="max")
def soft_iou(scores: MaskScores) -> float:
    """`iou` with probabilities in the place of answers: sum t p / (sum t + sum p - sum t p)."""
    both, total = _soft(scores)
    return _mean(divided(both, total - both))


@mask_metrics.add(best="max")
def soft_dice(scores: MaskScores) -> float:
    """`dice` with probabilities in the place of answers: 2 sum t p / (sum t + sum p)."""
    both, total = _soft(scores)
    return _mean(divided(2 * both, total))


@mask_metrics.add(best="max")
def matthews_correlation(scores: MaskScores) -> float:
    """Correlation, -1 to 1, of all truths with all answers, the classes being taken together."""
    tally = pooled(scores)
    answers = tally.samples * len(tally.hits)
    hits, true, said = tally.hits.sum(), tally.true.sum(), tally.answered.sum()
    spread = np.sqrt(true * (answers - true)) * np.sqrt(said * (answers - said))
    return float(divided(answers * hits - true * said, spread))


def _soft(scores: MaskScores) -> tuple[Doubles, Doubles]:
    check_measurable(scores)
    both, said = scores.soft_hits.sum(axis=0), scores.soft_said.sum(axis=0)
    return both, scores.true.sum(axis=0) + said


_COUNTED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "micro_f1": (("micro_dice",), "Dice with the pixels of all classes added up."),
    "micro_precision": ((), "Precision with the pixels of all classes added up."),
    "micro_recall": ((), "Recall with the pixels of all classes added up."),
    "weighted_f1": ((), "Mean of the classes' Dice, each weighted by how many pixels show it."),
    "weighted_precision": ((), "Mean of the classes' precision, weighted as in `weighted_f1`."),
    "weighted_recall": ((), "Mean of the classes' recall, weighted as in `weighted_f1`."),
    "balanced_accuracy": (
        ("mean_per_class_accuracy", "mpca"),
        "Mean of the classes' recall; where they do not exclude each other, of specificity too.",
    ),
    "matthews_corrcoef": (
        ("mcc",),
        "Correlation of the class that is said with the true one, -1 to 1; see scikit-learn's.",
    ),
    "cohen_kappa": (("kappa",), "Agreement of pixels with the truth beyond chance, -1 to 1."),
}


def _mean(values: Doubles) -> float:
    return float(mean_over_classes(values))


def _register(name: str, aliases: tuple[str, ...], meaning: str) -> None:
    """Add a metric of the counts that classification has too."""

    def metric(scores: MaskScores) -> float:
        found = head_scores(pooled(scores), exclusive=is_exclusive(scores))
        return float(found[name])

    metric.__doc__ = meaning
    mask_metrics.add(*aliases, name=name, best="max")(metric)


for _name, (_spellings, _meaning) in _COUNTED.items():
    _register(_name, _spellings, _meaning)
