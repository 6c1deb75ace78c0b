"""Metrics of counts, for many tallies at once; NaN where a metric is undefined.

Definitions are scikit-learn's with `zero_division=nan`: a class of which a number is undefined is
left out of the mean over classes, and never counts as 0.
"""

from collections.abc import Mapping

import numpy as np

from fivefold.evaluation.counting import Tally
from fivefold.evaluation.metrics import Doubles


def class_scores(tally: Tally) -> dict[str, Doubles]:
    """Compute precision, recall and F1 of each class [..., C]."""
    return {
        "precision": divided(tally.hits, tally.answered),
        "recall": divided(tally.hits, tally.true),
        "f1": divided(2 * tally.hits, tally.true + tally.answered),
    }


def head_scores(tally: Tally, *, exclusive: bool) -> dict[str, Doubles]:
    """Compute what stands for a whole head [...], each under its name.

    Args:
        tally: Counts.
        exclusive: Whether exactly one class is true of every sample.
    """
    of_samples = {name: divided(sums, tally.samples) for name, sums in tally.sums.items()}
    last = ("log_loss", "brier")
    losses: dict[str, Doubles] = {n: of_samples.pop(n) for n in last if n in of_samples}
    agreement = _agreement(tally) if exclusive else _agreement_of_classes(tally)
    return {**of_samples, **_balanced(tally, exclusive), **_averages(tally), **agreement, **losses}


def mean_over_classes(values: Doubles) -> Doubles:
    """Average the classes that have a number [..., C]; NaN where none has."""
    known = ~np.isnan(values)
    return divided(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


def divided(part: Doubles, whole: Doubles) -> Doubles:
    """Divide; NaN where the denominator is 0."""
    result = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) != 0)
    return result


def _averages(tally: Tally) -> dict[str, Doubles]:
    found: dict[str, Doubles] = {}
    by_class = class_scores(tally)
    for name in ("f1", "precision", "recall"):
        found[f"macro_{name}"] = mean_over_classes(by_class[name])
    hits, true, answered = (n.sum(axis=-1) for n in (tally.hits, tally.true, tally.answered))
    whole = Tally(tally.samples, hits, true, answered, {})
    for name, values in class_scores(whole).items():
        found[f"micro_{name}"] = values
    for name, values in by_class.items():
        known = ~np.isnan(values)
        weights = np.where(known, tally.true, 0)
        weighted = (weights * np.where(known, values, 0)).sum(axis=-1)
        found[f"weighted_{name}"] = divided(weighted, weights.sum(axis=-1))
    order = [f"{kind}_{name}" for kind in ("macro", "micro", "weighted") for name in by_class]
    return {name: found[name] for name in order}


def _balanced(tally: Tally, exclusive: bool) -> Mapping[str, Doubles]:  # noqa: FBT001  a fact
    recall = divided(tally.hits, tally.true)
    if exclusive:
        return {"balanced_accuracy": mean_over_classes(recall)}
    negatives = tally.samples[..., None] - tally.true
    refused = negatives - tally.answered + tally.hits
    both = np.stack([recall, divided(refused, negatives)], axis=-1)
    return {"balanced_accuracy": mean_over_classes(mean_over_classes(both))}


def _agreement(tally: Tally) -> dict[str, Doubles]:
    """Cohen's kappa, and Gorodkin's correlation of several classes; see `evaluation.scores`."""
    samples, hits = tally.samples, tally.hits.sum(axis=-1)
    chance = (tally.true * tally.answered).sum(axis=-1)
    above = hits * samples - chance
    product = (samples**2 - (tally.answered**2).sum(axis=-1)) * (
        samples**2 - (tally.true**2).sum(axis=-1)
    )
    return {
        "cohen_kappa": divided(above, samples**2 - chance),
        "matthews_corrcoef": divided(above, np.sqrt(np.maximum(product, 0))),
    }


def _agreement_of_classes(tally: Tally) -> dict[str, Doubles]:
    """The same for each class against the rest, averaged over those that have a number."""
    samples, no = tally.samples[..., None], tally.samples[..., None] - tally.true
    refused = samples - tally.answered
    above = tally.hits * samples - tally.true * tally.answered
    chance = tally.true * tally.answered + no * refused
    spread = np.sqrt(tally.true * no) * np.sqrt(tally.answered * refused)
    return {
        "cohen_kappa": mean_over_classes(divided(2 * above, samples**2 - chance)),
        "matthews_corrcoef": mean_over_classes(divided(above, spread)),
    }
