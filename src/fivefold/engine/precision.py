"""Choose how a run computes: precision, layout and threads, by its profile and by a probe."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fivefold.core.choices import Choices, Layout, Precision, Profile
from fivefold.core.cores import threads_per_fold

Measure = Callable[[Sequence[Choices]], Mapping[str, float]]
"""From ways of computing to the images in a second that one fold trains, by the ways' names."""

_CLEARLY = 1.1  # so much faster, or what is usual stays
_LAYOUTS: tuple[Layout, ...] = ("channels_last", "contiguous")


@dataclass(frozen=True)
class Machine:
    """What there is to choose for.

    Attributes:
        cores: That this process may use.
        num_folds: That share them.
        precisions: That the device can compute in, float32 first.
        on_cpu: Whether it is a CPU that trains, so that threads matter.
    """

    cores: int
    num_folds: int
    precisions: tuple[Precision, ...]
    on_cpu: bool


def choose(profile: Profile, machine: Machine, measure: Measure) -> Choices:
    """Choose how a run computes.

    Folds run side by side, so what counts is the rate of all that the cores have room for.

    Args:
        profile: "exact": float32, channels-last, the cores shared by the folds; nothing is
            measured. "auto": layout and threads are measured. "fast": the precision too.
        machine: What there is.
        measure: Called once or twice.
    """
    usual = exact_choices(machine, profile)
    if profile == "exact":
        return usual
    precisions = machine.precisions if profile == "fast" else ("float32",)
    ways = [replace(usual, precision=p, layout=layout) for p in precisions for layout in _LAYOUTS]
    totals = _totals(ways, machine, measure)
    chosen = usual
    for precision in precisions:
        same = [way for way in ways if way.precision == precision]
        chosen = _clearly_best(chosen, same, totals)
    others = [replace(chosen, threads=threads) for threads in _threads(chosen, machine)]
    if others:
        totals = {**totals, **_totals([chosen, *others], machine, measure)}
        chosen = _clearly_best(chosen, others, totals)
    return replace(chosen, measured=totals)


def exact_choices(machine: Machine, profile: Profile = "exact") -> Choices:
    """Give what is chosen without measuring."""
    return Choices(threads_per_fold(machine.num_folds, machine.cores), profile)


def _clearly_best(
    usual: Choices, others: Sequence[Choices], totals: Mapping[str, float]
) -> Choices:
    best = max(others, key=lambda way: totals[way.name])
    return best if totals[best.name] >= _CLEARLY * totals[usual.name] else usual


def _threads(chosen: Choices, machine: Machine) -> list[int]:
    if not machine.on_cpu or machine.num_folds >= machine.cores:
        return []
    return sorted({1, machine.cores} - {chosen.threads})


def _totals(ways: Sequence[Choices], machine: Machine, measure: Measure) -> dict[str, float]:
    rates = measure(ways)
    return {way.name: round(rates[way.name] * _side_by_side(way, machine), 1) for way in ways}


def _side_by_side(way: Choices, machine: Machine) -> int:
    if not machine.on_cpu:
        return 1
    return max(1, min(machine.num_folds, machine.cores // way.threads))
