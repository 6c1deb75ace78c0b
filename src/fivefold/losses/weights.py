"""How much classes count in training: formulas from how often each one is true.

The weight of a sample of a softmax head is that of its class; an answer of a sigmoid head has one
weight where its class is true and one where it is not. Losses are multiplied by them, and the mean
is over samples or answers as ever, as in Keras; so with `balanced` the mean weight is 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.core.types import Head

Doubles: TypeAlias = NDArray[np.float64]
PosWeight: TypeAlias = float | str | tuple[float, ...] | Mapping[str, float]

OFF = "none"
FORMULAS = ("balanced", "inverse", "log")


@dataclass(frozen=True)
class Balance:
    """What a stage says about the weights of classes.

    Attributes:
        class_weights: `none`, a formula, or weights by class name; classes not named weigh 1.
        positive_weights_multiply: The factor in the formula `log`, above 0.
        pos_weight: Of true answers of sigmoid heads: `balanced`, one number, one for each class,
            or by class name.
    """

    class_weights: str | Mapping[str, float] = OFF
    positive_weights_multiply: float = 1.0
    pos_weight: PosWeight = 1.0

    @property
    def is_off(self) -> bool:
        """Whether every class counts the same."""
        return self.class_weights in (OFF, {}) and self.pos_weight == 1


@dataclass(frozen=True)
class HeadWeights:
    """Weights of one head's classes, in the order of its columns.

    Attributes:
        true: Of samples of each class, or of answers where it is true.
        false: Of answers where it is not; empty for a softmax head.
    """

    true: tuple[float, ...]
    false: tuple[float, ...] = ()

    def by_class(self, head: Head) -> dict[str, float | list[float]]:
        """Name them, for the record: one number for a class, or those of false and of true."""
        names = [f"{head.name}.{name}" if head.name else name for name in head.class_names]
        if not self.false:
            return dict(zip(names, self.true, strict=True))
        pairs = zip(self.false, self.true, strict=True)
        return {name: list(pair) for name, pair in zip(names, pairs, strict=True)}


def named_weights(
    heads: Sequence[Head], weights: Sequence[HeadWeights]
) -> dict[str, float | list[float]]:
    """Name the weights of all heads' classes, for the record; empty where there are none."""
    named: dict[str, float | list[float]] = {}
    for head, own in zip(heads, weights, strict=bool(weights)):
        named |= own.by_class(head)
    return named


def head_weights(balance: Balance, head: Head, counts: Doubles, samples: int) -> HeadWeights:
    """Compute the weights of one head's classes.

    With N samples of which n have a class, and C classes that some sample has:

    - `balanced`: N / (C n), scikit-learn's; of a sigmoid head N / (2 n) where a class is true and
      N / (2 (N - n)) where it is not.
    - `inverse`: the largest n divided by n, as Abyss has it.
    - `log`: max(1, ln(m N / n)), m being `positive_weights_multiply`; of a sigmoid head, with
      D = m (N - n) + n, (D - n) / D where a class is true and n / D where it is not: Ultimate Image
      Classification's.

    A class that no sample has weighs 1, which no loss will see.

    Args:
        balance: What is asked for.
        head: `softmax` or `sigmoid`.
        counts: How many training samples have each of its classes [C].
        samples: How many training samples there are, at least 1.
    """
    if head.activation != "sigmoid":
        return HeadWeights(_rounded(_of_samples(balance, head, counts, samples)))
    true, false = _of_answers(balance, head, counts, samples)
    return HeadWeights(
        _rounded(true * _of_positives(balance, head, counts, samples)), _rounded(false)
    )


def _of_samples(balance: Balance, head: Head, counts: Doubles, samples: int) -> Doubles:
    formula = balance.class_weights
    seen = np.maximum(counts, 1)
    if formula == "balanced":
        weights = samples / (np.count_nonzero(counts) * seen)
    elif formula == "inverse":
        weights = counts.max() / seen
    elif formula == "log":
        weights = np.log(balance.positive_weights_multiply * samples / seen).clip(min=1)
    else:
        return _named(formula, head)
    return np.where(counts > 0, weights, 1.0)


def _of_answers(
    balance: Balance, head: Head, counts: Doubles, samples: int
) -> tuple[Doubles, Doubles]:
    """Give the weights of answers where a class is true, and where it is not."""
    formula, rest = balance.class_weights, samples - counts
    both = (counts > 0) & (rest > 0)
    if formula == "balanced":
        true, false = samples / (2 * np.maximum(counts, 1)), samples / (2 * np.maximum(rest, 1))
    elif formula == "log":
        positive = balance.positive_weights_multiply * rest
        true, false = positive / (positive + counts), counts / (positive + counts)
    else:
        each = _of_samples(balance, head, counts, samples)
        return each, each
    return np.where(both, true, 1.0), np.where(both, false, 1.0)


def _of_positives(balance: Balance, head: Head, counts: Doubles, samples: int) -> Doubles:
    """Give the factor of true answers; `balanced` makes them weigh as much as the false ones."""
    wanted = balance.pos_weight
    if isinstance(wanted, Mapping):
        return _named(wanted, head)
    if isinstance(wanted, str):
        ratio = (samples - counts) / np.maximum(counts, 1)
        return np.where((counts > 0) & (counts < samples), ratio, 1.0)
    return np.broadcast_to(np.asarray(wanted, np.float64), (head.num_classes,))


def _named(weights: str | Mapping[str, float], head: Head) -> Doubles:
    by_name = weights if isinstance(weights, Mapping) else {}
    return np.asarray([by_name.get(name, 1.0) for name in head.class_names], np.float64)


def _rounded(weights: Doubles) -> tuple[float, ...]:
    """Round as training does, so that the record has the numbers that were used."""
    return tuple(weights.astype(np.float32).astype(np.float64).tolist())
