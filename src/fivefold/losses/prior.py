"""From the classes' shares that training has seen back to those of the data.

A classifier that was trained on more samples of a class, or to whom they counted more, takes that
class for more frequent than it is. Bayes' rule says by how much: the probability of a class is
proportional to its share. So logarithms of shares are added to logits: Saerens, Latinne and
Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002. It is
exact for a cross-entropy that has learned its probabilities.
"""

from collections.abc import Sequence

import numpy as np

from fivefold.core.types import Head, head_slices
from fivefold.losses.weights import Doubles, HeadWeights


def prior_shift(
    heads: Sequence[Head], weights: Sequence[HeadWeights], counts: Doubles, drawn: Doubles
) -> tuple[float, ...]:
    """Compute what is added to the logits of each class [all classes].

    Of a softmax head it is the logarithm of (a class's share of the data / its share of what was
    drawn / its weight); of a sigmoid head that of (the odds of a class in the data / those in what
    was drawn / the weight of true answers * that of false ones). It is 0 for a class that no sample
    has, and for a head that gives no probabilities.

    Args:
        heads: Of the model.
        weights: Of each head's classes; none where all count the same.
        counts: Training samples of each class [all classes].
        drawn: The same of those that an epoch draws; others than `counts` only for one head of
            classes that exclude each other.
    """
    shift = np.zeros(len(counts))
    of_heads = weights or [HeadWeights(())] * len(heads)
    for head, own, columns in zip(heads, of_heads, head_slices(tuple(heads)), strict=True):
        if head.activation == "linear":
            continue
        before, after = counts[columns], drawn[columns]
        likely = _odds if head.activation == "sigmoid" else _shares
        seen = (before > 0) & (before < before.sum())
        change = np.zeros(len(before))
        change[seen] = np.log(likely(before)[seen] / likely(after)[seen])
        weighed = np.asarray(own.false or 1.0) / np.asarray(own.true or 1.0)
        shift[columns] = np.where(before > 0, change + np.log(weighed), 0)
    return tuple(shift.tolist())


def _shares(counts: Doubles) -> Doubles:
    shares: Doubles = counts / counts.sum()
    return shares


def _odds(counts: Doubles) -> Doubles:
    with np.errstate(divide="ignore"):
        odds: Doubles = counts / (counts.sum() - counts)
    return odds
