"""Metrics of counts, for many tallies at once; NaN where a metric is undefined.

Definitions are scikit-learn's with `zero_division=nan`: a class of which a number is undefined is
left out of the mean over classes, and never counts as 0.

A resample may lack a rare class that all samples together have. Without it the mean would be one of
other classes, and mostly higher; so it counts there as it does in all samples together.
"""

from collections.abc import Mapping

import numpy as np

from fivefold.evaluation.counting import Tally
from fivefold.evaluation.metrics import Doubles

_OF_CLASS = ("precision", "recall", "f1")
_AGREEMENT = ("cohen_kappa", "matthews_corrcoef")


def class_scores(tally: Tally) -> dict[str, Doubles]:
    """Compute precision, recall and F1 of each class [..., C]."""
    return {
        "precision": divided(tally.hits, tally.answered),
        "recall": divided(tally.hits, tally.true),
        "f1": divided(2 * tally.hits, tally.true + tally.answered),
    }


def head_scores(tally: Tally, *, exclusive: bool, whole: Tally | None = None) -> dict[str, Doubles]:
    """Compute what stands for a whole head [...], each under its name.

    Args:
        tally: Counts.
        exclusive: Whether exactly one class is true of every sample.
        whole: Of all samples, if these are resamples of them: a class that has a number there and
            none here counts as it does there.
    """
    of_samples = {name: divided(sums, tally.samples) for name, sums in tally.sums.items()}
    last = ("log_loss", "brier")
    losses: dict[str, Doubles] = {n: of_samples.pop(n) for n in last if n in of_samples}
    numbers = _of_classes(tally)
    if whole is not None:
        known = _of_classes(whole)
        numbers = {n: np.where(np.isnan(own), known[n], own) for n, own in numbers.items()}
    agreement = (
        _agreement(tally)
        if exclusive
        else {name: mean_over_classes(numbers[name]) for name in _AGREEMENT}
    )
    means = {**_balanced(numbers, exclusive), **_averages(tally, numbers)}
    return {**of_samples, **means, **agreement, **losses}


def shares_lacking(tally: Tally, whole: Tally, *, exclusive: bool) -> dict[str, Doubles]:
    """Say how much of a mean over classes is of classes that have no number here [...], 0-1.

    Args:
        tally: Counts of resamples.
        whole: Of all samples; classes without a number there do not count.
        exclusive: Whether exactly one class is true of every sample.
    """
    known = _of_classes(whole)
    lacks = {n: np.isnan(own) & ~np.isnan(known[n]) for n, own in _of_classes(tally).items()}
    shares = {n: divided(own.sum(axis=-1), (~np.isnan(known[n])).sum()) for n, own in lacks.items()}
    true = tally.true.sum(axis=-1)
    found = {f"macro_{name}": shares[name] for name in _OF_CLASS}
    found |= {f"weighted_{n}": divided((lacks[n] * tally.true).sum(-1), true) for n in _OF_CLASS}
    if exclusive:
        return found | {"balanced_accuracy": shares["recall"]}
    both = (shares["recall"] + shares["specificity"]) / 2
    return found | {"balanced_accuracy": both} | {name: shares[name] for name in _AGREEMENT}


def mean_over_classes(values: Doubles) -> Doubles:
    """Average the classes that have a number [..., C]; NaN where none has."""
    known = ~np.isnan(values)
    return divided(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


def divided(part: Doubles, whole: Doubles) -> Doubles:
    """Divide; NaN where the denominator is 0."""
    result = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) != 0)
    return result


def _of_classes(tally: Tally) -> dict[str, Doubles]:
    """Compute all numbers of each class against the rest [..., C] of which there are means."""
    samples, no = tally.samples[..., None], tally.samples[..., None] - tally.true
    refused = samples - tally.answered
    above = tally.hits * samples - tally.true * tally.answered
    chance = tally.true * tally.answered + no * refused
    spread = np.sqrt(tally.true * no) * np.sqrt(tally.answered * refused)
    return {
        **class_scores(tally),
        "specificity": divided(refused - tally.true + tally.hits, no),
        "cohen_kappa": divided(2 * above, samples**2 - chance),
        "matthews_corrcoef": divided(above, spread),
    }


def _averages(tally: Tally, numbers: Mapping[str, Doubles]) -> dict[str, Doubles]:
    found = {f"macro_{name}": mean_over_classes(numbers[name]) for name in _OF_CLASS}
    hits, true, answered = (n.sum(axis=-1) for n in (tally.hits, tally.true, tally.answered))
    whole = Tally(tally.samples, hits, true, answered, {})
    for name, values in class_scores(whole).items():
        found[f"micro_{name}"] = values
    for name in _OF_CLASS:
        known = ~np.isnan(numbers[name])
        weights = np.where(known, tally.true, 0)
        weighted = (weights * np.where(known, numbers[name], 0)).sum(axis=-1)
        found[f"weighted_{name}"] = divided(weighted, weights.sum(axis=-1))
    order = [f"{kind}_{name}" for kind in ("macro", "micro", "weighted") for name in _OF_CLASS]
    return {name: found[name] for name in order}


def _balanced(numbers: Mapping[str, Doubles], exclusive: bool) -> Mapping[str, Doubles]:  # noqa: FBT001  a fact
    if exclusive:
        return {"balanced_accuracy": mean_over_classes(numbers["recall"])}
    both = np.stack([numbers["recall"], numbers["specificity"]], axis=-1)
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
