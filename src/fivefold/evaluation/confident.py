"""Confident learning: which labels models contradict that have not seen them, and how many.

After Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70, 2021.
"""

from dataclasses import dataclass

import numpy as np

from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.evaluation.reliability import share_interval

NOBODY = -1
"""What stands where no class is meant."""

LEAST_AGREEMENT = 0.8
"""Of how many labels models must say the same, that wrong ones can be counted."""

_ALMOST = 1e-6  # probabilities that differ by less are equal
_AT_ONCE = 1 << 15  # rows that are looked at together, so that a million take little memory


@dataclass(frozen=True, eq=False)
class Question:
    """One question with exactly one answer of K for each sample.

    Attributes:
        probs: What models say [N, K].
        given: What the labels say [N], 0 to K - 1; at least two answers occur.
    """

    probs: Floats
    given: Indices


@dataclass(frozen=True, eq=False)
class Contradicted:
    """What models say of a question's labels.

    Attributes:
        sure: The class that models are sure of [N], or NOBODY.
        likely: The class that is most likely for them [N]; the given one where it is as likely.
        suspect: Whether a label is to be looked at [N].
    """

    sure: Indices
    likely: Indices
    suspect: AnyArray


@dataclass(frozen=True)
class Share:
    """A share of all labels, 0-1.

    Attributes:
        value: The estimate.
        low: Where its 95 % interval begins.
        high: Where it ends.
    """

    value: float
    low: float
    high: float


def contradicted(question: Question) -> Contradicted:
    """Find labels that models contradict.

    They are sure of a class where its probability is at least its mean over the samples with that
    label; of several such classes the most likely is meant. So `wrong_parts` counts how many labels
    of each class are wrong. As many of the class are suspects: those whose given class is least
    likely, unless it is the most likely one for all that ("prune by class" in the paper).
    """
    sure, likely = _seen(question)
    numbers = _wrong_of_classes(question, sure)
    own = question.probs[np.arange(len(sure)), question.given]
    order = np.lexsort((own, question.given))
    sizes = np.bincount(question.given, minlength=len(numbers))
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    suspect = np.empty(len(order), dtype=bool)
    suspect[order] = place < np.repeat(numbers, sizes)
    return Contradicted(sure, likely, suspect & (likely != question.given))


def wrong_parts(question: Question, sure: Indices) -> tuple[float, AnyArray]:
    """Estimate which part of a question's labels is wrong.

    That is what lies beside the diagonal of the joint distribution of given and true labels: of
    each given class the part of its sure samples that are sure of another one, times the class's
    share.

    Args:
        question: What was asked.
        sure: Of `contradicted`.

    Returns:
        The estimate, 0-1, and how much each sample moves it [N]: their mean is 0, and the root of
        their mean square over N is the estimate's standard error.
    """
    given = question.given
    joint = _joint(question, sure)
    sizes, held = np.bincount(given, minlength=len(joint)), joint.sum(axis=1)
    parts = 1 - joint.diagonal() / held
    value = float((sizes * parts).sum() / len(given))
    is_sure = sure != NOBODY
    is_off = is_sure & (sure != given)
    moved = parts[given] - value
    moved += (is_off - parts[given] * is_sure) * (sizes / held)[given]
    return value, moved


def _seen(question: Question) -> tuple[Indices, Indices]:
    """Find what models are sure of [N], or NOBODY, and what is most likely for them [N]."""
    given, count = question.given, question.probs.shape[1]
    own = question.probs[np.arange(len(given)), given]
    sizes = np.bincount(given, minlength=count)
    sums = np.bincount(given, weights=own, minlength=count)
    # Nobody is sure of a class that no sample has: there is nothing to compare with.
    least = np.where(sizes > 0, np.maximum(sums / np.maximum(sizes, 1), 2 * _ALMOST), 2.0)
    sure, likely = np.empty_like(given), np.empty_like(given)
    for start in range(0, len(given), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        probs = question.probs[rows].astype(np.float64)
        passed = probs >= least - _ALMOST
        several, first = passed.sum(axis=1), passed.argmax(axis=1)
        best = np.where(several > 1, probs.argmax(axis=1), first)
        sure[rows] = np.where(several > 0, best, NOBODY)
        probs[np.arange(len(probs)), given[rows]] += _ALMOST
        likely[rows] = probs.argmax(axis=1)
    return sure, likely


def _joint(question: Question, sure: Indices) -> Indices:
    """Count samples by given class (row) and the class that models are sure of [K, K]."""
    count = question.probs.shape[1]
    known = sure != NOBODY
    cells = question.given[known] * count + sure[known]
    joint = np.bincount(cells, minlength=count**2).reshape(count, count)
    # Every class is taken to have one right label.
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
    return joint


def _wrong_of_classes(question: Question, sure: Indices) -> Indices:
    """Estimate how many labels of each given class are wrong [K]; at least one is right."""
    joint = _joint(question, sure)
    sizes = np.bincount(question.given, minlength=len(joint))
    counts = joint / joint.sum(axis=1, keepdims=True) * sizes[:, None]
    right = [_rounded(row)[k] for k, row in enumerate(counts)]
    return np.maximum(sizes - np.maximum(right, 1), 0)


def _rounded(parts: AnyArray) -> Indices:
    """Round numbers whose sum is whole so that it stays the same [K]."""
    whole = parts.round()
    lacking = round(float(parts.sum() - whole.sum()))
    order = np.argsort(parts - whole)
    if lacking:
        whole[order[::-1][:lacking] if lacking > 0 else order[:-lacking]] += np.sign(lacking)
    return whole.astype(np.int64)


def doubt_about(wrong: Share, agreement: float) -> str:
    """Say why an estimate cannot be trusted; empty if nothing speaks against it.

    The count takes what models contradict for wrong labels, and so for right what they say. Where
    they are weak it counts their own mistakes: no more can be known to be wrong than is
    contradicted, and where that is much nobody can tell the two apart.

    Args:
        wrong: The estimate.
        agreement: The part of all labels that are the most likely ones for models too, 0-1.
    """
    if agreement < LEAST_AGREEMENT:
        return (
            f"models agree with only {agreement:.1%} of them, below {LEAST_AGREEMENT:.0%}: "
            "their own mistakes and wrong labels look alike"
        )
    if wrong.low > 1 - agreement:
        return (
            f"the estimate, {wrong.value:.1%}, is more than the {1 - agreement:.1%} that models "
            "contradict"
        )
    return ""


def share_of(value: float, moved: AnyArray) -> Share:
    """Give an estimated share its 95 % interval: Wilson's, for as many samples as it is worth.

    Args:
        value: The share, 0-1.
        moved: How much each sample moves it [N].
    """
    variance = float(np.mean(np.square(moved))) / len(moved)
    spread = value * (1 - value)
    # Without a wrong label there is no variance, and every sample says so.
    worth = spread / variance if variance > 0 and spread > 0 else len(moved)
    return Share(value, *share_interval(value * worth, worth))
