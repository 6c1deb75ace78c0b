"""Decisions applied to predictions, and told."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, mean_of
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Floats, Head, head_slices
from fivefold.evaluation.metrics import Doubles, Flags
from fivefold.evaluation.prediction_sets import Coverage, Levels, coverage_of, sets_at
from fivefold.evaluation.temperature import with_temperature
from fivefold.evaluation.thresholds import USUAL
from fivefold.experiment.decisions import Decisions, HeadDecision

_SHOWN_CLASSES = 12


def scaled(probs: Floats, heads: Sequence[Head], temperatures: Sequence[float]) -> Floats:
    """Divide the logits of each head by its temperature.

    Args:
        probs: Of one model [N, all classes]: it is what temperatures are chosen for, no mean.
        heads: What the columns mean.
        temperatures: One for each head; none leaves all as it is, bit by bit.
    """
    if all(temperature == 1 for temperature in temperatures):
        return probs
    slices = head_slices(tuple(heads))
    parts = [
        with_temperature(probs[:, columns], head.activation, temperature)
        for columns, head, temperature in zip(slices, heads, temperatures, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def temperatures_of(decisions: Decisions, heads: Sequence[Head], folder: RunFolder) -> list[float]:
    """Give the temperature of each head of a model.

    Raises:
        StateError: If the decisions are about other classes.
    """
    own = [one.head for one in decisions.heads]
    if own != list(heads):
        names, others = ([name for h in each for name in h.class_names] for each in (heads, own))
        msg = (
            f"{folder.decisions_path}: expected decisions on the classes of these models, "
            f"{names[:5]}, got some on {others[:5]}"
        )
        hint = f"delete it; `fivefold fit {folder.argument}` then makes it again"
        raise StateError(msg, hint=hint, slug="state/decisions")
    return [one.temperature for one in decisions.heads]


def thresholds_of(decisions: Decisions) -> Doubles:
    """Give the threshold of each column [all classes]; one half where none is needed."""
    parts = [one.thresholds or (USUAL,) * one.head.num_classes for one in decisions.heads]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


def sets_of(predictions: Predictions, decisions: Decisions) -> Flags:
    """Say which classes are in the prediction sets [N, all classes].

    Args:
        predictions: Scaled by the temperatures.
        decisions: Of the same heads.
    """
    pairs = zip(predictions.by_head(), decisions.heads, strict=True)
    return np.hstack([sets_at(part.probs, one.head, Levels(one.levels)) for part, one in pairs])


def held_out_coverage(folder: RunFolder, decisions: Decisions) -> tuple[Coverage, ...]:
    """Check the prediction sets of each head on the holdout; empty without one."""
    folds, stage = decisions.folds, decisions.stage
    paths = [folder.predictions("holdout", fold, stage) for fold in folds]
    if not all(path.exists() for path in paths):
        return ()
    found = [Predictions.load(path) for path in paths]
    own = [one.temperature for one in decisions.heads]
    mean = mean_of([scaled(one.probs, one.heads, own) for one in found])
    together = Predictions(found[0].ids, mean, found[0].heads, found[0].targets)
    pairs = zip(together.by_head(), decisions.heads, strict=True)
    return tuple(coverage_of(part, Levels(one.levels)) for part, one in pairs)


def told(decisions: Decisions) -> str:
    """Say in one line what was done to predictions; empty if nothing was."""
    wishes = decisions.wishes
    parts = []
    if wishes.temperature:
        values = [f"{one.temperature:.3g}{_of(one)}" for one in decisions.heads]
        parts.append(f"temperature {', '.join(values)}")
    needed = any(one.thresholds for one in decisions.heads)
    if needed and wishes.thresholds != ThresholdAim():
        chosen = "" if wishes.thresholds.kind == "fixed" else "for "
        parts.append(f"thresholds {chosen}{wishes.thresholds}")
    return f"{'; '.join(parts)}; chosen on {_chosen_on(decisions)}" if parts else ""


def decision_rows(decisions: Decisions, coverage: Sequence[Coverage] = ()) -> list[tuple[str, str]]:
    """Say what was decided, a label and a text each.

    Args:
        decisions: Of an experiment.
        coverage: What its prediction sets come to on the holdout, if there is one.
    """
    rows = []
    for number, one in enumerate(decisions.heads):
        if decisions.wishes.temperature:
            rows.append((f"temperature{_of(one)}", f"{one.temperature:.4g}"))
        if one.thresholds:
            rows.append((f"thresholds{_of(one)}", _thresholds_text(decisions, one)))
        text = f"coverage {decisions.wishes.coverage:g}"
        if coverage:
            text += f"; {_coverage_text(coverage[number])}"
        rows.append((f"prediction sets{_of(one)}", text))
    rows.append(("chosen on", _chosen_on(decisions)))
    return rows + [("note", remark) for remark in decisions.remarks]


def decision_record(decisions: Decisions, coverage: Sequence[Coverage] = ()) -> dict[str, Any]:
    """Put together what scripts may read of decisions; see `decision_rows`."""
    heads = []
    for number, one in enumerate(decisions.heads):
        names = one.head.class_names
        held_out = {"holdout": asdict(coverage[number])} if coverage else {}
        heads.append(
            {
                "head": one.head.name,
                "temperature": one.temperature,
                "thresholds": dict(zip(names, one.thresholds, strict=False)),
                "set_levels": list(one.levels),
                **held_out,
            }
        )
    return {
        "asked": {
            "calibration": "temperature" if decisions.wishes.temperature else "none",
            "thresholds": str(decisions.wishes.thresholds),
            "coverage": decisions.wishes.coverage,
        },
        "heads": heads,
        "stage": decisions.stage,
        "samples": decisions.samples,
        "remarks": list(decisions.remarks),
    }


def _of(one: HeadDecision) -> str:
    return f" of {one.head.name}" if one.head.name else ""


def _chosen_on(decisions: Decisions) -> str:
    return f"{decisions.samples:,} out-of-fold predictions of stage {decisions.stage}"


def _thresholds_text(decisions: Decisions, one: HeadDecision) -> str:
    if len(set(one.thresholds)) == 1:
        numbers = f"{one.thresholds[0]:.4g}"
    else:
        pairs = list(zip(one.head.class_names, one.thresholds, strict=True))
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in pairs[:_SHOWN_CLASSES])
        numbers += f" and {len(pairs) - _SHOWN_CLASSES} more" * (len(pairs) > _SHOWN_CLASSES)
    aim = decisions.wishes.thresholds
    return numbers if aim.kind == "fixed" else f"{numbers}: {aim}"


def _coverage_text(found: Coverage) -> str:
    if np.isnan(found.covered):
        return "on the holdout undefined, since no class is true there"
    low, high = found.interval
    return (
        f"on the holdout {found.covered:.4f} ({low:.4f}..{high:.4f}) of {found.samples:,} samples, "
        f"{found.size:.2f} classes in the mean"
    )
