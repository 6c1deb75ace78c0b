"""Five folds of a frozen and a full stage, from the command to the last file."""

import math
from collections.abc import Sequence

from benchmarks import ours
from benchmarks.arms import Arm, interleave
from benchmarks.data import FOLDS, standard_set
from benchmarks.folds import Peer, run_folds
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row, best_peer
from benchmarks.weights import initial_weights
from benchmarks.workload import Workload

GOALS = {"fp32": 0.60, "best": 0.35}
FORWARD_GFLOP = {"resnet18": 2 * 1.82, "mobilenetv3_small_100": 2 * 0.06}
"""Of one image of 224 pixels; training takes three times as much."""


def measure(settings: Settings) -> list[Row]:
    """Measure both precisions: float32 everywhere, and the best that each tool has."""
    pictures = standard_set(settings.folder, settings.count)
    weights = initial_weights(settings.folder, "resnet18")
    rows = []
    for precision in GOALS:
        work = Workload(pictures, weights, precision=precision)
        if settings.smoke:
            work = Workload(
                pictures,
                weights,
                size=64,
                epochs_frozen=1,
                epochs_full=1,
                precision=precision,
            )
        settings.say(f"whole experiment: {work.describe()}")
        rows.append(_row(settings, work))
    return rows


def _row(settings: Settings, work: Workload) -> Row:
    arms = [Arm("fivefold", lambda _: ours.fit(work, settings.peer_folds))]
    arms += [
        Arm(peer.title, lambda _, peer=peer: run_folds(peer, work, settings.environments))  # type: ignore[misc]  # bound at once
        for peer in chosen_peers(settings, precision=work.precision)
    ]
    interleave(arms, settings.repetitions, retries=settings.retries, say=settings.say)
    own, *peers = arms
    measured = {arm.name: (arm.seconds, arm.accuracy) for arm in peers if arm.samples}
    count = len(work.pictures.fold_of) * settings.peer_folds // FOLDS
    name, void = best_peer(own.accuracy if own.samples else math.nan, measured, count)
    label = "float32" if work.precision == "fp32" else "best precision"
    return Row(
        metric=f"whole 5-fold experiment, {label}",
        unit="s",
        goal=Goal("ratio", "most", GOALS[work.precision]),
        ours=own.seconds if own.samples else math.nan,
        peer=measured[name][0] if name else math.nan,
        peer_name=name,
        limit=limit_seconds(settings, work),
        void=own.failure or void,
        notes=(work.describe(), *told(settings, arms)),
        raw=[arm.as_json() for arm in arms],
    )


def chosen_peers(settings: Settings, *, precision: str) -> list[Peer]:
    """List the peers' configurations; the defaults know no other precision than float32."""
    kinds = (True, False) if settings.defaults and precision == "fp32" else (True,)
    return [Peer(name, tuned, settings.peer_folds) for name in settings.peers for tuned in kinds]


def told(settings: Settings, arms: Sequence[Arm]) -> list[str]:
    """Say of each arm what it took and how accurate it was, for below the table."""
    lines = []
    for arm in arms:
        if arm.samples:
            all_seconds = ", ".join(f"{sample.seconds:.1f}" for sample in arm.samples)
            busy = sum(sample.disturbed for sample in arm.samples)
            note = f"; others were busy in {busy} of {len(arm.samples)}" if busy else ""
            lines.append(f"{arm.name}: {all_seconds} s, accuracy {arm.accuracy:.1%}{note}")
        if arm.failure:
            lines.append(f"{arm.name}: failed: {arm.failure.splitlines()[-1]}")
    if settings.peer_folds < FOLDS:
        lines.append(f"peers ran {settings.peer_folds} of 5 folds; times are scaled to 5")
    return lines


def limit_seconds(settings: Settings, work: Workload) -> float:
    """Compute how long the arithmetic alone takes at the rate of a convolution of this machine."""
    kind = "fp32" if work.precision == "fp32" else "bf16"
    rate = settings.limits.get(f"convolution {kind}, GFLOP/s", math.nan)
    forward = FORWARD_GFLOP[work.architecture] * (work.size / 224) ** 2
    count = len(work.pictures.fold_of)
    trained = work.epochs_full * (FOLDS - 1) * count * 3
    validated = work.epochs_full * count
    once = count if work.epochs_frozen else 0
    return forward * (trained + validated + once) / rate
