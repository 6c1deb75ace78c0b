"""Photographs of twelve megapixels to a table, with five models and all flips."""

import math
import sys
import tempfile
from pathlib import Path

from benchmarks.arms import Arm, Sample, interleave, joined, run_process
from benchmarks.data import photo_set
from benchmarks.predicting import Ensemble, predict_photos
from benchmarks.rows.whole_experiment import told
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row, best_peer

MODELS = 5


def measure(settings: Settings) -> list[Row]:
    """Measure a small net, and in the full run a larger one, where the nets cost more."""
    names = ("mobilenetv3_small_100",) if settings.smoke else ("mobilenetv3_small_100", "resnet18")
    count = 8 if settings.smoke else 200
    photos = photo_set(settings.folder, count)
    return [_row(settings, name, photos, count) for name in names]


def _row(settings: Settings, name: str, photos: Path, count: int) -> Row:
    settings.say(f"predicting {count} photographs: 5 × {name}@224, four flips")
    arms = [
        Arm("fivefold", lambda _: _ours(settings.folder, name, count)),
        Arm("torch script, tuned", lambda _: _script(photos, name, tuned=True)),
    ]
    if settings.defaults:
        arms.append(Arm("torch script, default", lambda _: _script(photos, name, tuned=False)))
    interleave(arms, settings.repetitions, retries=settings.retries, say=settings.say)
    own, *peers = arms
    rates = {arm.name: (arm.seconds, math.nan) for arm in peers if arm.samples}
    best, void = best_peer(math.nan, rates)
    return Row(
        metric=f"{count} photographs of 12 megapixels to a table, 5 × {name}, flips",
        unit="img/s",
        goal=Goal("ratio", "least", 4.0),
        ours=count / own.seconds if own.samples else math.nan,
        peer=count / rates[best][0] if best else math.nan,
        peer_name=best,
        void=own.failure or void,
        notes=(*told(settings, arms), *_start(own)),
        raw=[arm.as_json() for arm in arms],
    )


def _start(own: Arm) -> list[str]:
    starts = ", ".join(f"{sample.more['start_seconds']:.1f}" for sample in own.samples)
    return [f"starts are included; ours alone, with one picture of one pixel: {starts} s"]


def _ours(folder: Path, name: str, count: int) -> Sample:
    found = predict_photos(folder, ensemble=Ensemble(name), photos=count)
    return Sample(seconds=found["seconds"], cpu_seconds=found["cpu_seconds"], more=found)


def _script(photos: Path, name: str, *, tuned: bool) -> Sample:
    with tempfile.TemporaryDirectory(prefix="fivefold-predict-") as out:
        command = [sys.executable, "-m", "benchmarks.peers.predict_photos", str(photos)]
        command += ["--model", name, "--out", out]
        log = Path(out) / "log.txt"
        if tuned:
            return run_process([*command, "--tuned", "--models", str(MODELS)], log)
        return joined([run_process([*command, "--models", "1"], log) for _ in range(MODELS)])
