"""How good masks are, with intervals: `assess_masks` gives all that is to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import AnyArray, Head
from fivefold.evaluation.count_scores import divided
from fivefold.evaluation.estimates import Estimate
from fivefold.evaluation.estimating import estimated
from fivefold.evaluation.intervals import Units, drawn
from fivefold.evaluation.mask_reasons import EMPTY_RULE, reasons_of_class, reasons_of_head
from fivefold.evaluation.mask_tally import PER_CLASS, MaskTally, class_numbers, head_numbers
from fivefold.evaluation.metrics import Doubles
from fivefold.evaluation.undefined import ONE_UNIT

__all__ = ["EMPTY_RULE", "ClassMasks", "MaskAssessment", "assess_masks"]

RESAMPLES = 1000
_MOST_LACKING = 0.02  # of a mean over classes, on average over resamples
_COUNTS = {
    "images": "present",
    "found": "found",
    "without": "absent",
    "quiet": "quiet",
    "compared": "compared",
}


@dataclass(frozen=True)
class ClassMasks:
    """One class in all images.

    Attributes:
        name: The class.
        pixels: How many pixels show it.
        said: How many are said to.
        images: How many images show it.
        found: How many of these are said to show it.
        without: How many images do not show it.
        quiet: How many of these are not said to.
        compared: How many images means over images are of: those where it is true or said.
        numbers: Each of `mask_tally.PER_CLASS` with its interval.
    """

    name: str
    pixels: int
    said: int
    images: int
    found: int
    without: int
    quiet: int
    compared: int
    numbers: Mapping[str, Estimate]

    def record(self) -> dict[str, Any]:
        """Write it for JSON: None stands for what is undefined."""
        names = ("name", "pixels", "said", *_COUNTS)
        counts = {name: getattr(self, name) for name in names}
        return {**counts, **{name: found.record() for name, found in self.numbers.items()}}


@dataclass(frozen=True, eq=False)
class MaskAssessment:
    """How good masks are; what `assess_masks` gives.

    Attributes:
        scores: What was measured, image by image.
        pixels: How many pixels count.
        headline: Metric to its estimate: all that `mask_tally.head_numbers` has.
        classes: One for each class.
        folds: The folds' numbers; empty where the images are of none.
        units: How many were resampled: images, or groups that stay together.
        grouped: Whether these are groups.
        resamples: How often.
        seed: Of the resampling.
        notes: What holds for all numbers.
        trained_on: How many of the images the models were trained on; None if nobody has looked.
    """

    scores: MaskScores
    pixels: int
    headline: Mapping[str, Estimate]
    classes: tuple[ClassMasks, ...]
    folds: tuple[int, ...] = ()
    units: int = 0
    grouped: bool = False
    resamples: int = 0
    seed: int = 0
    notes: tuple[str, ...] = ()
    trained_on: int | None = None

    @property
    def head(self) -> Head:
        """What the classes are."""
        return self.scores.heads[0]

    @property
    def samples(self) -> int:
        """How many images."""
        return len(self.scores)

    def record(self) -> dict[str, Any]:
        """Write it for JSON, laid out as that of classification; None is undefined."""
        intervals = {
            "level": 0.95,
            "resamples": self.resamples,
            "of": "groups" if self.grouped else "images",
            "units": self.units,
            "seed": self.seed,
        }
        head = {
            "name": self.head.name,
            "activation": self.head.activation,
            "class_names": list(self.head.class_names),
            "samples": self.samples,
            "pixels": self.pixels,
            "headline": {name: found.record() for name, found in self.headline.items()},
            "classes": [found.record() for found in self.classes],
        }
        return {
            "samples": self.samples,
            **({} if self.trained_on is None else {"trained_on": self.trained_on}),
            "folds": list(self.folds),
            "intervals": intervals,
            "empty_masks": EMPTY_RULE,
            "notes": list(self.notes),
            "heads": [head],
        }


class _Numbers(NamedTuple):
    """Numbers of all classes together [...] and of each [..., K], each under its name."""

    head: Mapping[str, Doubles]
    classes: Mapping[str, Doubles]

    @classmethod
    def of(cls, tally: MaskTally, known: Mapping[str, Doubles] | None = None) -> "_Numbers":
        classes = class_numbers(tally)
        return cls(head_numbers(tally, classes, known), classes)


def assess_masks(
    scores: MaskScores,
    *,
    folds: Sequence[int] | AnyArray | None = None,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> MaskAssessment:
    """Measure masks in every way that is common, and say how sure each number is.

    Images are resampled, or groups of them as wholes; all numbers are computed anew for each
    resample, exactly. A class that a resample lacks counts in its means over classes as it does in
    all images; where that makes up more than 2 % of a mean, it has no interval. A share of images
    of 0 or 1 has Clopper and Pearson's; other numbers whose resamples are all alike have none. See
    `evaluation.intervals`.

    Args:
        scores: Of N images.
        folds: Each image's fold [N], for the spread over folds; none if not given.
        groups: Each image's group [N], such as a patient: these are resampled as wholes.
        resamples: How often; 0 for no intervals.
        seed: Another seed draws other resamples.

    Raises:
        DataError: If there are no images, or something is not given for each.
    """
    _check(scores, folds=folds, groups=groups)
    width = 10 * scores.heads[0].num_classes
    units = Units.of(scores.ids if groups is None else groups, width)
    by_unit = MaskTally.of(scores, units.of_samples, units.count)
    total = by_unit.total
    made = _Estimates(total, _Numbers.of(total), units, _over_folds(scores, folds))
    numbers = () if folds is None else tuple(np.unique(np.asarray(folds)).tolist())
    if resamples and units.known > 1:
        made = replace(made, resampled=_resampled(by_unit, made.numbers, units, resamples, seed))
    return MaskAssessment(
        scores=scores,
        pixels=int(total.of_all("pixels")),
        headline=made.of_head(),
        classes=tuple(map(made.of_class, range(scores.heads[0].num_classes))),
        folds=numbers,
        units=units.known,
        grouped=groups is not None,
        resamples=resamples if units.known > 1 else 0,
        seed=seed,
        notes=_notes(total, units),
    )


def _notes(tally: MaskTally, units: Units) -> tuple[str, ...]:
    blank = int(tally.of_all("images") - tally.of_all("measured"))
    notes = [ONE_UNIT] if units.known == 1 else []
    if blank:
        notes.append(f"{blank} images have no pixel that counts: they are in no number")
    return tuple(notes)


def _over_folds(scores: MaskScores, folds: Sequence[int] | AnyArray | None) -> _Numbers | None:
    """Measure each fold alone; the leading axis is the fold."""
    if folds is None:
        return None
    numbers, own = np.unique(np.asarray(folds), return_inverse=True)
    if len(numbers) < 2:
        return None
    return _Numbers.of(MaskTally.of(scores, own, len(numbers)))


def _resampled(
    by_unit: MaskTally, whole: _Numbers, units: Units, resamples: int, seed: int
) -> _Numbers:
    """Measure each resample; the leading axis is the resample."""
    parts, lacking = [], []
    for weights in drawn(units, resamples, seed):
        found = _Numbers.of(by_unit.weighted(weights), whole.classes)
        parts.append(found)
        lacking.append(_lacking(found.classes, whole.classes))
    of_head = {name: np.concatenate([p.head[name] for p in parts]) for name in whole.head}
    for name in PER_CLASS:
        if np.concatenate([shares[name] for shares in lacking]).mean() > _MOST_LACKING:
            for spelled in {name, f"foreground_{name}"} & of_head.keys():
                of_head[spelled] = np.full(resamples, np.nan)
    classes = {name: np.concatenate([p.classes[name] for p in parts]) for name in PER_CLASS}
    return _Numbers(of_head, classes)


def _lacking(found: Mapping[str, Doubles], whole: Mapping[str, Doubles]) -> Mapping[str, Doubles]:
    """Say how much of a mean over classes is of classes that have no number here [R], 0-1."""
    shares = {}
    for name, own in found.items():
        known = ~np.isnan(whole[name])
        lacks = np.isnan(own) & known
        shares[name] = np.nan_to_num(divided(lacks.sum(axis=-1), known.sum()))
    return shares


@dataclass(frozen=True, eq=False)
class _Estimates:
    """Puts estimates together from numbers, those of folds, and those of resamples."""

    tally: MaskTally
    numbers: _Numbers
    units: Units
    folds: _Numbers | None = None
    resampled: _Numbers | None = None

    def of_head(self) -> dict[str, Estimate]:
        """Estimate what stands for all classes, each under its name."""
        numbers, reasons = self.numbers, reasons_of_head(self.tally, self.numbers.classes)
        of_class = self.of_class(0).numbers if self.tally.head.num_classes == 1 else {}
        return {
            name: of_class[name]
            if name in of_class
            else estimated(
                float(value),
                None if self.folds is None else self.folds.head[name],
                None if self.resampled is None else self.resampled.head[name],
                reasons.get(name, ""),
            )
            for name, value in numbers.head.items()
        }

    def of_class(self, column: int) -> ClassMasks:
        """Estimate the numbers of a class."""
        reasons, numbers = reasons_of_class(self.tally, column), self.numbers.classes
        counts = {name: int(self.tally.of_class(own)[column]) for name, own in _COUNTS.items()}
        shares = {"image_sensitivity": counts["images"], "image_specificity": counts["without"]}
        estimates = {
            name: estimated(
                float(numbers[name][column]),
                None if self.folds is None else self.folds.classes[name][:, column],
                None if self.resampled is None else self.resampled.classes[name][:, column],
                reasons.get(name, ""),
                min(shares.get(name, 0), self.units.known),
            )
            for name in PER_CLASS
        }
        pixels, said = (int(self.tally.of_class(name)[column]) for name in ("true", "said"))
        name = self.tally.head.class_names[column]
        return ClassMasks(name=name, pixels=pixels, said=said, **counts, numbers=estimates)


def _check(scores: MaskScores, **given: Any) -> None:
    if not len(scores):
        msg = "masks: expected at least 1 image to measure, got 0"
        raise DataError(msg, slug="data/no-predictions")
    for name, values in given.items():
        if values is not None and len(values) != len(scores):
            msg = f"assess_masks: {name}: expected {len(scores)}, got {len(values)}"
            raise DataError(msg, hint="one for each image")
