"""How long the run took: sessions, folds and stages."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from fivefold.apps.report.gathered import Gathered, Place
from fivefold.apps.report.section import Material, Section
from fivefold.core.durations import exactly

_SHORT = 10  # seconds; below, tenths are of interest

Took = tuple[int, float]
"""Epochs and seconds."""


def sections(material: Material) -> Iterator[Section]:
    """Show what was spent where; nothing where nobody has measured it."""
    found = material.found
    sessions, took = _sessions(found.manifest), spent(found.manifest)
    if not took:
        return
    stages = sorted({stage for _, stage in took})
    longest = max(seconds for _, seconds in took.values())
    untimed = sum(_epochs(found, place) - took.get(place, (0, 0))[0] for place in found.histories)
    values = {
        "folds": sorted({fold for fold, _ in took}),
        "stages": stages,
        "took": took,
        "shares": {place: seconds / (longest or 1) for place, (_, seconds) in took.items()},
        "totals": {
            s: sum(sec for (_, stage), (_, sec) in took.items() if stage == s) for s in stages
        },
        "sessions": [
            (seconds, sum(epochs for epochs, _ in own.values())) for seconds, own in sessions
        ],
        "untimed": untimed,
        "spent": _words,
    }
    yield Section("time", "Time", "time.html", values)


def _words(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _SHORT else exactly(seconds)


def _sessions(manifest: Mapping[str, Any]) -> list[tuple[float, dict[Place, Took]]]:
    """Read what each session took; leaves out what is not as it was written."""
    listed = manifest.get("sessions")
    sessions = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [(_seconds(one), _places(one.get("stages"))) for one in sessions]


def _places(stages: object) -> dict[Place, Took]:
    found: dict[Place, Took] = {}
    for key, one in stages.items() if isinstance(stages, dict) else ():
        fold, _, stage = str(key).partition(".")
        epochs = one.get("epochs") if isinstance(one, dict) else None
        if fold.isdecimal() and stage.isdecimal() and type(epochs) is int:
            found[int(fold), int(stage)] = (epochs, _seconds(one))
    return found


def _seconds(record: Mapping[str, Any]) -> float:
    value = record.get("seconds")
    is_time = isinstance(value, int | float) and math.isfinite(value) and value >= 0
    return float(value) if is_time else 0.0  # type: ignore[arg-type]  # it is a number


def spent(manifest: Mapping[str, Any]) -> dict[Place, Took]:
    """Add up what all sessions have spent on each fold and stage.

    Args:
        manifest: Of the run, in any state; what is not as it was written counts nothing.
    """
    total: dict[Place, Took] = {}
    for _, own in _sessions(manifest):
        for place, (epochs, seconds) in own.items():
            before = total.get(place, (0, 0.0))
            total[place] = (before[0] + epochs, before[1] + seconds)
    return dict(sorted(total.items()))


def _epochs(found: Gathered, place: Place) -> int:
    return len(found.histories[place])
