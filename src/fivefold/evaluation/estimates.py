"""What an assessment is made of: numbers with intervals, classes, curves, heads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fivefold.core.types import Activation, AnyArray, Indices

_CURVE_DIGITS = 5


@dataclass(frozen=True)
class Estimate:
    """One number, and how far it can be trusted.

    Attributes:
        value: The number; NaN where it is undefined.
        low: Lower end of the 95 % bootstrap interval; NaN where there is none.
        high: Upper end.
        std_over_folds: Standard deviation (population, as in `summary.yaml`) of the number computed
            for each fold alone; NaN without folds, or where a fold has no such number.
        why: Why the number or its interval is undefined, or what it leaves out; else empty.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    std_over_folds: float = math.nan
    why: str = ""

    @property
    def is_defined(self) -> bool:
        """Whether there is a number."""
        return not math.isnan(self.value)

    def record(self) -> dict[str, Any]:
        """Write it for JSON: None stands for what is undefined."""
        names = ("value", "low", "high", "std_over_folds")
        numbers = {name: _number(getattr(self, name)) for name in names}
        return {**numbers, **({"why": self.why} if self.why else {})}


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, thinned so that no eye sees the difference; see `assessment_curves`.

    Attributes:
        x: False positive rate of a ROC curve, recall of a PR curve [P], 0-1, rising.
        y: True positive rate of a ROC curve, precision of a PR curve [P], 0-1.
        thresholds: Samples whose score is at least this are answered with the class [P]; infinity
            where none is.
    """

    x: AnyArray
    y: AnyArray
    thresholds: AnyArray

    def record(self) -> dict[str, list[float | None]]:
        """Write it for JSON, with five decimals."""
        columns = {"x": self.x, "y": self.y, "thresholds": self.thresholds}
        return {
            name: [_number(value) for value in column.round(_CURVE_DIGITS).tolist()]
            for name, column in columns.items()
        }


@dataclass(frozen=True)
class ClassScores:
    """One class against all others.

    Attributes:
        name: The class.
        support: How many samples have it.
        predicted: How many samples are answered with it.
        precision: How many of the answers are right.
        recall: How many of the true ones are found.
        f1: The harmonic mean of both.
        roc_auc: Area under the ROC curve.
        average_precision: Precision at each true sample by score, without interpolation.
        roc: The ROC curve; None where the class is true of no sample, or of all.
        pr: The curve of precision over recall; likewise.
    """

    name: str
    support: int
    predicted: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    roc_auc: Estimate
    average_precision: Estimate
    roc: Curve | None = None
    pr: Curve | None = None

    def record(self) -> dict[str, Any]:
        """Write it for JSON, without the curves."""
        head = {"name": self.name, "support": self.support, "predicted": self.predicted}
        return {**head, **{name: getattr(self, name).record() for name in PER_CLASS}}


PER_CLASS = ("precision", "recall", "f1", "roc_auc", "average_precision")
"""The numbers of each class."""


@dataclass(frozen=True, eq=False)
class HeadAssessment:
    """How good one head's answers are.

    Attributes:
        name: Of the head; empty for the only one.
        activation: `sigmoid` where any number of classes may be true.
        class_names: In the order of the columns.
        samples: How many.
        headline: Metric to its estimate, in the order to show them.
        classes: One for each class, in the order of the columns.
        confusion: Counts by truth (row) and answer (column) [C, C]; of a sigmoid head for each
            class [C, 2, 2], the first of two being "no".
    """

    name: str
    activation: Activation
    class_names: tuple[str, ...]
    samples: int
    headline: Mapping[str, Estimate]
    classes: tuple[ClassScores, ...]
    confusion: Indices

    @property
    def exclusive(self) -> bool:
        """Whether exactly one class is true of every sample."""
        return self.activation != "sigmoid"

    def record(self) -> dict[str, Any]:
        """Write it for JSON, curves included."""
        curves = {
            kind: {c.name: curve.record() for c in self.classes if (curve := getattr(c, kind))}
            for kind in ("roc", "pr")
        }
        return {
            "name": self.name,
            "activation": self.activation,
            "class_names": list(self.class_names),
            "samples": self.samples,
            "headline": {name: found.record() for name, found in self.headline.items()},
            "classes": [found.record() for found in self.classes],
            "confusion": self.confusion.tolist(),
            "curves": curves,
        }


@dataclass(frozen=True, eq=False)
class Assessment:
    """How good predictions are; what `assess` gives.

    Attributes:
        heads: One for each head.
        samples: How many.
        folds: The folds' numbers; empty where the samples are of none.
        units: How many were resampled: samples, or groups that stay together.
        grouped: Whether these are groups.
        resamples: How often.
        seed: Of the resampling.
        notes: What holds for all numbers.
        trained_on: How many of the samples the models were trained on; None if nobody has looked.
    """

    heads: tuple[HeadAssessment, ...]
    samples: int
    folds: tuple[int, ...] = ()
    units: int = 0
    grouped: bool = False
    resamples: int = 0
    seed: int = 0
    notes: tuple[str, ...] = ()
    trained_on: int | None = None

    def record(self) -> dict[str, Any]:
        """Write it for JSON: None stands for what is undefined."""
        intervals = {
            "level": 0.95,
            "resamples": self.resamples,
            "of": "groups" if self.grouped else "samples",
            "units": self.units,
            "seed": self.seed,
        }
        return {
            "samples": self.samples,
            **({} if self.trained_on is None else {"trained_on": self.trained_on}),
            "folds": list(self.folds),
            "intervals": intervals,
            "notes": list(self.notes),
            "heads": [head.record() for head in self.heads],
        }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
