"""Decisions applied to predictions, and told."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, mean_of
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Floats, Head, head_slices
from fivefold.evaluation.metrics import Doubles, Flags
from fivefold.evaluation.prediction_sets import Coverage, Levels, coverage_of, sets_of_models
from fivefold.evaluation.temperature import with_temperature
from fivefold.evaluation.thresholds import USUAL, answers_at
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


def sets_of(probs: Sequence[Floats], decisions: Decisions) -> Flags:
    """Say which classes are in the prediction sets: those of most models, and what is answered.

    Args:
        probs: As each model says them, scaled by the temperatures [N, all classes] each.
        decisions: Of the same heads.

    Returns:
        Whether a class is in [N, all classes].
    """
    mean, parts = mean_of(probs), list[Flags]()
    slices = head_slices(tuple(one.head for one in decisions.heads))
    for columns, one in zip(slices, decisions.heads, strict=True):
        answers = _answers(mean[:, columns], one)
        own = [each[:, columns] for each in probs]
        parts.append(sets_of_models(own, one.head, Levels(one.levels), answers))
    return np.hstack(parts)


def decided_holdout(folder: RunFolder, decisions: Decisions) -> Predictions | None:
    """Average what all folds' models say of the holdout, each scaled; None without a holdout."""
    parts = _of_holdout(folder, decisions, decisions.folds)
    if not parts:
        return None
    return replace(parts[0], probs=mean_of([part.probs for part in parts]), fold=-1)


def held_out_coverage(
    folder: RunFolder, decisions: Decisions, folds: Sequence[int] | None = None
) -> tuple[Coverage, ...]:
    """Check the prediction sets of each head on the holdout; empty without one.

    Args:
        folder: The experiment.
        decisions: Of it.
        folds: Whose models predict together; those of the decisions if not given.
    """
    parts = _of_holdout(folder, decisions, decisions.folds if folds is None else folds)
    if not parts:
        return ()
    sets = sets_of([part.probs for part in parts], decisions)
    pairs = zip(parts[0].by_head(), head_slices(parts[0].heads), strict=True)
    return tuple(coverage_of(part, sets[:, columns]) for part, columns in pairs)


def told_of_sets(decisions: Decisions, models: int, coverage: Sequence[Coverage] = ()) -> str:
    """Say in one line what prediction sets promise, and what they come to on the holdout.

    Args:
        decisions: Whose levels make them.
        models: How many answer together.
        coverage: What the sets come to on the holdout, if there is one.
    """
    wanted = decisions.wishes.coverage
    text = f"one model's hold the true class with probability {wanted:g}"
    if models > 1:
        least = max(0.0, 2 * wanted - 1)
        text += (
            f"; those of {models} have what at least half of them have: proven for {least:.4g}, "
            f"mostly {wanted:g} or more"
        )
    for one, found in zip(decisions.heads, coverage, strict=False):
        text += f"; {_coverage_text(found)}{_of(one)}"
    return text if coverage else f"{text}; there is no holdout to check it on"


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
    if _cuts_parts(decisions):
        parts.append(f"smallest parts {_areas_text(decisions)}")
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
        if one.levels:  # masks have none
            text = f"coverage {decisions.wishes.coverage:g}"
            if coverage:
                text += f"; {_coverage_text(coverage[number])}"
            rows.append((f"prediction sets{_of(one)}", text))
    if _cuts_parts(decisions):
        rows.append(("smallest parts", _areas_text(decisions)))
    rows.append(("chosen on", _chosen_on(decisions)))
    return rows + [("note", remark) for remark in decisions.remarks]


def decision_record(decisions: Decisions, coverage: Sequence[Coverage] = ()) -> dict[str, Any]:
    """Put together what scripts may read of decisions; see `decision_rows`."""
    if _is_of_masks(decisions):
        return _mask_record(decisions)
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


def _mask_record(decisions: Decisions) -> dict[str, Any]:
    (one,), wishes = decisions.heads, decisions.wishes
    names = one.head.class_names
    head = {
        "head": one.head.name,
        "thresholds": dict(zip(names, one.thresholds, strict=False)),
        "smallest_areas": dict(zip(names, one.areas, strict=False)),
    }
    return {
        "asked": {
            "thresholds": str(wishes.thresholds),
            "smallest_area": wishes.smallest_area,
            "counted_at": None if wishes.counted_at is None else list(wishes.counted_at),
        },
        "heads": [head],
        "stage": decisions.stage,
        "samples": decisions.samples,
        "remarks": list(decisions.remarks),
    }


def _is_of_masks(decisions: Decisions) -> bool:
    return not any(one.levels for one in decisions.heads)


def _cuts_parts(decisions: Decisions) -> bool:
    return any(area for one in decisions.heads for area in one.areas)


def _areas_text(decisions: Decisions) -> str:
    """Say below how many pixels parts of masks are left out, and at which size."""
    (one,), size = decisions.heads, decisions.wishes.counted_at
    at = f" of {size[0]} x {size[1]}" if size else ""
    if len(set(one.areas)) == 1:
        return f"{one.areas[0]} pixels{at}"
    pairs = list(zip(one.head.class_names, one.areas, strict=True))
    told = ", ".join(f"{area} ({name})" for name, area in pairs[:_SHOWN_CLASSES] if area)
    return f"{told} pixels{at}"


def _of_holdout(folder: RunFolder, decisions: Decisions, folds: Sequence[int]) -> list[Predictions]:
    """Load what each fold's model says of the holdout, scaled; empty without one."""
    paths = [folder.predictions("holdout", fold, decisions.stage) for fold in folds]
    if _is_of_masks(decisions) or not all(path.exists() for path in paths):
        return []
    own = [one.temperature for one in decisions.heads]
    found = [Predictions.load(path) for path in paths]
    return [replace(one, probs=scaled(one.probs, one.heads, own)) for one in found]


def _answers(mean: Floats, one: HeadDecision) -> Flags:
    """Say what is answered [N, C]: above the thresholds, or else the most probable class."""
    if one.thresholds:
        return answers_at(mean, one.thresholds)
    answers: Flags = np.arange(one.head.num_classes) == mean.argmax(axis=1)[:, None]
    return answers


def _of(one: HeadDecision) -> str:
    return f" of {one.head.name}" if one.head.name else ""


def _chosen_on(decisions: Decisions) -> str:
    return f"{decisions.samples:,} out-of-fold predictions of stage {decisions.stage}"


def _thresholds_text(decisions: Decisions, one: HeadDecision) -> str:
    numbers = _by_class(one, [f"{value:.4g}" for value in one.thresholds])
    aim = decisions.wishes.thresholds
    return numbers if aim.kind == "fixed" else f"{numbers}: {aim}"


def _by_class(one: HeadDecision, numbers: Sequence[str]) -> str:
    """Write the number of each class, or the one that all have."""
    if len(set(numbers)) == 1:
        return numbers[0]
    pairs = list(zip(one.head.class_names, numbers, strict=True))
    text = ", ".join(f"{name} {number}" for name, number in pairs[:_SHOWN_CLASSES])
    return text + f" and {len(pairs) - _SHOWN_CLASSES} more" * (len(pairs) > _SHOWN_CLASSES)


def _coverage_text(found: Coverage) -> str:
    if np.isnan(found.covered):
        return "on the holdout undefined, since no class is true there"
    low, high = found.interval
    return (
        f"on the holdout {found.covered:.4f} ({low:.4f}..{high:.4f}) of {found.samples:,} samples, "
        f"{found.size:.2f} classes in the mean"
    )
