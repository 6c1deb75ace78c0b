"""How good predictions are, with intervals: `assess` gives all that is to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Indices, head_slices
from fivefold.evaluation.class_ranking import Ranked, rank_classes
from fivefold.evaluation.count_scores import (
    class_scores,
    divided,
    head_scores,
    mean_over_classes,
    shares_lacking,
)
from fivefold.evaluation.counting import Counted, Tally, confusion_of, counted, tallied
from fivefold.evaluation.estimates import (
    PER_CLASS,
    Assessment,
    ClassScores,
    Curve,
    Estimate,
    HeadAssessment,
)
from fivefold.evaluation.estimating import estimated
from fivefold.evaluation.intervals import Units, drawn, linearised
from fivefold.evaluation.metrics import Doubles
from fivefold.evaluation.undefined import (
    ONE_UNIT,
    reasons_of_class,
    reasons_of_head,
)

__all__ = ["Assessment", "ClassScores", "Curve", "Estimate", "HeadAssessment", "assess"]

RESAMPLES = 1000
_MOST_LACKING = 0.02  # of a mean over classes, on average over resamples
_RANKED = ("roc_auc", "average_precision")
_SHARES = frozenset({"accuracy", "top_3_accuracy", "top_5_accuracy", "exact_match", "hamming_loss"})


def assess(
    predictions: Predictions,
    *,
    folds: Sequence[int] | AnyArray | None = None,
    groups: Sequence[str] | None = None,
    answers: AnyArray | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Assessment:
    """Measure predictions in every way that is common, and say how sure each number is.

    Numbers of answers (accuracy, precision, recall, F1, kappa, Matthews) and means over samples
    (top k, log loss, Brier score, Hamming loss) are computed anew for each resample, exactly. ROC
    AUC and average precision of a resample are computed to first order, whatever the number of
    samples: from how much each sample's weight moves them, which costs one sorting in all; see
    `intervals.linearised`. All numbers of a resample are of the same samples. Above 10,000 samples
    random groups of them are resampled; see `evaluation.intervals`.

    A class that a resample lacks counts in its means over classes as it does in all samples; where
    classes are so rare that this makes up more than 2 % of a mean, that has no interval.

    An interval always holds its number. A share of 0 or 1 (accuracy, top k, exact match, precision
    and recall of a class) has all resamples alike; its other end is Clopper and Pearson's. Other
    numbers whose resamples are all alike have no interval.

    Args:
        predictions: Of N samples, with targets; several heads are measured one by one.
        folds: Each sample's fold [N], for the spread over folds; none if not given.
        groups: Each sample's group [N], such as a patient: these are then resampled as wholes.
        answers: What is answered [N, all classes], 0 or 1, such as by thresholds; if not given, the
            likeliest class of a softmax head, and every class above one half of a sigmoid head.
        resamples: How often; 0 for no intervals.
        seed: Another seed draws other resamples.

    Raises:
        DataError: If there are no samples or no targets, something is not given for each sample, or
            a head of one answer has not exactly one true class for a sample.
        NumericError: If a probability is NaN or infinite.
    """
    _check_lengths(predictions, folds=folds, groups=groups, answers=answers)
    most = max((head.num_classes for head in predictions.heads), default=1)
    units = Units.of(predictions.ids if groups is None else groups, most)
    numbers, own = _numbered(folds)
    setting = _Setting(units, own, len(numbers), resamples if units.known > 1 else 0, seed)
    heads = tuple(
        _assess_head(part, None if answers is None else answers[:, columns], setting)
        for part, columns in zip(predictions.by_head(), head_slices(predictions.heads), strict=True)
    )
    return Assessment(
        heads,
        len(predictions),
        folds=numbers,
        units=units.known,
        grouped=groups is not None,
        resamples=resamples,
        seed=seed,
        notes=() if units.known > 1 else (ONE_UNIT,),
    )


class _Setting(NamedTuple):
    """What all heads are measured with.

    Attributes:
        units: What is resampled.
        folds: Each sample's fold, counted from 0 [N]; None for none.
        num_folds: How many there are.
        resamples: How often.
        seed: Of the resampling.
    """

    units: Units
    folds: Indices | None
    num_folds: int
    resamples: int
    seed: int


class _Scores(NamedTuple):
    """Numbers of a head [...] and of its classes [..., C], each under its name."""

    head: Mapping[str, Doubles]
    classes: Mapping[str, Doubles]

    @classmethod
    def of(
        cls,
        tally: Tally,
        ranks: Sequence[Doubles],
        *,
        exclusive: bool,
        whole: Tally | None = None,
    ) -> "_Scores":
        """Compute them.

        Args:
            tally: Counts, whose leading axes may be folds or resamples.
            ranks: ROC AUC and average precision [..., C].
            exclusive: Whether exactly one class is true of every sample.
            whole: Of all samples, for resamples; see `head_scores`.
        """
        classes = class_scores(tally) | dict(zip(_RANKED, ranks, strict=True))
        found = head_scores(tally, exclusive=exclusive, whole=whole)
        found |= {name: mean_over_classes(classes[name]) for name in _RANKED}
        undefined = np.full(tally.samples.shape, np.nan)
        return cls({name: found.get(name, undefined) for name in _order(found)}, classes)


def _order(found: Mapping[str, Doubles]) -> list[str]:
    last = ("roc_auc", "average_precision", "cohen_kappa", "matthews_corrcoef", "log_loss", "brier")
    return [*(name for name in found if name not in last), *last]


def _assess_head(part: Predictions, answers: AnyArray | None, setting: _Setting) -> HeadAssessment:
    counts = counted(part, answers)
    units, head = setting.units, part.heads[0]
    by_unit = tallied(counts, units.of_samples, units.count)
    ranked = rank_classes(counts, units.of_samples, units.count, setting.folds, setting.num_folds)
    whole, ranks = by_unit.total, np.array([[r.roc_auc, r.average_precision] for r in ranked]).T
    exclusive = counts.exclusive
    scores = _Scores.of(whole, list(ranks), exclusive=exclusive)
    made = _Estimates(
        whole,
        scores,
        _over_folds(counts, ranked, setting),
        _resampled(by_unit, ranked, ranks, setting, exclusive=exclusive),
        setting.units,
    )
    reasons = reasons_of_head(whole, scores.classes, head.class_names, exclusive=exclusive)
    return HeadAssessment(
        name=head.name,
        activation=head.activation,
        class_names=head.class_names,
        samples=len(part),
        headline=made.of_head(reasons),
        classes=tuple(
            ClassScores(
                name,
                int(whole.true[i]),
                int(whole.answered[i]),
                **made.of_class(i),
                roc=ranked[i].roc,
                pr=ranked[i].pr,
            )
            for i, name in enumerate(head.class_names)
        ),
        confusion=confusion_of(counts),
    )


def _over_folds(counts: Counted, ranked: Sequence[Ranked], setting: _Setting) -> _Scores | None:
    """Measure each fold alone; the leading axis is the fold."""
    if setting.folds is None or setting.num_folds < 2:
        return None
    ranks = np.stack([r.of_folds for r in ranked], axis=-1)
    tally = tallied(counts, setting.folds, setting.num_folds)
    return _Scores.of(tally, list(ranks), exclusive=counts.exclusive)


def _resampled(
    by_unit: Tally,
    ranked: Sequence[Ranked],
    ranks: Doubles,
    setting: _Setting,
    *,
    exclusive: bool,
) -> _Scores | None:
    """Measure each resample; the leading axis is the resample."""
    if not setting.resamples:
        return None
    pulls = np.stack([r.pulls for r in ranked], axis=-1).astype(np.float32)  # [2, units, C]
    parts, lacking, total = [], [], by_unit.total
    for weights in drawn(setting.units, setting.resamples, setting.seed):
        changes = (weights @ pulls).astype(np.float64)
        moved = linearised(ranks[:, None], changes)
        tally = by_unit.weighted(weights)
        lacking.append(shares_lacking(tally, total, exclusive=exclusive))
        found = _Scores.of(tally, list(moved), exclusive=exclusive, whole=total)
        # The mean of moved classes would be off by their curvature, so the mean itself is moved.
        known = ~np.isnan(ranks[:, None])
        means = divided(np.where(known, changes, 0).sum(axis=-1), known.sum(axis=-1))
        whole = linearised(mean_over_classes(ranks)[:, None], means)
        parts.append(found._replace(head={**found.head, **dict(zip(_RANKED, whole, strict=True))}))
    of_head = {name: np.concatenate([p.head[name] for p in parts]) for name in parts[0].head}
    for name in lacking[0]:
        if np.concatenate([shares[name] for shares in lacking]).mean() > _MOST_LACKING:
            of_head[name] = np.full(setting.resamples, np.nan)
    return _Scores(
        of_head,
        {name: np.concatenate([p.classes[name] for p in parts]) for name in parts[0].classes},
    )


@dataclass(frozen=True, eq=False)
class _Estimates:
    """Puts estimates together from numbers, those of folds, and those of resamples."""

    tally: Tally
    scores: _Scores
    folds: _Scores | None
    resampled: _Scores | None
    units: Units

    def of_head(self, reasons: Mapping[str, str]) -> dict[str, Estimate]:
        """Estimate what stands for the head, each under its name."""
        found = {}
        for name, value in self.scores.head.items():
            count = int(self.tally.samples) if name in _SHARES else 0
            found[name] = estimated(
                float(value),
                None if self.folds is None else self.folds.head[name],
                None if self.resampled is None else self.resampled.head[name],
                reasons.get(name, ""),
                min(count, self.units.known),
            )
        return found

    def of_class(self, column: int) -> dict[str, Estimate]:
        """Estimate the numbers of a class, each under its name."""
        reasons = reasons_of_class(self.tally, column)
        counts = {"precision": self.tally.answered[column], "recall": self.tally.true[column]}
        return {
            name: estimated(
                float(self.scores.classes[name][column]),
                None if self.folds is None else self.folds.classes[name][:, column],
                None if self.resampled is None else self.resampled.classes[name][:, column],
                reasons.get(name, ""),
                min(int(counts.get(name, 0)), self.units.known),
            )
            for name in PER_CLASS
        }


def _numbered(folds: Sequence[int] | AnyArray | None) -> tuple[tuple[int, ...], Indices | None]:
    """Give the folds' numbers, and each sample's fold counted from 0."""
    if folds is None:
        return (), None
    numbers, own = np.unique(np.asarray(folds), return_inverse=True)
    return tuple(map(int, numbers)), own


def _check_lengths(predictions: Predictions, **given: object) -> None:
    for name, values in given.items():
        if values is not None and len(values) != len(predictions):  # type: ignore[arg-type]  # sized
            msg = f"assess: {name}: expected {len(predictions)}, got {len(values)}"  # type: ignore[arg-type]  # sized
            raise DataError(msg, hint="one for each sample")
